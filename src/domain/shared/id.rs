//! Ids. A reservation carries the id of the attempt that created it, so that the holder of a 202 can ask for its outcome,
//! and a redelivered batch makes the same ids again.

use std::fmt;
use std::str::FromStr;

/// Attempts in one batch, at most: an attempt's id is its batch's and its place there.
pub const BATCH_MAX: usize = 1024;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha1::{Digest, Sha1};

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u128);

        impl $name {
            pub fn to_bytes(self) -> [u8; 16] {
                self.0.to_be_bytes()
            }

            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(u128::from_be_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let plain = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if !plain {
                    return Err(IdError);
                }
                u128::from_str_radix(text, 16).map(Self).map_err(|_| IdError)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// From here on, and below twice this, buyers are the house. In the ledgers, which store the bit pattern, they are the highest.
pub const HOUSE_FIRST: u64 = 1 << 62;
/// From here on, and below twice this, buyers are people without an account.
pub const WALK_IN_FIRST: u64 = 1 << 61;

/// What an id that came from outside looked like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 lower-case hexadecimal digits")]
pub struct IdError;

number_id!(
    /// One timed selling of an item.
    SaleId
);
number_id!(
    /// What is sold.
    ItemId
);
number_id!(
    /// Who buys. Opaque to the kernel: the signer of access tokens decides what it means.
    BuyerId
);

hex_id!(
    /// One message of attempts: 48 bits of milliseconds, 64 of chance, and 16 zero bits that index its attempts.
    BatchId
);
hex_id!(
    /// One buyer's try: its batch's id plus its place in the batch.
    AttemptId
);
hex_id!(
    /// One buyer's standing. The same number as that of the attempt that created it.
    ReservationId
);
hex_id!(
    /// One opening of a payment. A reservation may see several, and at most one is captured.
    PaymentId
);
hex_id!(
    /// One giving back of money, of all of a payment or of a part. The provider is asked with it, so that asking twice is once.
    RefundId
);
hex_id!(
    /// A request whose effect must happen once: what it makes is written under this id.
    RequestId
);
hex_id!(
    /// Whatever goes from process to process and may be traced. The same number as the attempt's and its reservation's.
    TracedId
);
hex_id!(
    /// One log-in: what its tokens name.
    SessionId
);
hex_id!(
    /// A code that was mailed to prove an address.
    CodeId
);
hex_id!(
    /// Something that happened. It follows from what happened, so that writing it twice is once.
    EventId
);

impl BuyerId {
    /// The house's own: one for each attempt of a block. No account and no token ever has such an id.
    pub fn house(block: BatchId, part: u32) -> Self {
        let digest = Sha1::new().chain_update(block.to_bytes()).chain_update(part.to_be_bytes()).finalize();
        let number = u64::from_be_bytes(digest[..8].try_into().expect("a digest is 20 bytes"));
        Self(HOUSE_FIRST | number >> 2)
    }

    pub fn is_house(self) -> bool {
        (HOUSE_FIRST..HOUSE_FIRST << 1).contains(&self.0)
    }

    /// Somebody without an account, out of this much chance. Nobody else has the number, and who knows it is believed to be its owner.
    pub fn walk_in(chance: u64) -> Self {
        Self(WALK_IN_FIRST | chance >> 3)
    }

    pub fn is_walk_in(self) -> bool {
        (WALK_IN_FIRST..WALK_IN_FIRST << 1).contains(&self.0)
    }
}

impl BatchId {
    /// `chance` must come from a good source: two publishers that made the same id would share an answer.
    pub fn new(now_ms: u64, chance: u64) -> Self {
        Self((u128::from(now_ms) << 80) | (u128::from(chance) << 16))
    }

    /// When it was made, in milliseconds since 1970.
    pub fn made_ms(self) -> u64 {
        (self.0 >> 80) as u64
    }

    pub fn attempt(self, index: usize) -> AttemptId {
        debug_assert!(index < BATCH_MAX);
        AttemptId(self.0 | index as u128)
    }
}

impl AttemptId {
    pub fn batch(self) -> BatchId {
        BatchId(self.0 & !0xffff)
    }

    pub fn index(self) -> usize {
        (self.0 & 0xffff) as usize
    }
}

impl ReservationId {
    /// Of units that end while the others go on. It follows from them, and a reservation has a unit once: the same split is
    /// made once.
    pub fn split(self, units: &[u32]) -> Self {
        let mut hash = Sha1::new();
        hash.update(self.to_bytes());
        for unit in units {
            hash.update(unit.to_be_bytes());
        }
        let digest = hash.finalize();
        Self::from_bytes(digest[..16].try_into().expect("a digest is 20 bytes"))
    }
}

impl From<AttemptId> for ReservationId {
    fn from(id: AttemptId) -> Self {
        Self(id.0)
    }
}

impl From<AttemptId> for TracedId {
    fn from(id: AttemptId) -> Self {
        Self(id.0)
    }
}

impl From<ReservationId> for TracedId {
    fn from(id: ReservationId) -> Self {
        Self(id.0)
    }
}

impl From<ReservationId> for AttemptId {
    fn from(id: ReservationId) -> Self {
        Self(id.0)
    }
}
