//! A turn is one recorded answer of the turnstile: the ledger keeps every one, and can rebuild the turnstile without it.
//!
//! Revisions count a generation's turns. Each carries a chain, the hash of the one before and of its cause, so that two
//! histories that reached the same revision are told apart.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

use crate::domain::sale::attempt::Batch;
use crate::domain::shared::id::{BatchId, ReservationId};

/// Why the turnstile moved. Asked twice for the same cause, it gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    Batch(BatchId),
    Release(ReservationId),
    /// The capacity it was raised to.
    Raise(u32),
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Batch(id) => write!(f, "b:{id}"),
            Cause::Release(id) => write!(f, "r:{id}"),
            Cause::Raise(capacity) => write!(f, "c:{capacity}"),
        }
    }
}

impl FromStr for Cause {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (kind, rest) = text.split_at_checked(2).ok_or(())?;
        match kind {
            "b:" => rest.parse().map(Cause::Batch).map_err(|_| ()),
            "r:" => rest.parse().map(Cause::Release).map_err(|_| ()),
            "c:" => rest.parse().map(Cause::Raise).map_err(|_| ()),
            _ => Err(()),
        }
    }
}

/// 64 bits of SHA-1 over the chain before, as 16 lower-case hexadecimal digits, and the cause's text.
/// Every generation starts from 0. Lua makes the same with `redis.sha1hex`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Chain(pub u64);

impl Chain {
    pub fn then(self, cause: &Cause) -> Chain {
        let digest = Sha1::digest(format!("{self}{cause}"));
        Chain(u64::from_be_bytes(digest[..8].try_into().expect("a digest is 20 bytes")))
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Chain {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u64::from_str_radix(text, 16).map(Chain)
    }
}

/// Where in its history the turnstile stood when it answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    pub generation: u64,
    pub revision: u64,
    pub chain: Chain,
    /// The chain of the revision before.
    pub before: Chain,
}

/// What a caller knows of a sale's history: a turnstile behind it must not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub generation: u64,
    /// The highest turn the caller read, or its own last answer.
    pub revision: u64,
    /// Of that revision: a turnstile that got past it by another history must not answer either.
    pub chain: Chain,
}

impl From<Stamp> for Known {
    fn from(stamp: Stamp) -> Self {
        Self { generation: stamp.generation, revision: stamp.revision, chain: stamp.chain }
    }
}

impl Known {
    /// Nothing but the generation.
    pub fn of(generation: u64) -> Self {
        Self { generation, revision: 0, chain: Chain::default() }
    }
}

/// The turnstile's word on one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Taken {
        units: Vec<u32>,
    },
    /// `position` counts the parties waiting, from 1.
    Standby {
        arrival: u64,
        position: u32,
    },
    /// The buyer has a live reservation of this sale already.
    Already {
        reservation: ReservationId,
    },
    Refused,
}

impl Answer {
    /// How a turn remembers this answer: one byte an attempt.
    pub fn code(&self) -> u8 {
        match self {
            Answer::Taken { .. } => b'T',
            Answer::Standby { .. } => b'S',
            Answer::Already { .. } => b'A',
            Answer::Refused => b'R',
        }
    }
}

/// How many of these remembered answers were taken, standby, already and refused.
pub fn tally(outcomes: &[u8]) -> [u64; 4] {
    let mut counts = [0; 4];
    for outcome in outcomes {
        let kind = match outcome {
            b'T' => 0,
            b'S' => 1,
            b'A' => 2,
            _ => 3,
        };
        counts[kind] += 1;
    }
    counts
}

/// A standby party that got its units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    pub reservation: ReservationId,
    pub units: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    pub stamp: Stamp,
    /// One for each attempt of the batch, in its order.
    pub answers: Vec<Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    pub stamp: Stamp,
    pub reservation: ReservationId,
    pub promotions: Vec<Promotion>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    pub stamp: Stamp,
    pub capacity: u32,
    pub promotions: Vec<Promotion>,
}

/// An answer of the turnstile with what it was asked, as the ledger records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    Batch { batch: Batch, reserved: Reserved },
    Release(Released),
    Raise(Raised),
}

impl Turn {
    pub fn stamp(&self) -> Stamp {
        match self {
            Turn::Batch { reserved, .. } => reserved.stamp,
            Turn::Release(released) => released.stamp,
            Turn::Raise(raised) => raised.stamp,
        }
    }

    pub fn cause(&self) -> Cause {
        match self {
            Turn::Batch { batch, .. } => Cause::Batch(batch.id),
            Turn::Release(released) => Cause::Release(released.reservation),
            Turn::Raise(raised) => Cause::Raise(raised.capacity),
        }
    }

    pub fn promotions(&self) -> &[Promotion] {
        match self {
            Turn::Batch { .. } => &[],
            Turn::Release(released) => &released.promotions,
            Turn::Raise(raised) => &raised.promotions,
        }
    }

    /// One byte for each attempt of a batch; empty for the others.
    pub fn outcomes(&self) -> Vec<u8> {
        match self {
            Turn::Batch { reserved, .. } => reserved.answers.iter().map(Answer::code).collect(),
            _ => Vec::new(),
        }
    }
}
