//! Tokens: JWTs of distinct kinds, each with its own type, audience and keys, so that one kind is never taken for another.
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

use crate::domain::people::Role;
use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::kit::http::problem::{Kind, Problem};

/// Clocks of those who sign and those who verify may differ by this much.
pub const LEEWAY_S: i64 = 5;
/// Bytes of a token; no token of ours comes near.
pub const TOKEN_BYTES_MAX: usize = 2_048;

const ISSUER: &str = "miaosha";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TokenKind {
    Access,
    Checkout,
}

impl TokenKind {
    fn name(self) -> &'static str {
        match self {
            TokenKind::Access => "access",
            TokenKind::Checkout => "checkout",
        }
    }

    /// The header's `typ`.
    fn typ(self) -> &'static str {
        match self {
            TokenKind::Access => "access+jwt",
            TokenKind::Checkout => "checkout+jwt",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    pub buyer: BuyerId,
    pub role: Role,
    /// A log-out everywhere ends the earlier ones.
    pub epoch: u64,
}

impl Principal {
    pub fn operator(self) -> Result<Self, Problem> {
        match self.role {
            Role::Operator => Ok(self),
            Role::Shopper => Err(Problem::new(Kind::Forbidden, "only operators may do this")),
        }
    }
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Issuer {
    #[serde(rename = "miaosha")]
    Miaosha,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessAudience {
    #[serde(rename = "access")]
    Access,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckoutAudience {
    #[serde(rename = "checkout")]
    Checkout,
}

/// Issuer and audience are types of one value each: claims that can be read are claims meant for us.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessClaims {
    pub iss: Issuer,
    pub aud: AccessAudience,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sub: u64,
    pub role: Role,
    /// Left out where it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
    /// Seconds since 1970.
    pub exp: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CheckoutClaims {
    pub iss: Issuer,
    pub aud: CheckoutAudience,
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub sub: u64,
    pub reservation: ReservationId,
    pub exp: i64,
}

trait Claims: Serialize + DeserializeOwned {
    const KIND: TokenKind;
    fn exp(&self) -> i64;
}

impl Claims for AccessClaims {
    const KIND: TokenKind = TokenKind::Access;
    fn exp(&self) -> i64 {
        self.exp
    }
}

impl Claims for CheckoutClaims {
    const KIND: TokenKind = TokenKind::Checkout;
    fn exp(&self) -> i64 {
        self.exp
    }
}

struct Key {
    kind: TokenKind,
    kid: String,
    /// How every token that this key signed begins: its header in base64, and the dot.
    prefix: String,
    header: Header,
    signing: EncodingKey,
    verifying: DecodingKey,
}

pub struct TokenKeys {
    keys: Vec<Key>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("key {0} of the list is not of the form kind:kid:secret")]
    Form(usize),
    #[error("key {0} of the list is neither for `access` nor for `checkout`")]
    Kind(usize),
    #[error("key {0} of the list needs a kid of 1 to 32 letters, digits, - or _")]
    Kid(usize),
    #[error("key {0} of the list needs a secret of 64 hexadecimal digits")]
    Secret(usize),
    #[error("key {0} of the list repeats a kid or a secret")]
    Repeated(usize),
    #[error("there is no key for `{0}` tokens")]
    Missing(&'static str),
}

impl TokenKeys {
    /// Reads `access:<kid>:<64 hex>,checkout:<kid>:<64 hex>,…`: at least one of each kind, no kid or secret twice.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut keys: Vec<Key> = Vec::new();
        let (mut kids, mut secrets) = (HashSet::new(), HashSet::new());
        for (place, entry) in text.split(',').enumerate().map(|(index, entry)| (index + 1, entry.trim())) {
            let mut parts = entry.split(':');
            let (Some(kind), Some(kid), Some(hex), None) = (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return Err(KeysError::Form(place));
            };
            let kind = match kind {
                "access" => TokenKind::Access,
                "checkout" => TokenKind::Checkout,
                _ => return Err(KeysError::Kind(place)),
            };
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
        for kind in [TokenKind::Access, TokenKind::Checkout] {
            if !keys.iter().any(|key| key.kind == kind) {
                return Err(KeysError::Missing(kind.name()));
            }
        }
        Ok(Self { keys })
    }

    /// Of somebody who has never logged out everywhere.
    pub fn sign_access(&self, buyer: BuyerId, role: Role, now: Timestamp, ttl_ms: i64) -> String {
        self.sign_access_of(Principal { buyer, role, epoch: 0 }, now, ttl_ms)
    }

    pub fn sign_access_of(&self, principal: Principal, now: Timestamp, ttl_ms: i64) -> String {
        let Principal { buyer, role, epoch } = principal;
        let exp = expiry(now, ttl_ms);
        self.sign(&AccessClaims { iss: Issuer::Miaosha, aud: AccessAudience::Access, sub: buyer.0, role, epoch, exp })
    }

    pub fn verify_access(&self, token: &str, now: Timestamp) -> Result<Principal, Problem> {
        principal(&self.verify(token, now)?)
    }

    /// Like [`Self::verify_access`] for who stays: until when it is good is for the caller to judge, again and again.
    pub fn verify_access_until(&self, token: &str) -> Result<(Principal, Timestamp), Problem> {
        let claims: AccessClaims = self.verify(token, Timestamp(i64::MIN))?;
        let until = Timestamp(claims.exp.saturating_add(LEEWAY_S).saturating_mul(1_000));
        Ok((principal(&claims)?, until))
    }

    /// The access token of a request.
    pub fn principal(&self, req: &HttpRequest, now: Timestamp) -> Result<Principal, Problem> {
        self.verify_access(bearer(req)?, now)
    }

    /// Like [`Self::principal`], and an operator.
    pub fn operator(&self, req: &HttpRequest, now: Timestamp) -> Result<Principal, Problem> {
        self.principal(req, now)?.operator()
    }

    pub fn sign_checkout(&self, reservation: ReservationId, buyer: BuyerId, now: Timestamp, ttl_ms: i64) -> String {
        let exp = expiry(now, ttl_ms);
        let aud = CheckoutAudience::Checkout;
        self.sign(&CheckoutClaims { iss: Issuer::Miaosha, aud, sub: buyer.0, reservation, exp })
    }

    pub fn verify_checkout(&self, token: &str, now: Timestamp) -> Result<(ReservationId, BuyerId), Problem> {
        let claims: CheckoutClaims = self.verify(token, now)?;
        Ok((claims.reservation, BuyerId(claims.sub)))
    }

    /// A digest that nobody makes or tries without our keys, by each key for access tokens; the one that signs comes first.
    pub fn digests(&self, message: &[u8]) -> Vec<[u8; 32]> {
        use sha2::Digest;
        // No token's signed part holds a line feed: a digest is never a signature.
        let message = [b"digest\n", message].concat();
        let keys = self.keys.iter().filter(|key| key.kind == TokenKind::Access);
        let sign = |key: &Key| crypto::sign(&message, &key.signing, Algorithm::HS256).expect("the key is HMAC");
        keys.map(|key| sha2::Sha256::digest(sign(key)).into()).collect()
    }

    fn sign<C: Claims>(&self, claims: &C) -> String {
        let key = self.keys.iter().find(|key| key.kind == C::KIND).expect("there is a key of each kind");
        jsonwebtoken::encode(&key.header, claims, &key.signing).expect("claims are JSON and the key is HMAC")
    }

    /// Tokens that begin exactly as our own do are verified without reading their header; all others go the long way, which
    /// also finds the words for what is wrong.
    fn verify<C: Claims>(&self, token: &str, now: Timestamp) -> Result<C, Problem> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(unauthorized("the token is too long"));
        }
        let own = self.keys.iter().find(|key| key.kind == C::KIND && token.starts_with(&key.prefix));
        let claims: C = match own.and_then(|key| key.claims(token)) {
            Some(claims) => claims,
            None => self.verify_slowly(token)?,
        };
        let until = Timestamp(claims.exp().saturating_add(LEEWAY_S).saturating_mul(1_000));
        if now >= until {
            return Err(unauthorized("the token has expired"));
        }
        Ok(claims)
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
        if header.typ.as_deref() != Some(C::KIND.typ()) {
            return Err(unauthorized(format!("this is not an {} token", C::KIND.name())));
        }
        let Some(kid) = header.kid else { return Err(unauthorized("the token does not name its key")) };
        let key = self.keys.iter().find(|key| key.kind == C::KIND && key.kid == kid);
        let key = key.ok_or_else(|| unauthorized("the token's key is not known here"))?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[C::KIND.name()]);
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode::<C>(token, &key.verifying, &validation);
        decoded.map(|data| data.claims).map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => unauthorized("the token's signature is wrong"),
            ErrorKind::InvalidIssuer | ErrorKind::InvalidAudience => {
                unauthorized("the token is meant for somebody else")
            }
            ErrorKind::Json(_) | ErrorKind::MissingRequiredClaim(_) => {
                unauthorized("the token's claims are missing or wrong")
            }
            _ => unauthorized("this is not a token"),
        })
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| (key.kind, &key.kid))).finish()
    }
}

impl Key {
    fn new(kind: TokenKind, kid: &str, secret: &[u8]) -> Self {
        let header = Header { typ: Some(kind.typ().into()), kid: Some(kid.into()), ..Header::new(Algorithm::HS256) };
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

/// Nobody is the house, whatever was signed.
fn principal(claims: &AccessClaims) -> Result<Principal, Problem> {
    let buyer = BuyerId(claims.sub);
    if buyer.is_house() {
        return Err(unauthorized("the token's subject is reserved"));
    }
    Ok(Principal { buyer, role: claims.role, epoch: claims.epoch })
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

fn unauthorized(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::field("Authorization", Kind::Unauthorized, detail)
}

fn expiry(now: Timestamp, ttl_ms: i64) -> i64 {
    now.plus_ms(ttl_ms).0.div_euclid(1_000).saturating_add(1)
}

fn secret(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

fn to_text<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
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
