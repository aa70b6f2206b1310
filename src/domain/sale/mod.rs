//! A sale: the timed selling of an allotment of one item, and what a buyer must answer before an attempt counts.
//!
//! "Sold out" is nowhere here: it is derived from the turnstile and the ledger, never stored.

pub mod admission;
pub mod attempt;
pub mod block;
pub mod edit;
pub mod holdings;
pub mod notice;
pub mod reservation;
pub mod search;
pub mod turn;
pub mod turnstile;

use serde::{Deserialize, Serialize};

use crate::domain::shared::id::{ItemId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

/// Units one attempt may ask for, at most, in any sale: the turnstile keeps one standby line for each party size.
pub const PARTY_MAX: u8 = 8;
/// Units in one sale, at most.
pub const CAPACITY_MAX: u32 = 10_000_000;
/// Parties on standby in one sale, at most.
pub const STANDBY_MAX: u32 = 1_000_000;
/// Questions of one sale, at most.
pub const QUESTIONS_MAX: usize = 64;

/// How long the hold of an attempt that does not wait lasts, at most: whoever made it is there to confirm it, or is gone.
pub const TILL_HOLD_MS: i64 = 30_000;

/// Units set aside for one sale, and how they are handed out. All that the turnstile knows of a sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allotment {
    pub capacity: u32,
    /// Units per attempt, 1..=PARTY_MAX, and never more than the capacity.
    pub quantity_max: u8,
    /// Parties that may wait.
    pub standby_max: u32,
}

/// How long standby lasts, as the operator wishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", try_from = "String")]
pub enum StandbyUntil {
    /// Until every unit is paid for; what comes back or is added after that goes to the next attempts.
    Paid,
    /// Until the sale is closed and nothing can come back any more.
    #[default]
    Closed,
}

/// What the operator last said. Whether it is scheduled or open now is [`Sale::phase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SaleState {
    Active,
    Paused,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Scheduled,
    Open,
    Paused,
    Closed,
}

/// Asked of every buyer before an attempt; which one is decided by `app::sale::question`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub prompt: String,
    /// Compared as people write it: case, width, spaces and surrounding punctuation do not count. Never leaves the servers.
    pub answer: String,
}

/// 32 secret bytes that decide which buyer gets which question.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionKey(pub [u8; 32]);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub id: SaleId,
    pub item: ItemId,
    /// What is sold, as people read it.
    pub title: String,
    pub price: Money,
    pub allotment: Allotment,
    /// One that was sent before there was a choice says nothing of it.
    #[serde(default)]
    pub standby_until: StandbyUntil,
    pub hold_ms: i64,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub state: SaleState,
    /// Grows by 1 with every change of what is above.
    pub version: u64,
    /// Grows by 1 with every restore of the turnstile; 1 from the start.
    pub generation: u64,
    /// Empty: nothing is asked.
    pub questions: Vec<Question>,
    pub question_key: QuestionKey,
    /// Seen by operators alone until it is published, and never again after that. What was sent before there were drafts is none.
    #[serde(default)]
    pub draft: bool,
}

#[cfg(test)]
impl Sale {
    /// For tests, which say what matters to them: published, from 1,000 to 2,000, a unit for whoever is first.
    pub fn sample() -> Self {
        Self {
            id: SaleId(1),
            item: ItemId(1),
            title: String::new(),
            price: Money { minor: 1, currency: "TWD".parse().expect("a currency") },
            allotment: Allotment { capacity: 1, quantity_max: 1, standby_max: 0 },
            standby_until: StandbyUntil::default(),
            hold_ms: 60_000,
            opens_at: Timestamp(1_000),
            closes_at: Timestamp(2_000),
            state: SaleState::Active,
            version: 1,
            generation: 1,
            questions: Vec::new(),
            question_key: QuestionKey([0; 32]),
            draft: false,
        }
    }
}

/// From a text, so that whatever else is sent is told to be none.
impl TryFrom<String> for StandbyUntil {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "paid" => Ok(StandbyUntil::Paid),
            "closed" => Ok(StandbyUntil::Closed),
            _ => Err("must be paid or closed"),
        }
    }
}

impl Sale {
    pub fn phase(&self, now: Timestamp) -> Phase {
        match self.state {
            SaleState::Closed => Phase::Closed,
            _ if now >= self.closes_at => Phase::Closed,
            _ if now < self.opens_at => Phase::Scheduled,
            SaleState::Paused => Phase::Paused,
            SaleState::Active => Phase::Open,
        }
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question").field("prompt", &self.prompt).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for QuestionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("QuestionKey(…)")
    }
}
