//! Small worlds, each big enough for some counter-examples, and together small enough for every test run.

use super::rules::Rule;
use super::state::Budget;

/// What may happen, and how often. The bit sets are of units.
#[derive(Clone, Copy)]
pub struct World {
    pub name: &'static str,
    pub units: u8,
    /// Units that cost nothing.
    pub free: u8,
    /// Who has let a hold end waits before the next one.
    pub again: bool,
    /// The buyer holds everything, and a party waits for a unit.
    pub waited_for: bool,
    pub left: Budget,
    pub without: Option<Rule>,
}

impl World {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

const NONE: Budget = Budget { moves: 0, checkouts: 0, crashes: 0 };

/// Two units, two checkouts, and a gateway that dies.
pub const PAYING: World = World {
    name: "pick: paying",
    units: 0b11,
    free: 0,
    again: false,
    waited_for: false,
    left: Budget { moves: 3, checkouts: 2, crashes: 1 },
    without: None,
};

/// One of two units costs nothing.
pub const FREE: World =
    World { name: "pick: free", free: 0b01, left: Budget { moves: 3, checkouts: 2, ..NONE }, ..PAYING };

/// Nobody holds for longer than a hold's time.
pub const AGAIN: World =
    World { name: "pick: again", again: true, left: Budget { moves: 4, checkouts: 1, ..NONE }, ..PAYING };

/// A party waits, and who offers may die.
pub const WAITED_FOR: World =
    World { name: "pick: waited for", waited_for: true, left: Budget { moves: 2, checkouts: 1, crashes: 1 }, ..PAYING };

pub const SMALL: &[World] = &[PAYING, FREE, AGAIN, WAITED_FOR];

/// For `make prove`.
pub const LARGE: &[World] = &[
    World {
        name: "pick: paying, three units",
        units: 0b111,
        left: Budget { moves: 4, checkouts: 3, crashes: 2 },
        ..PAYING
    },
    World {
        name: "pick: waited for, and free",
        free: 0b01,
        again: true,
        left: Budget { moves: 4, checkouts: 3, crashes: 2 },
        ..WAITED_FOR
    },
];
