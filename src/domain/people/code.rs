//! A code in a mail: six digits that prove, once, that an address is read by whoever asked. It is good together with the ticket alone
//! that the browser got which asked, so that a code that somebody was talked out of opens nothing elsewhere.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::domain::shared::id::CodeId;

/// How long a code is good, in milliseconds.
pub const CODE_MS_MAX: i64 = 600_000;
/// Tries of one code: of a million, so that guessing is hopeless.
pub const CODE_TRIES_MAX: u32 = 5;
const CODES: u32 = 1_000_000;

/// Six digits; it is shown to nobody but the owner of the address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code(u32);

impl Code {
    /// `chance` must come from a good source. One of 2^64 numbers to a million: none is likelier by more than one in 10^13.
    pub fn by(chance: u64) -> Self {
        Self((chance % u64::from(CODES)) as u32)
    }

    pub fn number(self) -> u32 {
        self.0
    }

    pub fn of_number(number: u32) -> Option<Self> {
        (number < CODES).then_some(Self(number))
    }

    /// As people type and paste it: with or without a gap.
    pub fn read(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let is_whole = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_whole.then(|| digits.parse().ok()).flatten().and_then(Self::of_number)
    }

    /// For people: in two groups.
    pub fn said(self) -> String {
        format!("{:03} {:03}", self.0 / 1_000, self.0 % 1_000)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// What the browser keeps that asked for a code: which one, and a secret beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    pub code: CodeId,
    secret: [u8; 16],
}

impl Ticket {
    /// Both numbers must come from a good source.
    pub fn new(code: CodeId, secret: [u8; 16]) -> Self {
        Self { code, secret }
    }

    pub fn read(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (code, secret) = bytes.split_at(16);
        Some(Self { code: CodeId::from_bytes(code.try_into().ok()?), secret: secret.try_into().ok()? })
    }

    pub fn written(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode([self.code.to_bytes(), self.secret].concat())
    }

    /// What is kept of the secret.
    pub fn digest(&self) -> TicketDigest {
        TicketDigest(Sha256::digest(self.secret).into())
    }
}

/// Of 128 bits of chance, so that a plain hash gives none of them away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TicketDigest(pub [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_six_digits() {
        for (text, number) in [("000000", 0), (" 123 456\n", 123_456), ("999999", 999_999)] {
            assert_eq!(Code::read(text).map(Code::number), Some(number), "{text:?}");
        }
        for text in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-12345", "+12345"] {
            assert_eq!(Code::read(text), None, "{text:?}");
        }
        assert_eq!(Code::by(1_000_007).said(), "000 007");
        assert_eq!(format!("{:?}", Code::by(7)), "Code(…)");
        assert_eq!((Code::of_number(999_999).is_some(), Code::of_number(1_000_000)), (true, None));
    }

    #[test]
    fn a_ticket_reads_as_it_was_written() {
        let ticket = Ticket::new(CodeId(7 << 90), [9; 16]);
        let text = ticket.written();
        assert_eq!(text.len(), 43);
        assert!(Ticket::read(&text) == Some(ticket.clone()));
        assert!(Ticket::new(CodeId(7 << 90), [8; 16]).digest() != ticket.digest());
        for text in ["", "x", &text[1..], &format!("{text}A"), &text.replace(|c: char| c.is_alphabetic(), "/")] {
            assert!(Ticket::read(text).is_none(), "{text}");
        }
    }
}
