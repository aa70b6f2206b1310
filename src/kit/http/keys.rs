//! Lists of keys, and the tokens that they sign and verify. The key is found by its `kid`; the first key of a kind signs and all of
//! them verify, so that keys can be changed without a gap.
//!
//! Who has [`SigningKeys`] has secrets. [`VerifyingKeys`] of a kind that is signed with EdDSA have none.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, dangerous};

use crate::domain::shared::time::Timestamp;
use crate::kit::http::auth::{Claims, Signature, TOKEN_BYTES_MAX, TokenKind, not_expired, unauthorized, until};
use crate::kit::http::problem::Problem;
use crate::kit::http::seal::{Secret, Verifier};

const KID_BYTES_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("key {0} of the list is not of the form kind:kid:digits")]
    Form(usize),
    #[error("key {0} of the list is of no kind of token that there is")]
    Kind(usize),
    #[error("key {0} of the list is of the kind `{1}`, which this process has no business with")]
    Foreign(usize, &'static str),
    #[error("key {0} of the list needs a kid of 1 to {KID_BYTES_MAX} letters, digits, - or _")]
    Kid(usize),
    #[error("key {0} of the list needs 64 hexadecimal digits")]
    Digits(usize),
    #[error("key {0} of the list is no Ed25519 public key")]
    Public(usize),
    #[error("key {0} of the list repeats a kid or a key")]
    Repeated(usize),
    #[error("there is no key of the kind `{0}`")]
    Missing(&'static str),
}

/// What verifies: all that a process has which signs nothing.
#[derive(Clone)]
pub struct VerifyingKeys(Vec<Key>);

/// What signs, in the order of what verifies it.
pub struct SigningKeys {
    secrets: Vec<Secret>,
    verifying: VerifyingKeys,
}

#[derive(Clone)]
struct Key {
    kind: TokenKind,
    kid: String,
    /// How every token that this key signed begins: its header in base64, and the dot.
    prefix: String,
    verifier: Verifier,
}

struct Entry<'a> {
    place: usize,
    kind: TokenKind,
    kid: &'a str,
    bytes: [u8; 32],
}

/// Reads `<name>:<kid>:<64 hex>,…`: at least one of each of these names and of no other, no kid or digits twice. One of `others` is
/// refused by its name.
fn entries<'a>(
    text: &'a str,
    names: &[(&'static str, TokenKind)],
    others: &[&'static str],
) -> Result<Vec<Entry<'a>>, KeysError> {
    let (mut entries, mut kids, mut seen) = (Vec::new(), HashSet::new(), HashSet::new());
    for (place, entry) in text.split(',').enumerate().map(|(index, entry)| (index + 1, entry.trim())) {
        let mut parts = entry.split(':');
        let (Some(name), Some(kid), Some(hex), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(KeysError::Form(place));
        };
        if let Some(other) = others.iter().find(|other| **other == name) {
            return Err(KeysError::Foreign(place, other));
        }
        let (_, kind) = *names.iter().find(|(known, _)| *known == name).ok_or(KeysError::Kind(place))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if kid.is_empty() || kid.len() > KID_BYTES_MAX || !kid.bytes().all(plain) {
            return Err(KeysError::Kid(place));
        }
        let bytes = digits(hex).ok_or(KeysError::Digits(place))?;
        if !kids.insert(kid) || !seen.insert(bytes) {
            return Err(KeysError::Repeated(place));
        }
        entries.push(Entry { place, kind, kid, bytes });
    }
    let is_there = |kind: TokenKind| entries.iter().any(|entry: &Entry| entry.kind == kind);
    match names.iter().find(|(_, kind)| !is_there(*kind)) {
        Some((missing, _)) => Err(KeysError::Missing(missing)),
        None => Ok(entries),
    }
}

fn digits(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}

impl SigningKeys {
    /// Reads `<kind>:<kid>:<64 hex>,…`: secrets, and seeds of pairs. Keys of these others are refused by their name.
    pub fn parse(text: &str, kinds: &[TokenKind], others: &[&'static str]) -> Result<Self, KeysError> {
        let names: Vec<_> = kinds.iter().map(|kind| (kind.name, *kind)).collect();
        let (mut secrets, mut keys) = (Vec::new(), Vec::new());
        for Entry { kind, kid, bytes, .. } in entries(text, &names, others)? {
            let secret = Secret::new(kind.signature, bytes);
            keys.push(Key::new(kind, kid, secret.verifier()));
            secrets.push(secret);
        }
        Ok(Self { secrets, verifying: VerifyingKeys(keys) })
    }

    /// What verifies tokens of one kind.
    pub fn verifying(&self, kind: TokenKind) -> VerifyingKeys {
        VerifyingKeys(self.verifying.0.iter().filter(|key| key.kind == kind).cloned().collect())
    }

    /// A digest that cannot be made or tried without our keys, by each key of this kind; the one that signs comes first.
    pub fn digests(&self, kind: TokenKind, message: &[u8]) -> Vec<[u8; 32]> {
        self.of(kind).map(|(_, secret)| secret.digest(message)).collect()
    }

    pub fn sign<C: Claims>(&self, claims: &C) -> String {
        let (key, secret) = self.of(C::KIND).next().expect("there is a key of each kind");
        let claims = serde_json::to_vec(claims).expect("claims are JSON");
        let message = format!("{}{}", key.prefix, URL_SAFE_NO_PAD.encode(claims));
        let signature = secret.sign(message.as_bytes());
        format!("{message}.{signature}")
    }

    /// The claims of a token that has not expired.
    pub fn verify<C: Claims>(&self, token: &str, now: Timestamp) -> Result<C, Problem> {
        let claims: C = self.verifying.verify_ever(token)?;
        not_expired(until(&claims), now)?;
        Ok(claims)
    }

    fn of(&self, kind: TokenKind) -> impl Iterator<Item = (&Key, &Secret)> {
        self.verifying.0.iter().zip(&self.secrets).filter(move |(key, _)| key.kind == kind)
    }
}

impl VerifyingKeys {
    /// Reads `<listed_as>:<kid>:<64 hex>,…`: the public keys of one kind. Others are refused by their name.
    pub fn parse(text: &str, kind: TokenKind, others: &[&'static str]) -> Result<Self, KeysError> {
        let Signature::Public { listed_as } = kind.signature else { return Err(KeysError::Missing(kind.name)) };
        let key = |Entry { place, kid, bytes, .. }: Entry<'_>| {
            let verifier = Verifier::from_public(&bytes).ok_or(KeysError::Public(place))?;
            Ok::<_, KeysError>(Key::new(kind, kid, verifier))
        };
        entries(text, &[(listed_as, kind)], others)?.into_iter().map(key).collect::<Result<_, _>>().map(Self)
    }

    /// The public keys among them, as they are listed for who verifies.
    pub fn listed(&self) -> String {
        let entry = |key: &Key| match (key.kind.signature, key.verifier.public()) {
            (Signature::Public { listed_as }, Some(public)) => {
                Some(format!("{listed_as}:{}:{}", key.kid, HEXLOWER.encode(public)))
            }
            _ => None,
        };
        self.0.iter().filter_map(entry).collect::<Vec<_>>().join(",")
    }

    /// The claims, whenever they expire: that is for the caller to judge.
    ///
    /// Tokens that begin exactly as our own do are verified without reading their header; all others go the long way, which
    /// also says what is wrong.
    pub fn verify_ever<C: Claims>(&self, token: &str) -> Result<C, Problem> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(unauthorized("the token is too long"));
        }
        let own = self.0.iter().find(|key| key.kind == C::KIND && token.starts_with(&key.prefix));
        match own {
            Some(key) => key.claims(token),
            None => self.by_header::<C>(token)?.claims(token),
        }
    }

    #[cold]
    fn by_header<C: Claims>(&self, token: &str) -> Result<&Key, Problem> {
        let signature = C::KIND.signature;
        let not_so = || unauthorized(format!("the token is not signed with {}", signature.name()));
        let header = jsonwebtoken::decode_header(token).map_err(|error| match error.kind() {
            // `none` and whatever else is no signature we know.
            ErrorKind::Json(_) => not_so(),
            _ => unauthorized("this is not a token"),
        })?;
        if header.alg != signature.algorithm() {
            return Err(not_so());
        }
        if header.typ.as_deref() != Some(C::KIND.typ) {
            return Err(unauthorized(format!("this is not an {} token", C::KIND.name)));
        }
        let Some(kid) = header.kid else { return Err(unauthorized("the token does not name its key")) };
        let key = self.0.iter().find(|key| key.kind == C::KIND && key.kid == kid);
        key.ok_or_else(|| unauthorized("the token's key is not known here"))
    }
}

impl std::fmt::Debug for VerifyingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| (key.kind.name, &key.kid))).finish()
    }
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.verifying, f)
    }
}

impl Key {
    fn new(kind: TokenKind, kid: &str, verifier: Verifier) -> Self {
        let header = Header::new(kind.signature.algorithm());
        let header = Header { typ: Some(kind.typ.into()), kid: Some(kid.into()), ..header };
        let header = serde_json::to_vec(&header).expect("a header is JSON");
        Self { kind, kid: kid.into(), prefix: format!("{}.", URL_SAFE_NO_PAD.encode(header)), verifier }
    }

    /// What a token says that this key signed. The types of issuer and audience have one value each: claims that can be read are
    /// meant for us.
    fn claims<C: Claims>(&self, token: &str) -> Result<C, Problem> {
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| unauthorized("this is not a token"))?;
        if !self.verifier.is_signed(message, signature) {
            return Err(unauthorized("the token's signature is wrong"));
        }
        let claims = dangerous::insecure_decode_claims(token);
        claims.map_err(|_| unauthorized("the token's claims are missing or wrong"))
    }
}
