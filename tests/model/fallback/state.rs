//! Everything that can differ between two moments of the fallback's model.

/// Reservations: r0 holds from the beginning, each other one is a batch of its own. Units; workers.
pub const R: usize = 3;
pub const U: usize = 2;
pub const CONSUMERS: usize = 2;
/// The payment-consumer, which releases, sweeps and feeds, and knows of no turnstile but Redis.
pub const PAYER: usize = CONSUMERS;
pub const SLOTS: usize = CONSUMERS + 1;
/// What a turn can be caused by: the batch of a reservation, by its number, or the release of one.
pub const CAUSES: usize = 2 * R;
/// Everybody reaches Redis: a bit for each worker.
pub const ALL: u8 = (1 << SLOTS) - 1;

pub fn release_of(reservation: usize) -> u8 {
    (R + reservation) as u8
}

/// The reservation that a cause releases.
pub fn released(cause: u8) -> Option<usize> {
    (cause as usize).checked_sub(R)
}

pub fn in_set(set: u8, bit: usize) -> bool {
    set & (1 << bit) != 0
}

/// The causes of one generation, in order: what a revision and its chain stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct History {
    causes: [u8; CAUSES + 2],
    revision: u8,
}

impl History {
    pub fn revision(&self) -> usize {
        self.revision as usize
    }

    pub fn causes(&self) -> &[u8] {
        &self.causes[..self.revision()]
    }

    #[must_use]
    pub fn then(mut self, cause: u8) -> Self {
        self.causes[self.revision()] = cause;
        self.revision += 1;
        self
    }

    pub fn begins_with(&self, other: &Self) -> bool {
        self.causes().starts_with(other.causes())
    }

    /// What came before the last turn of this cause.
    pub fn before(&self, cause: u8) -> Self {
        let place = self.causes().iter().rposition(|c| *c == cause).unwrap_or(self.revision());
        self.causes()[..place].iter().fold(Self::default(), |history, cause| history.then(*cause))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said {
    Taken(u8),
    Waits,
    Refused,
    Freed,
    /// To a release: it is this party's now.
    Promoted(u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Answer {
    pub cause: u8,
    pub generation: u8,
    pub before: History,
    pub said: Said,
}

/// In Redis, or in a consumer's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Turnstile {
    /// 0: the sale is missing.
    pub generation: u8,
    pub history: History,
    /// A reservation + 1.
    pub owner: [u8; U],
    /// In order: reservations + 1.
    pub standby: [u8; R],
    pub kept: [Option<Said>; CAUSES],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    #[default]
    Unborn,
    Held,
    Standby,
    Ended,
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub standing: Standing,
    /// Of a row that is held.
    pub unit: u8,
    /// Of one that has ended.
    pub freed: bool,
}

impl Row {
    pub fn is_unfreed(&self) -> bool {
        self.standing == Standing::Ended && !self.freed
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Turn {
    /// 0: there is none.
    pub generation: u8,
    pub before: History,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Lease {
    /// A consumer + 1, while the time it was written for is not over.
    pub by: u8,
    /// It was written by a clock that is far ahead: its time never comes.
    pub endless: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Ledger {
    pub generation: u8,
    /// By cause, which is unique.
    pub turns: [Turn; CAUSES],
    pub rows: [Row; R],
    pub lease: Lease,
}

/// What a worker has in hand between two of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Work {
    #[default]
    Idle,
    /// Looked at the ledger, goes to a turnstile.
    Ask {
        cause: u8,
        generation: u8,
        known: History,
        is_done: bool,
    },
    Record {
        answer: Answer,
        from_redis: bool,
    },
    Ack {
        batch: u8,
    },
    /// A restore's second half: into Redis.
    Put(Turnstile),
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    pub outages: u8,
    pub takeovers: u8,
    /// A consumer is told to stop.
    pub stops: u8,
    pub crashes: u8,
    pub wipes: u8,
    pub failovers: u8,
    /// A lease that runs out although its holder lives.
    pub hasty: u8,
    /// A machine that stands still for good while its connections stay.
    pub freezes: u8,
    /// A connection that ends, and the lock with it.
    pub lost: u8,
    pub fast_clocks: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub ledger: Ledger,
    pub redis: Turnstile,
    /// The replica that a failover brings back; it stopped following at some moment.
    pub replica: Option<Turnstile>,
    /// Who reaches Redis.
    pub reach: u8,
    pub memory: [Option<Turnstile>; CONSUMERS],
    pub work: [Work; SLOTS],
    /// The generation that the feed read, before it looks at Redis; 0 while it does nothing.
    pub feed: u8,
    /// The consumer that the broker gives messages to.
    pub active: u8,
    /// A bit for each batch.
    pub acked: u8,
    /// Who has the restore lock: a slot + 1.
    pub lock: u8,
    /// The first consumer's machine stands still.
    pub frozen: bool,
    /// The first consumer's clock is far ahead.
    pub fast: bool,
    pub left: Budget,
    /// Something has hurt Redis' turnstile, and no restore has healed it yet.
    pub hurt: bool,
    pub broken: Option<Broken>,
}

/// By the design's numbers, and what no number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    Oversell,
    Accepted,
    Order,
    Idle,
    Authority,
    /// Publishers are told that a sale is exhausted while its own turnstile has a unit to give.
    Told,
    /// A restore that no fault called for, or more of them than all faults together: they could go on for ever.
    Calm,
}
