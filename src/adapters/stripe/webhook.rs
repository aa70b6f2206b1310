//! Stripe's calls to us: who says it, when, and of which payment intent.
//!
//! A signature is `t=seconds,v1=hex,v1=hex…`: an HMAC-SHA256 over the time, a dot and the body as it came, one for each secret
//! that holds. Nothing of the body is believed but the intent it points to, so an event may come twice, late or never, and none
//! is remembered.

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::ports::money::payments::{WebhookEvent, WebhookRequest};

/// An event that was signed this long ago, or will be, is taken for a replay.
const REPLAY_S_MAX: i64 = 300;
/// Signatures looked at; Stripe sends one for each of at most a few secrets.
const SIGNATURES_MAX: usize = 8;
const HEADER_CHARS_MAX: usize = 2_048;

#[derive(Deserialize)]
struct Event {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
}

/// An intent of which something is final.
pub(super) enum About {
    Payment(String),
    WentBack(String),
}

/// `None` when the event is about anything else.
pub(super) fn read(secrets: &[String], word: WebhookRequest<'_>) -> Result<Option<About>, WebhookEvent> {
    is_signed(secrets, word).map_err(|why| WebhookEvent::Forged { why })?;
    #[derive(Deserialize)]
    struct Kind {
        #[serde(rename = "type")]
        kind: String,
    }
    let unreadable = |error: serde_json::Error| WebhookEvent::Unreadable { why: error.to_string() };
    let kind: Kind = serde_json::from_slice(word.body).map_err(unreadable)?;
    let about: fn(Object) -> Option<About> = match kind.kind.as_str() {
        "payment_intent.succeeded" | "payment_intent.canceled" => |object: Object| object.id.map(About::Payment),
        // Of a charge, and of a refund.
        "charge.refunded" | "charge.refund.updated" | "refund.updated" | "refund.failed" => {
            |object: Object| object.payment_intent.map(About::WentBack)
        }
        _ => return Ok(None),
    };
    let event: Event = serde_json::from_slice(word.body).map_err(unreadable)?;
    Ok(about(event.data.object))
}

fn is_signed(secrets: &[String], word: WebhookRequest<'_>) -> Result<(), &'static str> {
    let header = word.signature.ok_or("is missing")?;
    if secrets.is_empty() {
        return Err("cannot be checked: no webhook secret is configured");
    }
    if header.len() > HEADER_CHARS_MAX {
        return Err("is too long");
    }
    let mut signed_at = None;
    let mut signatures = Vec::new();
    for (name, value) in header.split(',').filter_map(|part| part.trim().split_once('=')) {
        match name {
            "t" => signed_at = signed_at.or(Some(value)),
            "v1" if signatures.len() < SIGNATURES_MAX => signatures.extend(bytes(value)),
            _ => {}
        }
    }
    let signed_at = signed_at.ok_or("has no time")?;
    let at_s: i64 = signed_at.parse().map_err(|_| "has a time that is no number")?;
    let is_recent = (word.now.0 / 1_000).checked_sub(at_s).is_some_and(|age| age.abs() <= REPLAY_S_MAX);
    let matches = secrets.iter().any(|secret| {
        let mac = mac(secret, signed_at, word.body);
        // In constant time, each.
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    match (matches, is_recent) {
        (false, _) => Err("is of no secret of ours"),
        (true, false) => Err("is too old, or of the future"),
        (true, true) => Ok(()),
    }
}

fn mac(secret: &str, signed_at: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("an HMAC takes a key of any length");
    mac.update(signed_at.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// `None` for anything but 64 hexadecimal digits.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let digits = hex.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let digit = |at: usize| (pair[at] as char).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}
