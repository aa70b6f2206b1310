//! What an operator shows beside the password. It is set up once, by the person who has the password, and then asked for at every
//! log-in; who lost it shows a recovery code, or has the account reset at the shell. A code is judged after it was counted, and used
//! before it is believed.

use std::sync::Arc;

use data_encoding::BASE32_NOPAD;
use sha2::{Digest as _, Sha256};

use crate::app::people::totp::{self, DIGITS, SECRET_BYTES};
use crate::domain::people::Revoked;
use crate::domain::people::author::Author;
use crate::domain::shared::id::BuyerId;
use crate::kit::work::chance::chance;
use crate::ports::Result;
use crate::ports::people::second_factors::{Confirmation, Digest, SecondFactors, TryLimit};
use crate::ports::platform::clock::Clock;

/// Characters of a code as it is typed, with gaps.
pub const CODE_CHARS_MAX: usize = 64;
pub const RECOVERY_CODES: usize = 10;
/// More than anybody tries: what is guessed needs no counting.
const RECOVERY_BYTES: usize = 10;
/// Wrong codes in each window. A million codes of which three are right at any time, and the password is known by then.
pub const WRONG_MAX: u32 = 10;
const WRONG_WINDOW_MS: i64 = 3_600_000;
/// As authenticators show it.
const ISSUER: &str = "miaosha";

#[derive(Clone)]
pub struct Needs {
    pub second_factors: Arc<dyn SecondFactors>,
    pub clock: Arc<dyn Clock>,
}

/// What is to be typed, or scanned, into an authenticator.
pub struct Offer {
    /// In base 32.
    pub secret: String,
    pub uri: String,
}

/// For this account's address. `None` where one is set up already.
pub async fn offer(needs: &Needs, id: BuyerId, email: &str) -> Result<Option<Offer>> {
    let secret: [u8; SECRET_BYTES] = chance();
    if !needs.second_factors.offer_second_factor(id, &secret).await? {
        return Ok(None);
    }
    let secret = BASE32_NOPAD.encode(&secret);
    // An address is ASCII, and holds what a path must not.
    let label: String = email.bytes().map(escaped).collect();
    let uri = format!(
        "otpauth://totp/{ISSUER}:{label}?secret={secret}&issuer={ISSUER}&algorithm=SHA1&digits={DIGITS}&period=30"
    );
    Ok(Some(Offer { secret, uri }))
}

fn escaped(byte: u8) -> String {
    match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

pub enum Confirmed {
    /// With codes that are told this once.
    Done(Revoked, Vec<String>),
    Wrong,
    TooOften,
    /// Nothing was offered, or it is confirmed already.
    NotOffered,
}

pub async fn confirm(needs: &Needs, id: BuyerId, typed: &str, by: Option<&Author>) -> Result<Confirmed> {
    let Some(factor) = needs.second_factors.second_factor(id).await?.filter(|factor| !factor.is_confirmed) else {
        return Ok(Confirmed::NotOffered);
    };
    if !try_once(needs, id).await? {
        return Ok(Confirmed::TooOften);
    }
    let now = needs.clock.now();
    let Some(step) = totp::step_of(&factor.secret, &plain(typed), now, factor.used) else {
        return Ok(Confirmed::Wrong);
    };
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code()).collect();
    let digests: Vec<Digest> = codes.iter().map(|code| digest(&plain(code))).collect();
    let what = Confirmation { secret: &factor.secret, step, recovery: &digests };
    let confirmed = needs.second_factors.confirm_second_factor(id, what, now, by).await?;
    Ok(confirmed.map_or(Confirmed::NotOffered, |revoked| Confirmed::Done(revoked, codes)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Right,
    Wrong,
    TooOften,
    /// The account has none.
    NotSet,
}

/// A code of the authenticator, or one of those for its loss. Either is good once.
pub async fn show(needs: &Needs, id: BuyerId, typed: &str) -> Result<Shown> {
    let Some(factor) = needs.second_factors.second_factor(id).await?.filter(|factor| factor.is_confirmed) else {
        return Ok(Shown::NotSet);
    };
    let typed = plain(typed);
    if typed.len() != DIGITS {
        let is_right = needs.second_factors.use_recovery(id, &digest(&typed)).await?;
        return Ok(if is_right { Shown::Right } else { Shown::Wrong });
    }
    if !try_once(needs, id).await? {
        return Ok(Shown::TooOften);
    }
    let Some(step) = totp::step_of(&factor.secret, &typed, needs.clock.now(), factor.used) else {
        return Ok(Shown::Wrong);
    };
    // Of two who show it at once, one was first.
    let is_first = needs.second_factors.use_step(id, step).await?;
    Ok(if is_first { Shown::Right } else { Shown::Wrong })
}

pub async fn is_set(needs: &Needs, id: BuyerId) -> Result<bool> {
    Ok(needs.second_factors.second_factor(id).await?.is_some_and(|factor| factor.is_confirmed))
}

async fn try_once(needs: &Needs, id: BuyerId) -> Result<bool> {
    let limit = TryLimit { tries_max: WRONG_MAX, window_ms: WRONG_WINDOW_MS };
    needs.second_factors.try_second_factor(id, limit, needs.clock.now()).await
}

/// Without what people put between: gaps, hyphens, small letters.
fn plain(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).take(CODE_CHARS_MAX).collect()
}

/// Groups of four, as they are read out.
fn recovery_code() -> String {
    let code = BASE32_NOPAD.encode(&chance::<RECOVERY_BYTES>()).to_ascii_lowercase();
    code.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join("-")
}

fn digest(code: &str) -> Digest {
    Sha256::digest(code.as_bytes()).into()
}
