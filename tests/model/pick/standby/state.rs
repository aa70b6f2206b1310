//! Everything that can differ between two moments.

/// Rows and seats: at most.
pub const R: usize = 6;
pub const SEATS: usize = 3;
/// Offers a transaction makes.
pub const OFFERS_MAX: usize = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    #[default]
    Unborn,
    Standby,
    Held,
    Confirmed,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub standing: Standing,
    pub seats: u8,
}

/// What a transaction read before it locks, with that rule off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Read {
    #[default]
    Nothing,
    /// Nothing that fits is free, to a party that asks.
    NoneFits(u8),
    /// Nobody waits whom these seats would fit.
    NobodyWaits(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub rows: [Row; R],
    /// Rows + 1, in order of arrival.
    pub line: [u8; R],
    /// Seats of what ended, that are not offered yet: what the ledger knows, and what only a releaser knows.
    pub unfreed: u8,
    pub in_hand: u8,
    /// Freed, and for parties for a while.
    pub reserved: u8,
    /// One of a party that asks, and one of a releaser.
    pub reads: [Read; 2],
    pub crashes: u8,
    pub broken: Option<Broken>,
}

impl State {
    pub fn taken(&self) -> u8 {
        let owns = |row: &&Row| matches!(row.standing, Standing::Held | Standing::Confirmed);
        self.rows.iter().filter(owns).fold(0, |taken, row| taken | row.seats)
    }

    pub fn free(&self) -> u8 {
        !self.taken() & ((1 << SEATS) - 1)
    }

    pub fn waiting(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.line.iter().filter(|row| **row != 0).map(|row| *row as usize - 1)
    }

    pub fn join(&mut self, row: usize) {
        self.rows[row].standing = Standing::Standby;
        let end = self.waiting().count();
        self.line[end] = row as u8 + 1;
    }

    pub fn leave(&mut self, row: usize) {
        let place = self.waiting().position(|waits| waits == row);
        if let Some(at) = place {
            self.line.copy_within(at + 1.., at);
            self.line[R - 1] = 0;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// 1. A seat has two owners.
    Oversell,
    /// 5. A later party gets seats that would do for an earlier one.
    Order,
    /// 6. At rest the chooser can serve a party.
    Idle,
    /// A transaction is undone for the row of somebody else.
    Alone,
    /// A party waits for what can never come.
    Stuck,
}
