//! The token of a unit: what its QR code holds. A proof and its signature, in base64url, and nothing else: 130 characters.
//!
//! There is one spelling of each token. Whatever is longer, shorter, padded, of another version, or has a bit that does not count,
//! is refused before a key is asked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer};

use crate::domain::receipt::{Proof, ProofError};
use crate::services::receipts::keys::{PublicKeys, ReceiptKeys};

/// Goes before what is signed, so that no signature of ours means anything elsewhere.
const CONTEXT: &[u8] = b"miaosha receipt\0";
const SIGNATURE_BYTES: usize = 64;
const BYTES: usize = Proof::BYTES + SIGNATURE_BYTES;
/// Characters of a token.
pub const TOKEN_CHARS: usize = BYTES.div_ceil(3) * 4 - 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("this is not a receipt's token")]
    Form,
    #[error("this is not a receipt's token: {0}")]
    Proof(#[from] ProofError),
    #[error("the token's key is not known here")]
    Key,
    #[error("the token's signature is wrong")]
    Signature,
}

pub fn sign(proof: Proof, keys: &ReceiptKeys) -> String {
    let (kid, key) = keys.signer();
    let payload = proof.to_bytes(kid);
    let signature = key.sign(&message(&payload));
    URL_SAFE_NO_PAD.encode([&payload[..], &signature.to_bytes()].concat())
}

/// Needs no network and no secret.
pub fn verify(token: &str, keys: &PublicKeys) -> Result<Proof, TokenError> {
    if token.len() != TOKEN_CHARS {
        return Err(TokenError::Form);
    }
    // This engine takes one spelling of each value: no padding, and no stray bits at the end.
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Form)?;
    let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| TokenError::Form)?;
    let (payload, signature) = bytes.split_at(Proof::BYTES);
    let payload: &[u8; Proof::BYTES] = payload.try_into().expect("cut there");
    let (kid, proof) = Proof::from_bytes(payload)?;
    let key = keys.find(kid).ok_or(TokenError::Key)?;
    let signature = Signature::from_slice(signature).map_err(|_| TokenError::Signature)?;
    // Strict: of the signatures that some verifiers would let pass for one message, this one takes exactly one.
    key.verify_strict(&message(payload), &signature).map_err(|_| TokenError::Signature)?;
    Ok(proof)
}

fn message(payload: &[u8; Proof::BYTES]) -> Vec<u8> {
    [CONTEXT, payload].concat()
}
