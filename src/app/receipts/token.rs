//! The token of a unit: what its QR code holds. A proof and its signature, and nothing else: [`PREFIX`], which says how it is written,
//! and [`letters`]. 177 characters, which the code's form for capital letters holds in 45 × 45 squares; in bytes they took 49 × 49.
//!
//! What is read may be what became of it on its way: in small letters, in groups, through a French keyboard. What it means is one
//! thing in any case: whatever is longer, shorter, of another version, or too large for its bytes, is refused before a key is asked.
//! Tokens as they were written first, in base64url, are read as well.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer};

use crate::app::receipts::keys::{PublicKeys, ReceiptKeys};
use crate::app::receipts::letters;
use crate::domain::receipts::{Proof, ProofError};

/// Goes before what is signed, so that no signature of ours means anything elsewhere.
const CONTEXT: &[u8] = b"miaosha receipt\0";
const SIGNATURE_BYTES: usize = 64;
const BYTES: usize = Proof::BYTES + SIGNATURE_BYTES;
/// A ticket in letters. Another way to write one would begin in another way.
pub const PREFIX: &str = "TB";
/// Characters of a token.
pub const TOKEN_CHARS: usize = PREFIX.len() + letters::count(BYTES);
/// Characters of one that was written in base64url.
const FIRST_CHARS: usize = BYTES.div_ceil(3) * 4 - 2;
/// Bytes of what may be read as a token: there is room for gaps and for what other keyboards make of it.
pub const TYPED_BYTES_MAX: usize = 500;

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
    PREFIX.to_owned() + &letters::write(&[&payload[..], &signature.to_bytes()].concat())
}

/// Needs no network and no secret.
pub fn verify(typed: &str, keys: &PublicKeys) -> Result<Proof, TokenError> {
    if typed.len() > TYPED_BYTES_MAX {
        return Err(TokenError::Form);
    }
    let typed = typed.trim();
    if typed.len() == FIRST_CHARS {
        // A caps lock turned every letter, or there was none: one of two readings.
        let read = |text: &str| check(&first_bytes(text)?, keys);
        return read(typed).or_else(|error| read(&turned(typed)).map_err(|_| error));
    }
    let plain = letters::plain(typed).ok_or(TokenError::Form)?;
    let letters = plain.strip_prefix(PREFIX).ok_or(TokenError::Form)?;
    check(&letters::read(letters).ok_or(TokenError::Form)?, keys)
}

fn check(bytes: &[u8; BYTES], keys: &PublicKeys) -> Result<Proof, TokenError> {
    let (payload, signature) = bytes.split_at(Proof::BYTES);
    let payload: &[u8; Proof::BYTES] = payload.try_into().expect("cut there");
    let (kid, proof) = Proof::from_bytes(payload)?;
    let key = keys.find(kid).ok_or(TokenError::Key)?;
    let signature = Signature::from_slice(signature).map_err(|_| TokenError::Signature)?;
    // Strict: of the signatures that some verifiers would let pass for one message, this one takes exactly one.
    key.verify_strict(&message(payload), &signature).map_err(|_| TokenError::Signature)?;
    Ok(proof)
}

/// This engine takes one spelling of each value: no padding, and no stray bits at the end.
fn first_bytes(token: &str) -> Result<[u8; BYTES], TokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| TokenError::Form)?;
    bytes.try_into().map_err(|_| TokenError::Form)
}

fn turned(text: &str) -> String {
    let turn = |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
    text.chars().map(turn).collect()
}

fn message(payload: &[u8; Proof::BYTES]) -> Vec<u8> {
    [CONTEXT, payload].concat()
}
