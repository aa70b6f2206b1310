//! Small worlds, each big enough for some counter-examples, and together small enough for every test run.

use super::rules::Rule;
use super::state::Budget;

/// A request: the hold it is for, the gateway it comes to, its key.
#[derive(Clone, Copy)]
pub struct Checkout {
    pub hold: usize,
    pub gateway: usize,
    pub key: usize,
}

const fn checkout(hold: usize, gateway: usize, key: usize) -> Checkout {
    Checkout { hold, gateway, key }
}

/// What may happen, and how often. The bit sets are of holds, or of checkouts.
#[derive(Clone, Copy)]
pub struct World {
    pub name: &'static str,
    pub checkouts: &'static [Checkout],
    /// Holds whose time may run out.
    pub lapses: u8,
    /// Holds that cost nothing.
    pub free: u8,
    /// Checkouts whose rows cannot be written.
    pub unwritable: u8,
    /// Checkouts that a face sends, and whose callers may hang up before.
    pub faces: u8,
    pub left: Budget,
    pub without: Option<Rule>,
}

impl World {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

const NONE: Budget = Budget { crashes: 0, timeouts: 0, slow: 0 };

/// Two holds at one gateway, and one of them at the other gateway as well.
pub const GROUPS: World = World {
    name: "till: groups",
    checkouts: &[checkout(0, 0, 0), checkout(1, 0, 1), checkout(0, 1, 2)],
    lapses: 0b1,
    free: 0,
    unwritable: 0,
    faces: 0,
    left: NONE,
    without: None,
};

/// Two checkouts of one hold in one group; a gateway that dies.
pub const ONE_HOLD: World = World {
    name: "till: one hold",
    checkouts: &[checkout(0, 0, 0), checkout(0, 0, 1)],
    left: Budget { crashes: 1, ..NONE },
    ..GROUPS
};

/// A provider that is slow, and whose effects come late; a gateway that dies.
pub const LATE: World = World {
    name: "till: late",
    checkouts: &[checkout(0, 0, 0), checkout(0, 1, 1)],
    left: Budget { crashes: 1, timeouts: 2, ..NONE },
    ..GROUPS
};

/// The same request at two gateways, and another one; a claim that ends while its holder is slow.
pub const TWICE: World = World {
    name: "till: twice",
    checkouts: &[checkout(0, 0, 0), checkout(0, 1, 0), checkout(0, 1, 1)],
    lapses: 0,
    left: Budget { slow: 1, ..NONE },
    ..GROUPS
};

/// One of a group cannot be written.
pub const UNWRITABLE: World =
    World { name: "till: unwritable", checkouts: &[checkout(0, 0, 0), checkout(1, 0, 1)], unwritable: 0b1, ..GROUPS };

/// One of two holds costs nothing; a gateway dies, and its requests come again.
pub const FREE: World = World {
    name: "till: free",
    checkouts: &[checkout(0, 0, 0), checkout(1, 0, 1), checkout(0, 1, 0)],
    free: 0b1,
    left: Budget { crashes: 1, ..NONE },
    ..GROUPS
};

/// A face sells what costs nothing, to callers who hang up and call again: two holds, of which one lapses.
pub const FACE: World = World {
    name: "till: face",
    checkouts: &[checkout(0, 0, 0), checkout(1, 1, 1)],
    free: 0b11,
    faces: 0b11,
    left: Budget { crashes: 1, ..NONE },
    ..GROUPS
};

pub const SMALL: &[World] = &[GROUPS, ONE_HOLD, LATE, TWICE, UNWRITABLE, FREE, FACE];

/// For `make prove`.
pub const LARGE: &[World] = &[
    World {
        name: "till: one hold, two gateways",
        checkouts: &[checkout(0, 0, 0), checkout(0, 0, 1), checkout(0, 1, 2)],
        ..ONE_HOLD
    },
    World {
        name: "till: groups, and a death",
        checkouts: &[checkout(0, 0, 0), checkout(1, 0, 1), checkout(0, 1, 0)],
        left: Budget { crashes: 1, ..NONE },
        ..GROUPS
    },
    World { name: "till: groups, late", left: Budget { timeouts: 1, ..NONE }, ..GROUPS },
    World { name: "till: late, twice", left: Budget { timeouts: 1, slow: 1, ..NONE }, ..TWICE },
    World { name: "till: twice, and a death", left: Budget { crashes: 1, slow: 1, ..NONE }, ..TWICE },
];
