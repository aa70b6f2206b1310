//! Small worlds, each big enough for some counter-examples, and together small enough for every test run.

use crate::rules::Rules;
use crate::state::Kind::{Checkout, Consumer, Payer, Raiser, Releaser, Sweeper};
use crate::state::{Budget, Scenario};

const NONE: Budget = Budget { crashes: 0, takeovers: 0, wipes: 0, failovers: 0, hasty: 0, raises: 0 };

/// One unit, no buyer, nothing goes wrong.
const CALM: Scenario = Scenario {
    name: "calm",
    attempts: &[],
    capacity: 1,
    standby_max: 5,
    slots: &[],
    decided: 0,
    cancelled: 0,
    left: NONE,
    cancels: 0,
    lapses: 0,
    pays: 0,
    paid: 0,
    refunds: false,
    house: 0,
    anonymous: 0,
    closes: false,
    until_paid: false,
    tells: false,
    pairs: false,
    gathers: false,
    sweeps_always: false,
    rules: Rules::ALL,
};

/// Two batches, a consumer that is replaced while it sleeps, a death, a lapse, and the turnstile lost.
pub const WIPE: Scenario = Scenario {
    name: "wipe",
    attempts: &[(0, 0, 1), (1, 1, 1)],
    slots: &[Consumer, Consumer, Releaser, Sweeper],
    left: Budget { crashes: 1, takeovers: 1, wipes: 1, ..NONE },
    lapses: 0b1,
    ..CALM
};

/// The same with a turnstile that falls back to any older state.
pub const STALE: Scenario =
    Scenario { name: "stale", left: Budget { crashes: 1, takeovers: 1, failovers: 1, ..NONE }, ..WIPE };

/// A line of standby parties, releases two in a call, a newcomer, a stale failover.
pub const LINE: Scenario = Scenario {
    name: "line",
    attempts: &[(0, 0, 1), (0, 1, 1), (1, 2, 1), (2, 3, 1)],
    decided: 1,
    slots: &[Consumer, Releaser, Sweeper],
    left: Budget { failovers: 1, ..NONE },
    lapses: 0b1,
    cancels: 0b10,
    pairs: true,
    ..CALM
};

/// The same line, what was given has ended, and two workers release it one by one.
pub const ENDED_LINE: Scenario = Scenario {
    name: "ended line",
    slots: &[Consumer, Releaser, Releaser, Sweeper],
    cancelled: 0b11,
    cancels: 0,
    lapses: 0,
    pairs: false,
    ..LINE
};

/// The consumer asks for two batches before it records them.
pub const GATHER: Scenario = Scenario {
    name: "gather",
    attempts: &[(0, 0, 1), (1, 1, 1), (2, 2, 1)],
    decided: 1,
    slots: &[Consumer, Consumer, Releaser, Sweeper],
    left: Budget { takeovers: 1, failovers: 1, ..NONE },
    lapses: 0b1,
    gathers: true,
    ..CALM
};

/// A party that is promoted before its row is created, and lapses; the turnstile lost.
pub const BORN: Scenario = Scenario {
    name: "born",
    attempts: &[(0, 0, 1), (1, 1, 1)],
    decided: 1,
    slots: &[Consumer, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    lapses: 0b11,
    ..CALM
};

/// A standby of one, a raise, a release and a sleeping consumer: a turnstile that fell back lets in whom the ledger refused.
pub const ABSENT: Scenario = Scenario {
    name: "absent",
    attempts: &[(0, 0, 1), (0, 1, 1), (1, 2, 1)],
    standby_max: 1,
    decided: 1,
    cancelled: 0b1,
    slots: &[Consumer, Consumer, Releaser, Raiser, Sweeper],
    left: Budget { takeovers: 1, failovers: 1, raises: 1, ..NONE },
    ..CALM
};

/// Two units released in one order and, after a failover, in the other.
pub const SWAP: Scenario = Scenario {
    name: "swap",
    attempts: &[(0, 0, 1), (0, 1, 1), (1, 2, 1)],
    capacity: 2,
    decided: 2,
    slots: &[Releaser, Releaser, Sweeper],
    left: Budget { failovers: 1, crashes: 1, ..NONE },
    lapses: 0b11,
    pairs: true,
    ..CALM
};

/// Two workers that release, a buyer who leaves the line, the turnstile lost.
pub const CROWD: Scenario = Scenario {
    name: "crowd",
    attempts: &[(0, 0, 1), (1, 1, 1)],
    decided: 1,
    slots: &[Consumer, Releaser, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    lapses: 0b1,
    cancels: 0b10,
    ..CALM
};

/// Notices, of a party that leaves the line while it is promoted.
pub const TOLD: Scenario = Scenario {
    name: "told",
    attempts: &[(0, 0, 1), (1, 1, 1)],
    decided: 1,
    slots: &[Consumer, Consumer, Releaser],
    left: Budget { takeovers: 1, ..NONE },
    lapses: 0b11,
    cancels: 0b10,
    tells: true,
    ..CALM
};

/// An operator raises the capacity, and a process crashes.
pub const RAISE: Scenario = Scenario {
    name: "raise",
    attempts: &[(0, 0, 1), (0, 1, 1), (1, 2, 1)],
    decided: 1,
    slots: &[Consumer, Raiser, Sweeper],
    left: Budget { crashes: 1, raises: 1, ..NONE },
    ..CALM
};

/// The sale closes while a buyer holds and pays.
pub const CLOSE: Scenario = Scenario {
    name: "close",
    attempts: &[(0, 0, 1), (0, 1, 1)],
    decided: 1,
    slots: &[Checkout, Payer, Releaser, Releaser],
    lapses: 0b11,
    pays: 0b11,
    closes: true,
    ..CALM
};

/// Everything is paid and two wait; a newcomer presses while an operator gives the unit back, and closes the sale.
pub const GIVEN_BACK: Scenario = Scenario {
    name: "given back",
    attempts: &[(0, 0, 1), (0, 1, 1), (0, 2, 1), (1, 3, 1)],
    decided: 1,
    paid: 0b1,
    refunds: true,
    closes: true,
    slots: &[Consumer, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    ..CALM
};

/// The same with a unit that is added.
pub const ADDED: Scenario = Scenario {
    name: "added",
    refunds: false,
    slots: &[Consumer, Releaser, Raiser, Sweeper],
    left: Budget { wipes: 1, raises: 1, ..NONE },
    ..GIVEN_BACK
};

/// A sale whose standby ends when everything is paid: what comes back after that is the first comer's.
pub const UNTIL_PAID: Scenario = Scenario { name: "until paid", until_paid: true, ..GIVEN_BACK };

/// One hold, up to three payments, two checkouts, and a payment-consumer that voids what takes long.
pub const MONEY: Scenario = Scenario {
    name: "money",
    attempts: &[(0, 0, 1), (0, 1, 1)],
    decided: 1,
    slots: &[Checkout, Checkout, Payer, Releaser],
    lapses: 0b1,
    pays: 0b1,
    ..CALM
};

/// A unit of an order goes back, and then the rest; two wait for them, two release, and the turnstile is lost.
pub const REFUND: Scenario = Scenario {
    name: "refund",
    attempts: &[(0, 0, 2), (0, 1, 1), (0, 2, 1), (0, 3, 1)],
    capacity: 3,
    decided: 1,
    paid: 0b1,
    refunds: true,
    slots: &[Releaser, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    ..CALM
};

/// A block of two gets one unit and puts it back, among a buyer before and one behind it; the turnstile is lost.
pub const BLOCK: Scenario = Scenario {
    name: "block",
    attempts: &[(0, 0, 1), (1, 1, 1), (1, 2, 1), (2, 3, 1)],
    capacity: 2,
    decided: 1,
    house: 0b110,
    slots: &[Consumer, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    lapses: 0b1,
    cancels: 0b10,
    ..CALM
};

/// Between two who would wait, somebody at a counter who would not; the turnstile is lost.
pub const COUNTER: Scenario = Scenario {
    name: "counter",
    attempts: &[(0, 0, 1), (1, 1, 1), (1, 2, 1), (2, 3, 1)],
    decided: 1,
    anonymous: 0b100,
    slots: &[Consumer, Releaser, Sweeper],
    left: Budget { wipes: 1, ..NONE },
    lapses: 0b1,
    ..CALM
};

pub const SMALL: &[Scenario] = &[
    WIPE, STALE, LINE, GATHER, BORN, ABSENT, SWAP, CROWD, TOLD, RAISE, CLOSE, GIVEN_BACK, ADDED, UNTIL_PAID, MONEY,
    REFUND, BLOCK, COUNTER,
];

/// For `make prove`: minutes.
pub const LARGE: &[Scenario] = &[
    Scenario {
        name: "refunds, stale, and a newcomer",
        attempts: &[(0, 0, 2), (0, 1, 1), (0, 2, 1), (1, 3, 1)],
        slots: &[Consumer, Releaser, Releaser, Sweeper],
        left: Budget { failovers: 1, ..NONE },
        pairs: true,
        ..REFUND
    },
    Scenario {
        name: "refunds and deaths",
        left: Budget { crashes: 2, wipes: 1, ..NONE },
        cancels: 0b10,
        pairs: true,
        ..REFUND
    },
    Scenario {
        name: "given back and added",
        slots: &[Consumer, Releaser, Raiser, Sweeper],
        left: Budget { failovers: 1, raises: 1, ..NONE },
        lapses: 0b110,
        ..GIVEN_BACK
    },
    Scenario { name: "a block, stale, and a death", left: Budget { failovers: 1, crashes: 1, ..NONE }, ..BLOCK },
    ENDED_LINE,
    Scenario { name: "line with two releasers", slots: &[Consumer, Releaser, Releaser, Sweeper], ..LINE },
    Scenario {
        name: "a buyer comes again",
        attempts: &[(0, 0, 1), (0, 1, 1), (0, 2, 1), (1, 0, 1)],
        cancelled: 0b111,
        pairs: true,
        ..ENDED_LINE
    },
    Scenario {
        name: "hasty timers",
        left: Budget { hasty: 2, wipes: 1, takeovers: 1, ..NONE },
        sweeps_always: true,
        ..WIPE
    },
    Scenario {
        name: "hasty timers, stale",
        left: Budget { hasty: 1, failovers: 1, crashes: 1, ..NONE },
        sweeps_always: true,
        ..WIPE
    },
    Scenario { name: "stale twice", left: Budget { failovers: 2, takeovers: 1, ..NONE }, ..WIPE },
    Scenario { name: "wiped and stale", left: Budget { failovers: 1, wipes: 1, takeovers: 1, ..NONE }, ..WIPE },
    Scenario { name: "restorers die", left: Budget { wipes: 1, crashes: 3, ..NONE }, ..WIPE },
    Scenario {
        name: "gather and die",
        left: Budget { takeovers: 1, failovers: 1, crashes: 1, ..NONE },
        tells: true,
        ..GATHER
    },
    Scenario {
        name: "parties of two",
        attempts: &[(0, 0, 1), (0, 1, 1), (1, 2, 2), (1, 3, 1)],
        capacity: 2,
        lapses: 0b11,
        cancels: 0b100,
        ..LINE
    },
    Scenario { name: "swap among three", slots: &[Releaser, Releaser, Releaser, Sweeper], ..SWAP },
    Scenario { name: "a raise while stale", left: Budget { failovers: 1, crashes: 1, raises: 1, ..NONE }, ..RAISE },
    Scenario {
        name: "everything is told",
        left: Budget { takeovers: 1, wipes: 1, crashes: 1, ..NONE },
        slots: &[Consumer, Consumer, Releaser, Sweeper],
        ..TOLD
    },
    Scenario {
        name: "money and deaths",
        left: Budget { crashes: 2, ..NONE },
        slots: &[Checkout, Checkout, Payer, Payer, Releaser],
        ..MONEY
    },
    Scenario {
        name: "a sale from end to end",
        decided: 0,
        slots: &[Consumer, Checkout, Payer, Releaser, Sweeper],
        left: Budget { wipes: 1, ..NONE },
        ..CLOSE
    },
];
