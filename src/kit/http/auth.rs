//! Tokens: JWTs of distinct kinds, each with its own type, audience and keys, so that one kind is never taken for another. A
//! subject declares its kinds, by their claims.
//!
//! HS256 and nothing else; the algorithm is ours, never the token's. The key is found by its `kid`; the first key of a kind
//! signs and all of them verify, so that keys can be changed without a gap. Expiry is judged by the caller's clock.

use std::collections::HashSet;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use data_encoding::HEXLOWER_PERMISSIVE;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto, dangerous};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::shared::time::Timestamp;
use crate::kit::http::problem::{Kind, Problem};

/// The clocks of signer and verifier may differ by this much.
pub const LEEWAY_S: i64 = 5;
/// Bytes of a token; no token of ours comes near.
pub const TOKEN_BYTES_MAX: usize = 2_048;

const ISSUER: &str = "miaosha";

/// By its name: also its audience, and how its keys are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenKind {
    pub name: &'static str,
    /// The header's `typ`.
    pub typ: &'static str,
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

#[derive(Clone)]
struct Key {
    kind: TokenKind,
    kid: String,
    /// How every token that this key signed begins: its header in base64, and the dot.
    prefix: String,
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
}

pub struct SigningKeys {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("key {0} of the list is not of the form kind:kid:secret")]
    Form(usize),
    #[error("key {0} of the list is of no kind of token that there is")]
    Kind(usize),
    #[error("key {0} of the list is for `{1}` tokens, which this process has no business with")]
    Foreign(usize, &'static str),
    #[error("key {0} of the list needs a kid of 1 to 32 letters, digits, - or _")]
    Kid(usize),
    #[error("key {0} of the list needs a secret of 64 hexadecimal digits")]
    Secret(usize),
    #[error("key {0} of the list repeats a kid or a secret")]
    Repeated(usize),
    #[error("there is no key for `{0}` tokens")]
    Missing(&'static str),
}

impl SigningKeys {
    /// Reads `<kind>:<kid>:<64 hex>,…`: at least one of each of these kinds and of no other, no kid or secret twice.
    pub fn parse(text: &str, kinds: &[TokenKind]) -> Result<Self, KeysError> {
        Self::parse_only(text, kinds, &[])
    }

    /// The same for a process that is to have less: a key of these others is refused by its kind's name.
    pub fn parse_only(text: &str, kinds: &[TokenKind], others: &[TokenKind]) -> Result<Self, KeysError> {
        let mut keys: Vec<Key> = Vec::new();
        let (mut kids, mut secrets) = (HashSet::new(), HashSet::new());
        for (place, entry) in text.split(',').enumerate().map(|(index, entry)| (index + 1, entry.trim())) {
            let mut parts = entry.split(':');
            let (Some(kind), Some(kid), Some(hex), None) = (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(KeysError::Form(place));
            };
            if let Some(other) = others.iter().find(|other| other.name == kind) {
                return Err(KeysError::Foreign(place, other.name));
            }
            let kind = *kinds.iter().find(|known| known.name == kind).ok_or(KeysError::Kind(place))?;
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if kid.is_empty() || kid.len() > 32 || !kid.bytes().all(plain) {
                return Err(KeysError::Kid(place));
            }
            let secret = secret(hex).ok_or(KeysError::Secret(place))?;
            if !kids.insert(kid) || !secrets.insert(secret) {
                return Err(KeysError::Repeated(place));
            }
            keys.push(Key::new(kind, kid, &secret));
        }
        if let Some(missing) = kinds.iter().find(|kind| !keys.iter().any(|key| key.kind == **kind)) {
            return Err(KeysError::Missing(missing.name));
        }
        Ok(Self { keys })
    }

    /// Those of one kind.
    pub fn only(&self, kind: TokenKind) -> Self {
        Self { keys: self.keys.iter().filter(|key| key.kind == kind).cloned().collect() }
    }

    /// A digest that cannot be made or tried without our keys, by each key of this kind; the one that signs comes first.
    pub fn digests(&self, kind: TokenKind, message: &[u8]) -> Vec<[u8; 32]> {
        use sha2::Digest;
        // No token's signed part holds a line feed: a digest is never a signature.
        let message = [b"digest\n", message].concat();
        let keys = self.keys.iter().filter(|key| key.kind == kind);
        let sign = |key: &Key| crypto::sign(&message, &key.signing, Algorithm::HS256).expect("the key is HMAC");
        keys.map(|key| sha2::Sha256::digest(sign(key)).into()).collect()
    }

    pub fn sign<C: Claims>(&self, claims: &C) -> String {
        let key = self.keys.iter().find(|key| key.kind == C::KIND).expect("there is a key of each kind");
        jsonwebtoken::encode(&key.header, claims, &key.signing).expect("claims are JSON and the key is HMAC")
    }

    /// The claims of a token that has not expired.
    pub fn verify<C: Claims>(&self, token: &str, now: Timestamp) -> Result<C, Problem> {
        let claims: C = self.verify_ever(token)?;
        if now >= until(&claims) {
            return Err(unauthorized("the token has expired"));
        }
        Ok(claims)
    }

    /// The claims, whenever they expire: that is for the caller to judge.
    ///
    /// Tokens that begin exactly as our own do are verified without reading their header; all others go the long way, which
    /// also says what is wrong.
    pub fn verify_ever<C: Claims>(&self, token: &str) -> Result<C, Problem> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(unauthorized("the token is too long"));
        }
        let own = self.keys.iter().find(|key| key.kind == C::KIND && token.starts_with(&key.prefix));
        match own.and_then(|key| key.claims(token)) {
            Some(claims) => Ok(claims),
            None => self.verify_slowly(token),
        }
    }

    #[cold]
    fn verify_slowly<C: Claims>(&self, token: &str) -> Result<C, Problem> {
        let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
            // `none` and whatever else is no signature we know.
            ErrorKind::Json(_) => unauthorized("the token is not signed with HS256"),
            _ => unauthorized("this is not a token"),
        })?;
        if header.alg != Algorithm::HS256 {
            return Err(unauthorized("the token is not signed with HS256"));
        }
        if header.typ.as_deref() != Some(C::KIND.typ) {
            return Err(unauthorized(format!("this is not an {} token", C::KIND.name)));
        }
        let Some(kid) = header.kid else { return Err(unauthorized("the token does not name its key")) };
        let key = self.keys.iter().find(|key| key.kind == C::KIND && key.kid == kid);
        let key = key.ok_or_else(|| unauthorized("the token's key is not known here"))?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[C::KIND.name]);
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<C>(token, &key.verifying, &validation);
        decoded.map(|data| data.claims).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => unauthorized("the token's signature is wrong"),
            ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => {
                unauthorized("the token is for another issuer or audience")
            }
            ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
                unauthorized("the token's claims are missing or wrong")
            }
            _ => unauthorized("this is not a token"),
        })
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (key.kind.name, &key.kid))).finish()
    }
}

impl Key {
    fn new(kind: TokenKind, kid: &str, secret: &[u8]) -> Self {
        let header = Header { typ: Some(kind.typ.into()), kid: Some(kid.into()), ..Header::new(Algorithm::HS256) };
        let signing = EncodingKey::from_secret(secret);
        let sample = jsonwebtoken::encode(&header, &0, &signing).expect("the key is HMAC");
        let dot = sample.find('.').expect("a token has two dots");
        Self {
            kind,
            kid: kid.into(),
            prefix: sample[..=dot].into(),
            header,
            signing,
            verifying: DecodingKey::from_secret(secret),
        }
    }

    /// Of a token that begins with `prefix`; `None` when anything is wrong with it.
    fn claims<C: Claims>(&self, token: &str) -> Option<C> {
        let (message, signature) = token.rsplit_once('.')?;
        let is_ours = crypto::verify(signature, message.as_bytes(), &self.verifying, Algorithm::HS256).ok()?;
        if is_ours { dangerous::insecure_decode_claims(token).ok() } else { None }
    }
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

/// The `exp` of a token that is signed now.
pub fn expiry(now: Timestamp, ttl_ms: i64) -> i64 {
    now.plus_ms(ttl_ms).0.div_euclid(1_000).saturating_add(1)
}

fn secret(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
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
