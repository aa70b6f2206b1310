//! Everything that can differ between two moments, and how a row moves.

use super::rules::Rule;
use super::worlds::World;

/// Rows, units, payments, checkouts: at most. Row 0 is the party's.
pub const R: usize = 4;
pub const U: usize = 3;
pub const P: usize = 3;
pub const CHECKOUTS: usize = 2;

/// The time of a hold, in steps.
pub const HOLD: u8 = 2;

pub fn in_set(set: u8, member: usize) -> bool {
    set & (1 << member) != 0
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Standing {
    #[default]
    Unborn,
    Standby,
    Held,
    Paying,
    Confirmed,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Row {
    pub standing: Standing,
    pub units: u8,
    pub version: u8,
    /// Since its first unit, in steps.
    pub age: u8,
    /// Of a Paying or Confirmed row.
    pub payment: Option<u8>,
    /// Of a Confirmed row: what its order says.
    pub amount: u8,
}

impl Row {
    pub fn is_open(&self) -> bool {
        matches!(self.standing, Standing::Held | Standing::Paying)
    }

    pub fn is_held_in_time(&self) -> bool {
        self.standing == Standing::Held && self.age < HOLD
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Money {
    #[default]
    None,
    Open,
    Captured,
    Void,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Payment {
    pub row: u8,
    pub amount: u8,
    pub money: Money,
}

/// How far a checkout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Work {
    #[default]
    Idle,
    Priced {
        row: u8,
        version: u8,
        amount: u8,
    },
    Capture(u8),
    Settle(u8),
}

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// Picks, drops and cancels.
    pub moves: u8,
    pub checkouts: u8,
    pub crashes: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub rows: [Row; R],
    pub payments: [Payment; P],
    pub work: [Work; CHECKOUTS],
    /// Units of rows that ended, to be offered: what the ledger knows, and what only a releaser knows.
    pub unfreed: u8,
    pub in_hand: u8,
    /// The buyer waits before his next hold.
    pub waits: bool,
    /// For how long the buyer has held without paying and without such a wait.
    pub had: u8,
    pub left: Budget,
    pub broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// 1. A unit has two owners.
    Oversell,
    /// 6. A unit is free, and a party waits.
    Idle,
    /// 7. A capture is no row's.
    Money,
    /// 8. A hold whose time is over gets another unit.
    Deadline,
    /// 11. A buyer has two open holds.
    TwoOpen,
    /// 13. An order's amount is not its units' prices.
    Price,
    /// A buyer is told that what is his is somebody else's.
    Answer,
    /// A buyer keeps units unpaid beyond a hold's time.
    Time,
}

impl State {
    pub fn taken(&self) -> u8 {
        let owns = |row: &&Row| row.is_open() || row.standing == Standing::Confirmed;
        self.rows.iter().filter(owns).fold(0, |taken, row| taken | row.units)
    }

    /// The buyer's.
    pub fn open(&self) -> Option<usize> {
        (1..R).find(|row| self.rows[*row].is_open())
    }

    /// Its units go, and are to be offered when a party waits.
    pub fn end(&mut self, world: &World, row: usize, is_lapse: bool) {
        let units = self.rows[row].units;
        self.rows[row] = Row { standing: Standing::Ended, ..Row::default() };
        if row != 0 && world.again && (is_lapse || world.has(Rule::AgainCountsAnyEnd)) {
            self.waits = true;
        }
        self.free(units);
    }

    pub fn free(&mut self, units: u8) {
        if self.rows[0].standing == Standing::Standby {
            self.unfreed |= units;
        }
    }

    pub fn confirm(&mut self, row: usize, amount: u8) {
        let row = &mut self.rows[row];
        (row.standing, row.amount, row.age) = (Standing::Confirmed, amount, 0);
        row.version += 1;
        self.had = 0;
    }
}
