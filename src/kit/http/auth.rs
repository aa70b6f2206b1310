//! Tokens: JWTs of distinct kinds, each with its own type, audience and keys, so that one kind is never taken for another. A
//! subject declares its kinds, by their claims.
//!
//! How a token is signed is its kind's to say, never the token's. The keys are in [`keys`](super::keys). Expiry is judged by the
//! caller's clock.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::shared::time::Timestamp;
use crate::kit::http::problem::{Kind, Problem};

/// The clocks of signer and verifier may differ by this much.
pub const LEEWAY_S: i64 = 5;
/// Bytes of a token; no token of ours comes near.
pub const TOKEN_BYTES_MAX: usize = 2_048;

/// By its name: also its audience, and how its keys are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenKind {
    pub name: &'static str,
    /// The header's `typ`.
    pub typ: &'static str,
    pub signature: Signature,
}

/// Who may verify a kind of token, and what it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// HS256: who verifies has the secret, and could sign as well.
    Shared,
    /// EdDSA: who verifies needs nothing secret. Public keys are listed under a name of their own.
    Public { listed_as: &'static str },
}

/// What a kind of token says. Issuer and audience are types of one value each: claims that can be read are claims meant for us.
pub trait Claims: Serialize + DeserializeOwned {
    const KIND: TokenKind;

    /// Seconds since 1970.
    fn exp(&self) -> i64;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Issuer {
    #[serde(rename = "miaosha")]
    Miaosha,
}

/// The token in `Authorization: Bearer …`.
pub fn bearer(req: &HttpRequest) -> Result<&str, Problem> {
    let Some(value) = req.headers().get(AUTHORIZATION) else {
        return Err(unauthorized("there is no Authorization header"));
    };
    // Not `to_str`, which looks at every character; what is no token is found out soon enough.
    let text =
        std::str::from_utf8(value.as_bytes()).map_err(|_| unauthorized("the Authorization header is not text"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(unauthorized("the Authorization header is not of the form Bearer <token>")),
    }
}

pub fn unauthorized(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::field("Authorization", Kind::UNAUTHORIZED, detail)
}

/// Until when a verifier accepts it, with the leeway.
pub fn until(claims: &impl Claims) -> Timestamp {
    Timestamp(claims.exp().saturating_add(LEEWAY_S).saturating_mul(1_000))
}

pub fn not_expired(until: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if now >= until {
        return Err(unauthorized("the token has expired"));
    }
    Ok(())
}

/// The `exp` of a token that is signed now.
pub fn expiry(now: Timestamp, ttl_ms: i64) -> i64 {
    now.plus_ms(ttl_ms).0.div_euclid(1_000).saturating_add(1)
}

/// A number that JavaScript could not hold goes as text.
pub fn to_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

pub fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    struct Text;
    impl serde::de::Visitor<'_> for Text {
        type Value = u64;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a number written as text")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u64, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text)
}
