//! What there is: turnstile, ledger, provider, broker, and what the workers have in hand.
//! Everything is a small array of bytes, so that a state is copied and hashed quickly.

pub use crate::setting::{Budget, Kind, Scenario, in_set};
pub use crate::work::{Known, Note, Reason, Verdict, Work};

/// Attempts (and so reservations), units, batches, payments, workers: at most.
pub const R: usize = 6;
pub const U: usize = 3;
pub const B: usize = 5;
pub const P: usize = 3;
pub const SLOTS: usize = 5;
/// What a turn can be caused by: a batch, the release of a reservation, a raise.
pub const CAUSES: usize = B + R + 1;
pub const RAISE: u8 = (B + R) as u8;

pub fn release_of(reservation: usize) -> u8 {
    (B + reservation) as u8
}

/// The reservation a cause releases.
pub fn released(cause: u8) -> Option<usize> {
    (cause as usize >= B && cause < RAISE).then(|| cause as usize - B)
}

/// What the turnstile says about one reservation: nothing, or one of these; in the low bits TAKEN has its units, STANDBY its
/// arrival, ALREADY whether it is untrue.
pub const TAKEN: u8 = 0x10;
pub const STANDBY: u8 = 0x20;
pub const ALREADY: u8 = 0x30;
pub const REFUSED: u8 = 0x40;
pub const UNTRUE: u8 = 1;

pub fn units_of(said: u8) -> u8 {
    said & 0x0f
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Answer {
    pub cause: u8,
    pub generation: u8,
    /// From 1; 0 is no answer.
    pub revision: u8,
    pub chain: u32,
    pub before: u32,
    pub said: [u8; R],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    #[default]
    Unborn,
    Held,
    Standby,
    Paying,
    Confirmed,
    Lapsed,
    Cancelled,
    Ended,
    /// By an operator; also a part that was split from one, from its creation.
    Refunded,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub standing: Standing,
    pub units: u8,
    /// Unique, with its generation.
    pub arrival: (u8, u8),
    pub version: u8,
    pub freed: bool,
    /// `lapses_at <= now`.
    pub overdue: bool,
    /// The payment that a Paying or Confirmed row names.
    pub payment: u8,
}

impl Row {
    pub fn is_holding(&self) -> bool {
        matches!(self.standing, Standing::Held | Standing::Paying | Standing::Confirmed)
    }

    pub fn is_live(&self) -> bool {
        self.is_holding() || self.standing == Standing::Standby
    }

    pub fn is_ended(&self) -> bool {
        matches!(self.standing, Standing::Lapsed | Standing::Cancelled | Standing::Ended | Standing::Refunded)
    }

    pub fn is_unfreed(&self) -> bool {
        self.is_ended() && !self.freed
    }

    pub fn becomes(&mut self, standing: Standing) {
        self.standing = standing;
        self.version += 1;
        if self.is_ended() {
            (self.units, self.payment, self.freed) = (0, 0, false);
        }
    }
}

/// What the turnstile knows but for its place in history: see `turnstile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Core {
    pub capacity: u8,
    /// Who has each unit: a reservation + 1.
    pub owner: [u8; U],
    /// Who waits, in order of arrival: reservations + 1.
    pub standby: [u8; R],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Turnstile {
    /// 0: the sale is missing.
    pub generation: u8,
    pub revision: u8,
    pub chain: u32,
    pub core: Core,
    /// Numbers the arrivals on standby; a restore starts it after the parties that wait.
    pub arrived: u8,
    pub kept: [Answer; CAUSES],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Turn {
    /// 0: there is none.
    pub generation: u8,
    pub revision: u8,
    pub chain: u32,
    pub before: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ledger {
    pub generation: u8,
    pub capacity: u8,
    pub closed: bool,
    /// Units that were given back when standby had ended: who was sent away has no right to them.
    pub late: u8,
    /// By cause, which is unique.
    pub turns: [Turn; CAUSES],
    pub rows: [Row; R],
    /// A reservation + 1 for each claimed unit: the fence.
    pub claims: [u8; U],
    /// The turn's byte for each attempt.
    pub bytes: [u8; R],
    /// The reservation + 1 that each payment was recorded for.
    pub payments: [u8; P],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Money {
    #[default]
    None,
    Open,
    Captured,
    Dead,
    /// Captured, and a refund of all of it is written.
    Back,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Provider {
    pub money: [Money; P],
    /// A capture whose caller got a time-out, and that may still come through.
    pub late: [bool; P],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub turnstile: Turnstile,
    /// The replica that a failover brings back; it stopped following at some moment.
    pub replica: Option<Turnstile>,
    pub ledger: Ledger,
    pub provider: Provider,
    /// A bit for each batch that was acknowledged.
    pub acked: u8,
    /// The slot of the consumer that the broker gives messages to.
    pub active: u8,
    pub work: [Work; SLOTS],
    pub left: Budget,
    /// A fault, or a restore's first step, has hurt the turnstile, and no restore has healed it yet.
    pub hurt: bool,
    /// Restores that a lost lock may bring about, though the turnstile gets well without them.
    pub excuses: u8,
    /// An invariant that a step broke, where the state alone does not show it.
    pub broken: Option<Broken>,
}

/// By the design's numbers; what they leave open is said here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    Oversell,
    Conservation,
    /// Also: an outcome was changed, or a row that had ended lives again.
    Accepted,
    Limit,
    Order,
    Idle,
    /// Also: a capture whose reservation does not name it, or two captures of one reservation.
    Money,
    Authority,
    /// Something was told that was not so.
    Told,
    /// A restore that no fault called for: two workers could go on restoring each other's turnstile for ever.
    Calm,
    /// A worker waits for what will never come, and has no way out of its own.
    Stuck,
    /// A party waits, and nobody can tell its buyer anything.
    Unheard,
}
