//! A receipt proves, unit by unit, who may have what was bought. The proof of a unit is small enough for a QR code and names only
//! what never changes: sale, unit and reservation. Whether the unit is still that reservation's is for the ledger to say, so a
//! receipt that is printed again, or after another of its units was refunded, carries the same proofs.

pub mod holder;

use std::fmt;
use std::str::FromStr;

use crate::domain::money::order::Order;
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::locale::Locale;
use crate::domain::shared::time::Timestamp;

/// One unit of one reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Proof {
    pub sale: SaleId,
    pub unit: u32,
    pub reservation: ReservationId,
}

/// Which key signed: one to four letters or digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 4]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    #[error("its version is not known here")]
    Version,
    #[error("it does not name a key")]
    Key,
}

impl Proof {
    /// What is signed: 1 version, 4 key, 8 sale, 4 unit, 16 reservation.
    pub const BYTES: usize = 33;
    const VERSION: u8 = 1;

    pub fn to_bytes(self, key: KeyId) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[0] = Self::VERSION;
        bytes[1..5].copy_from_slice(&key.0);
        bytes[5..13].copy_from_slice(&self.sale.0.to_be_bytes());
        bytes[13..17].copy_from_slice(&self.unit.to_be_bytes());
        bytes[17..].copy_from_slice(&self.reservation.to_bytes());
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<(KeyId, Self), ProofError> {
        if bytes[0] != Self::VERSION {
            return Err(ProofError::Version);
        }
        let key = KeyId::from_bytes(bytes[1..5].try_into().expect("four bytes")).ok_or(ProofError::Key)?;
        let proof = Self {
            sale: SaleId(u64::from_be_bytes(bytes[5..13].try_into().expect("eight bytes"))),
            unit: u32::from_be_bytes(bytes[13..17].try_into().expect("four bytes")),
            reservation: ReservationId::from_bytes(bytes[17..].try_into().expect("sixteen bytes")),
        };
        Ok((key, proof))
    }
}

impl KeyId {
    /// Letters and digits, then nothing but zeros: a key has one spelling.
    fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(4);
        let plain = bytes[..length].iter().all(u8::is_ascii_alphanumeric);
        let padded = bytes[length..].iter().all(|byte| *byte == 0);
        (length > 0 && plain && padded).then_some(Self(bytes))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's id is one to four letters or digits")]
pub struct KeyIdError;

impl FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, KeyIdError> {
        if text.bytes().any(|byte| byte == 0) {
            return Err(KeyIdError);
        }
        let mut bytes = [0; 4];
        bytes.get_mut(..text.len()).ok_or(KeyIdError)?.copy_from_slice(text.as_bytes());
        Self::from_bytes(bytes).ok_or(KeyIdError)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take_while(|byte| **byte != 0).try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// One admission: a person went in with a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    pub proof: Proof,
    /// When, by the clock of the gate that admitted it.
    pub at: Timestamp,
    /// Where, in the operators' words; may be empty.
    pub gate: String,
    pub source: Source,
}

/// Which device wrote an admission down while it was away from the shop, and as its how manyeth. The shop's own have no device.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    pub device: String,
    pub sequence: u64,
}

impl Admission {
    /// Of two admissions of one unit the earlier stands; between those of one moment any order will do, if it is always the same.
    pub fn is_before(&self, other: &Admission) -> bool {
        (self.at, &self.source) < (other.at, &other.source)
    }
}

/// An admission that was taken back. Who let in and who took it back are accounts; nobody, where none was written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undone {
    pub admission: Admission,
    pub admitted_by: Option<BuyerId>,
    pub at: Timestamp,
    pub by: Option<BuyerId>,
}

/// Where the order's receipt in a language is kept. Each refund makes it another one.
pub fn archive_key(order: &Order, locale: Locale) -> String {
    let language = locale.tag().to_ascii_lowercase();
    format!("{}{}-{language}.pdf", archive_prefix(&order.number), order.refunded_units.len())
}

/// How the keys of all receipts of an order begin.
pub fn archive_prefix(number: &str) -> String {
    format!("{ARCHIVE}{}-", number.to_ascii_lowercase())
}

/// How the keys of all receipts begin.
pub const ARCHIVE: &str = "receipts/";
