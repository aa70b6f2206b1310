//! What there is: scenario, state, and what a worker has in hand between two of its calls.
//! Everything is a small array of bytes, so that a state is copied and hashed quickly.

use crate::rules::Rules;

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
        matches!(self.standing, Standing::Lapsed | Standing::Cancelled | Standing::Ended)
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

/// Revision and chain of the highest turn that a caller read.
pub type Known = (u8, u32);

/// What is told: standing and version of a row.
pub type Note = (Standing, u8);

/// Why somebody wants a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The turnstile said STALE.
    Stale,
    /// The ledger refused an answer.
    Refused,
    /// The sweeper found it missing, of another generation, behind, or of another chain.
    Swept,
    /// The sweeper found a revision without a turn for long.
    Lost,
    /// A promotion waited for its row too long.
    Absent,
}

/// The payment provider's definite word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    Captured,
    Void,
}

/// What a worker has in hand. Between any two of its calls it may die, or sleep for as long as it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Work {
    #[default]
    Idle,
    /// Looked at the ledger, goes to the turnstile with a batch, one or two releases (`second`), or a raise.
    Ask {
        cause: u8,
        second: Option<u8>,
        generation: u8,
        known: Known,
        /// Of a batch: at the look, these attempts' buyers had nothing live.
        free_buyers: u8,
    },
    /// Has the turnstile's answer, or two of them.
    Record {
        first: Answer,
        second: Answer,
    },
    Tell {
        batches: u8,
        notes: [Note; R],
    },
    /// Of these batches.
    Ack {
        batches: u8,
    },
    /// The sweeper looked at the ledger, goes to the turnstile.
    Compare {
        generation: u8,
        revision: u8,
        chain: u32,
    },
    /// Waits for the restore lock.
    Lock {
        carried: u8,
        reason: Reason,
    },
    /// Has the lock and looked at the ledger, goes to the turnstile.
    Judge {
        generation: u8,
        revision: u8,
        chain: u32,
        reason: Reason,
    },
    /// The first step of a restore is next: in the ledger.
    Rewrite {
        from: u8,
        reason: Reason,
    },
    /// The second step is next: in the turnstile. Without the lock, its connection died after the first.
    Replace {
        generation: u8,
        core: Core,
        locked: bool,
    },
    /// A payment is recorded, and opened next.
    Open {
        reservation: u8,
        payment: u8,
    },
    /// It is opened; Held -> Paying next.
    Begin {
        reservation: u8,
        payment: u8,
    },
    Capture {
        reservation: u8,
        payment: u8,
    },
    /// The payment-consumer goes to void it.
    Void {
        reservation: u8,
        payment: u8,
    },
    /// The provider's word goes to the ledger.
    Settle {
        reservation: u8,
        payment: u8,
        verdict: Verdict,
    },
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
    /// Numbers the arrivals on standby; a restore starts it after those who wait.
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Provider {
    pub money: [Money; P],
    /// A capture whose caller heard a time-out, and that may still come through.
    pub late: [bool; P],
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    pub crashes: u8,
    pub takeovers: u8,
    pub wipes: u8,
    pub failovers: u8,
    /// A timer that runs out although somebody is only slow.
    pub hasty: u8,
    pub raises: u8,
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Consumer,
    /// The payment-consumer's part that releases what has ended.
    Releaser,
    Sweeper,
    /// The gateway's checkout.
    Checkout,
    /// The payment-consumer's part that resolves stuck and orphaned payments.
    Payer,
    /// Raises the capacity by one, once.
    Raiser,
}

/// An attempt: its batch, its buyer, how many units.
pub type Attempt = (u8, u8, u8);

/// Bounds. The bit sets are of reservations.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub attempts: &'static [Attempt],
    pub capacity: u8,
    pub standby_max: usize,
    pub slots: &'static [Kind],
    /// That many batches were decided, recorded and acknowledged before the exploration starts.
    pub decided: u8,
    /// These were cancelled by then, and are not freed.
    pub cancelled: u8,
    pub left: Budget,
    /// May the buyer cancel it, run out of time, pay for it?
    pub cancels: u8,
    pub lapses: u8,
    pub pays: u8,
    pub closes: bool,
    /// Notices are steps.
    pub tells: bool,
    /// Releases may travel two in a call.
    pub pairs: bool,
    /// The consumer may ask for a second batch before it records the first, and records them together.
    pub gathers: bool,
    /// The sweeper looks at any time, not only when there is something to see.
    pub sweeps_always: bool,
    pub rules: Rules,
}

impl Scenario {
    pub fn batch(&self, batch: u8) -> impl Iterator<Item = usize> + '_ {
        (0..self.attempts.len()).filter(move |r| self.attempts[*r].0 == batch)
    }

    pub fn batches(&self) -> u8 {
        self.attempts.iter().map(|a| a.0 + 1).max().unwrap_or(0)
    }

    pub fn buyer(&self, reservation: usize) -> u8 {
        self.attempts[reservation].1
    }

    pub fn quantity(&self, reservation: usize) -> u32 {
        u32::from(self.attempts[reservation].2)
    }

    pub fn reservations(&self) -> std::ops::Range<usize> {
        0..self.attempts.len()
    }
}

pub fn in_set(set: u8, reservation: usize) -> bool {
    set & (1 << reservation) != 0
}
