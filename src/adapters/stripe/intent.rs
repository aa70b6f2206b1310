//! What Stripe says of a payment intent, as far as we read it.

use serde_json::Value;

use super::PART;
use super::client::Refusal;
use crate::domain::shared::money::Currency;
use crate::ports::{Fault, Result};

/// Stripe's names have fewer.
const ID_CHARS_MAX: usize = 200;

/// Where an intent stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// No money moves until it is confirmed.
    Waits,
    /// The bank wants to see the buyer.
    RequiresAction,
    /// The bank has set the money aside.
    RequiresCapture,
    /// Not known yet, to Stripe neither.
    Processing,
    Succeeded,
    Canceled,
}

#[derive(Debug)]
pub(super) struct Intent {
    pub(super) id: String,
    pub(super) status: Status,
    pub(super) received: i64,
    pub(super) currency: Currency,
}

pub(super) fn read(body: &Value) -> Result<Intent> {
    let status = match body["status"].as_str().unwrap_or_default() {
        "requires_payment_method" | "requires_confirmation" => Status::Waits,
        "requires_action" => Status::RequiresAction,
        "requires_capture" => Status::RequiresCapture,
        "processing" => Status::Processing,
        "succeeded" => Status::Succeeded,
        "canceled" => Status::Canceled,
        _ => return Err(Fault::new(PART, "a payment intent of a status that is not known here")),
    };
    // Servers that do not say what was received have captured the whole amount.
    let received = body["amount_received"].as_i64().or_else(|| body["amount"].as_i64()).unwrap_or_default();
    let currency = body["currency"].as_str().and_then(|code| code.to_ascii_uppercase().parse().ok());
    let currency = currency.ok_or_else(|| Fault::new(PART, "a payment intent without a currency"))?;
    Ok(Intent { id: id(&body["id"], "pi_")?, status, received, currency })
}

/// An id that is going to be a part of a path.
pub(super) fn id(value: &Value, start: &str) -> Result<String> {
    let text = value.as_str().unwrap_or_default();
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if text.starts_with(start) && is_plain && text.len() <= ID_CHARS_MAX {
        return Ok(text.to_owned());
    }
    Err(Fault::new(PART, format!("an answer without an id that begins with {start}")))
}

/// Why a card was refused, in words for its holder. Never more than the bank lets the shop say.
pub(super) fn why(refusal: &Refusal) -> String {
    let code = if refusal.decline_code.is_empty() { &refusal.code } else { &refusal.decline_code };
    let why = match code.as_str() {
        "insufficient_funds" => "not enough money",
        "expired_card" => "the card has expired",
        "incorrect_cvc" | "invalid_cvc" => "the security code is wrong",
        "authentication_required" | "payment_intent_authentication_failure" => NEEDS_ACTION,
        "resource_missing" | "payment_method_unactivated" | "payment_method_invalid_parameter" => UNKNOWN,
        _ if refusal.status == 404 => UNKNOWN,
        _ => "card declined",
    };
    why.to_owned()
}

pub(super) const UNKNOWN: &str = "unknown card";
pub(super) const NEEDS_ACTION: &str = "the bank asks for a confirmation in its own window, which this shop cannot show";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_at_the_provider_has_its_length() {
        let read = |length: usize| id(&Value::from(format!("pi_{}", "x".repeat(length - 3))), "pi_");
        assert_eq!(read(ID_CHARS_MAX).map(|name| name.len()), Ok(200));
        assert!(read(ID_CHARS_MAX + 1).is_err());
        assert!(id(&Value::from("pi_x/y"), "pi_").is_err() && id(&Value::from("ch_x"), "pi_").is_err());
    }
}
