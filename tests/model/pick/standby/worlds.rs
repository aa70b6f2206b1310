//! Small worlds, each big enough for some counter-examples, and together small enough for every test run.

use super::rules::Rule;

/// What a party asks for.
#[derive(Clone, Copy)]
pub struct Party {
    pub buyer: u8,
    /// Bits: seats of areas that would do.
    pub seats: u8,
    pub quantity: u32,
    pub together: bool,
}

const fn party(buyer: u8, seats: u8, quantity: u32, together: bool) -> Party {
    Party { buyer, seats, quantity, together }
}

/// What may happen. Row n is of holder n, parties' rows are behind them.
#[derive(Clone, Copy)]
pub struct World {
    pub name: &'static str,
    /// Each a buyer of its own, from 0, and the seats he holds.
    pub holders: &'static [u8],
    /// Bits: holders that pay in the end, and parties that let an offer lapse.
    pub pays: u8,
    pub lapses: u8,
    pub parties: &'static [Party],
    pub limit: u32,
    /// Somebody's hand is on every seat that is open to all, at once, and for ever again.
    pub haste: bool,
    pub crashes: u8,
    pub without: Option<Rule>,
}

impl World {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    pub fn party(&self, row: usize) -> Option<&Party> {
        row.checked_sub(self.holders.len()).and_then(|at| self.parties.get(at))
    }

    pub fn buyer(&self, row: usize) -> u8 {
        self.party(row).map_or(row as u8, |party| party.buyer)
    }

    pub fn rows(&self) -> usize {
        self.holders.len() + self.parties.len()
    }
}

/// Two seats beside each other end one by one, and a party wants both.
pub const TOGETHER: World = World {
    name: "standby: together",
    holders: &[0b001, 0b010],
    pays: 0,
    lapses: 0,
    parties: &[party(2, 0b011, 2, true)],
    limit: 4,
    haste: false,
    crashes: 0,
    without: None,
};

/// Three wait for two seats that end together; an offer lapses, and who offers may die.
pub const LINE: World = World {
    name: "standby: line",
    holders: &[0b011, 0b100],
    lapses: 0b100,
    parties: &[party(2, 0b111, 1, false), party(3, 0b011, 1, false), party(4, 0b111, 2, false)],
    crashes: 1,
    ..TOGETHER
};

/// A party whose buyer has a hold, and pays for it up to his limit.
pub const OVER: World = World {
    name: "standby: over the limit",
    holders: &[0b001, 0b110],
    pays: 0b001,
    parties: &[party(0, 0b111, 2, false), party(2, 0b111, 1, false)],
    limit: 2,
    ..TOGETHER
};

/// The same within his limit: he pays when what he waits for is free already.
pub const PAID: World = World { name: "standby: paid", parties: &[party(0, 0b111, 1, false)], limit: 4, ..OVER };

/// Two seats are never free at once for longer than a moment.
pub const HASTE: World = World { name: "standby: haste", haste: true, ..TOGETHER };

pub const SMALL: &[World] = &[TOGETHER, LINE, OVER, PAID, HASTE];

/// For `make prove`.
pub const LARGE: &[World] = &[
    World {
        name: "standby: a longer line",
        holders: &[0b001, 0b010, 0b100],
        pays: 0b001,
        lapses: 0b111000,
        parties: &[party(0, 0b111, 1, false), party(3, 0b011, 2, true), party(4, 0b110, 1, false)],
        crashes: 2,
        ..TOGETHER
    },
    World { name: "standby: haste, and a line", haste: true, crashes: 0, lapses: 0b11100, ..LINE },
];
