//! One key's signatures, of whichever algorithm its kind has.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{SigningKey, VerifyingKey};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};

use crate::kit::http::auth::Signature;

/// What signs, as it is listed: a secret, or the seed of a pair.
pub(super) struct Secret {
    bytes: [u8; 32],
    signer: Signer,
}

enum Signer {
    Hmac(EncodingKey),
    Ed25519(Box<SigningKey>),
}

#[derive(Clone)]
pub(super) enum Verifier {
    Hmac(DecodingKey),
    Ed25519(Box<VerifyingKey>),
}

impl Signature {
    pub(super) fn algorithm(self) -> Algorithm {
        match self {
            Self::Shared => Algorithm::HS256,
            Self::Public { .. } => Algorithm::EdDSA,
        }
    }

    /// As a token's header has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Shared => "HS256",
            Self::Public { .. } => "EdDSA",
        }
    }
}

impl Secret {
    pub(super) fn new(signature: Signature, bytes: [u8; 32]) -> Self {
        let signer = match signature {
            Signature::Shared => Signer::Hmac(EncodingKey::from_secret(&bytes)),
            Signature::Public { .. } => Signer::Ed25519(Box::new(SigningKey::from_bytes(&bytes))),
        };
        Self { bytes, signer }
    }

    pub(super) fn verifier(&self) -> Verifier {
        match &self.signer {
            Signer::Hmac(_) => Verifier::Hmac(DecodingKey::from_secret(&self.bytes)),
            Signer::Ed25519(key) => Verifier::Ed25519(Box::new(key.verifying_key())),
        }
    }

    /// In base64, as a token ends.
    pub(super) fn sign(&self, message: &[u8]) -> String {
        use ed25519_dalek::Signer as _;
        match &self.signer {
            Signer::Hmac(key) => crypto::sign(message, key, Algorithm::HS256).expect("the key is HMAC"),
            Signer::Ed25519(key) => URL_SAFE_NO_PAD.encode(key.sign(message).to_bytes()),
        }
    }

    /// A digest that cannot be made without the secret, whatever it signs with.
    pub(super) fn digest(&self, message: &[u8]) -> [u8; 32] {
        use sha2::Digest;
        // No token's signed part holds a line feed: a digest is never a signature.
        let message = [b"digest\n", message].concat();
        let mac = crypto::sign(&message, &EncodingKey::from_secret(&self.bytes), Algorithm::HS256);
        sha2::Sha256::digest(mac.expect("the key is HMAC")).into()
    }
}

impl Verifier {
    /// `None` for what is no point of the curve, or one that would take signatures that were never made.
    pub(super) fn from_public(bytes: &[u8; 32]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())?;
        Some(Self::Ed25519(Box::new(key)))
    }

    /// What anybody may know of it, if there is such a thing.
    pub(super) fn public(&self) -> Option<&[u8; 32]> {
        match self {
            Self::Hmac(_) => None,
            Self::Ed25519(key) => Some(key.as_bytes()),
        }
    }

    pub(super) fn is_signed(&self, message: &str, signature: &str) -> bool {
        match self {
            Self::Hmac(key) => crypto::verify(signature, message.as_bytes(), key, Algorithm::HS256).unwrap_or(false),
            Self::Ed25519(key) => {
                let bytes = URL_SAFE_NO_PAD.decode(signature).ok();
                let signature = bytes.and_then(|bytes| ed25519_dalek::Signature::from_slice(&bytes).ok());
                signature.is_some_and(|signature| key.verify_strict(message.as_bytes(), &signature).is_ok())
            }
        }
    }
}
