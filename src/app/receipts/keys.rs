//! Keys of receipts: Ed25519, so that who checks a receipt needs nothing secret. The first signs and all verify, so that keys can
//! be changed without a gap: a receipt is good for as long as its key is published.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::receipts::KeyId;

/// Keys in one list, at most.
const KEYS_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    #[error("receipt key {0} of the list is not of the form kid:seed")]
    Form(usize),
    #[error("receipt key {0} of the list needs a kid of one to four letters or digits")]
    Kid(usize),
    #[error("receipt key {0} of the list needs a seed of 64 hexadecimal digits")]
    Seed(usize),
    #[error("receipt key {0} of the list is no Ed25519 public key")]
    Public(usize),
    #[error("receipt key {0} of the list repeats a kid or a key")]
    Repeated(usize),
    #[error("there must be 1 to {KEYS_MAX} receipt keys")]
    Count,
    #[error("this is not a list of public keys (JWKS)")]
    Jwks,
}

/// Signs, and knows every key that verifies.
pub struct ReceiptKeys {
    kid: KeyId,
    signing: SigningKey,
    public: PublicKeys,
}

/// What anybody may know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKeys(Vec<(KeyId, VerifyingKey)>);

impl ReceiptKeys {
    /// Reads `kid:64 hex,kid:64 hex,…`.
    pub fn parse(text: &str) -> Result<Self, KeysError> {
        let mut all = Vec::new();
        for (place, entry) in text.split(',').enumerate().map(|(index, entry)| (index + 1, entry.trim())) {
            let (kid, seed) = entry.split_once(':').ok_or(KeysError::Form(place))?;
            let kid: KeyId = kid.parse().map_err(|_| KeysError::Kid(place))?;
            all.push((kid, SigningKey::from_bytes(&seed_from(seed).ok_or(KeysError::Seed(place))?)));
        }
        let public = PublicKeys::checked(all.iter().map(|(kid, key)| (*kid, key.verifying_key())).collect())?;
        let (kid, signing) = all.swap_remove(0);
        Ok(Self { kid, signing, public })
    }

    pub fn public(&self) -> &PublicKeys {
        &self.public
    }

    pub(super) fn signer(&self) -> (KeyId, &SigningKey) {
        (self.kid, &self.signing)
    }
}

impl std::fmt::Debug for ReceiptKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.public.0.iter().map(|(kid, _)| kid)).finish()
    }
}

/// RFC 8037: an Ed25519 key is of type OKP, and `x` is its 32 bytes.
#[derive(Serialize, Deserialize, ToSchema)]
struct Jwk {
    #[schema(pattern = "^OKP$")]
    kty: String,
    #[schema(pattern = "^Ed25519$")]
    crv: String,
    kid: String,
    x: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    alg: Option<String>,
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    purpose: Option<String>,
}

#[derive(Serialize, Deserialize, ToSchema)]
#[schema(as = Keys)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

impl PublicKeys {
    fn checked(keys: Vec<(KeyId, VerifyingKey)>) -> Result<Self, KeysError> {
        if keys.is_empty() || keys.len() > KEYS_MAX {
            return Err(KeysError::Count);
        }
        let (mut kids, mut seen) = (HashSet::new(), HashSet::new());
        for (index, (kid, key)) in keys.iter().enumerate() {
            if !kids.insert(*kid) || !seen.insert(key.to_bytes()) {
                return Err(KeysError::Repeated(index + 1));
            }
        }
        Ok(Self(keys))
    }

    pub fn find(&self, kid: KeyId) -> Option<&VerifyingKey> {
        self.0.iter().find(|(known, _)| *known == kid).map(|(_, key)| key)
    }

    pub fn to_jwks(&self) -> Jwks {
        let jwk = |(kid, key): &(KeyId, VerifyingKey)| Jwk {
            kty: "OKP".into(),
            crv: "Ed25519".into(),
            kid: kid.to_string(),
            x: URL_SAFE_NO_PAD.encode(key.as_bytes()),
            alg: Some("EdDSA".into()),
            purpose: Some("sig".into()),
        };
        Jwks { keys: self.0.iter().map(jwk).collect() }
    }

    pub fn from_jwks(jwks: &Jwks) -> Result<Self, KeysError> {
        let mut keys = Vec::new();
        for (index, jwk) in jwks.keys.iter().enumerate() {
            let place = index + 1;
            if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
                return Err(KeysError::Public(place));
            }
            let kid = jwk.kid.parse().map_err(|_| KeysError::Kid(place))?;
            let bytes = URL_SAFE_NO_PAD.decode(&jwk.x).map_err(|_| KeysError::Public(place))?;
            let bytes: [u8; 32] = bytes.try_into().map_err(|_| KeysError::Public(place))?;
            let key = VerifyingKey::from_bytes(&bytes).map_err(|_| KeysError::Public(place))?;
            // A weak key would accept signatures that were never made with it.
            if key.is_weak() {
                return Err(KeysError::Public(place));
            }
            keys.push((kid, key));
        }
        Self::checked(keys)
    }

    pub fn from_json(text: &str) -> Result<Self, KeysError> {
        Self::from_jwks(&serde_json::from_str(text).map_err(|_| KeysError::Jwks)?)
    }
}

fn seed_from(hex: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).ok()?.try_into().ok()
}
