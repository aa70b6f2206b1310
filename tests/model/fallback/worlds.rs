//! Small worlds, each big enough for some counter-examples, and together small enough for every test run.

use super::rules::Rule;
use super::state::Budget;

/// What may happen, and how often.
#[derive(Clone, Copy)]
pub struct World {
    pub name: &'static str,
    pub capacity: usize,
    pub standby_max: usize,
    /// Attempts behind the one that holds already, each a batch of its own.
    pub batches: usize,
    /// Reservations whose buyers may leave.
    pub cancels: u8,
    /// Redis is away for the first consumer alone.
    pub one_sided: bool,
    /// An outage ends.
    pub returns: bool,
    /// The payment-consumer tells publishers of the sale.
    pub feeds: bool,
    pub left: Budget,
    pub without: Option<Rule>,
}

impl World {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

const NONE: Budget = Budget {
    outages: 0,
    takeovers: 0,
    stops: 0,
    crashes: 0,
    wipes: 0,
    failovers: 0,
    hasty: 0,
    freezes: 0,
    lost: 0,
    fast_clocks: 0,
};

/// One unit, which is held and may come free, and two who want it; Redis is away, another consumer takes over.
pub const TAKEOVER: World = World {
    name: "fallback: takeover",
    capacity: 1,
    standby_max: 2,
    batches: 2,
    cancels: 0b1,
    one_sided: false,
    returns: true,
    feeds: false,
    left: Budget { outages: 1, takeovers: 1, ..NONE },
    without: None,
};

/// Only one consumer lacks Redis.
pub const ONE_SIDED: World = World { name: "fallback: one-sided", one_sided: true, ..TAKEOVER };

/// Redis stays away: what comes free has to go on from a memory.
pub const LASTING: World = World { name: "fallback: lasting", returns: false, ..TAKEOVER };

/// Who has fallen back stands still, and its clock may have been wrong.
pub const FROZEN: World =
    World { name: "fallback: frozen", left: Budget { outages: 1, freezes: 1, fast_clocks: 1, ..NONE }, ..TAKEOVER };

/// Who has fallen back dies, and Redis comes back empty.
pub const WIPED: World =
    World { name: "fallback: wiped", left: Budget { outages: 1, crashes: 1, wipes: 1, ..NONE }, ..TAKEOVER };

/// Redis comes back as it was at any earlier moment.
pub const STALE: World =
    World { name: "fallback: stale", left: Budget { outages: 1, failovers: 1, ..NONE }, ..TAKEOVER };

/// A lease that ends too early, while only one consumer lacks Redis.
pub const HASTY: World = World {
    name: "fallback: hasty",
    batches: 1,
    one_sided: true,
    left: Budget { outages: 1, takeovers: 1, hasty: 1, ..NONE },
    ..TAKEOVER
};

/// Who has fallen back is replaced by a newer release; a connection ends while a restore is under way.
pub const STOPPED: World =
    World { name: "fallback: stopped", left: Budget { outages: 1, stops: 1, lost: 1, ..NONE }, ..TAKEOVER };

/// Two units, both of which come free.
pub const PAIR: World =
    World { name: "fallback: two units", capacity: 2, cancels: 0b11, left: Budget { outages: 1, ..NONE }, ..TAKEOVER };

/// No standby: publishers send everybody away while the sale is exhausted. A restorer dies between its halves.
pub const FEED: World = World {
    name: "fallback: feed",
    standby_max: 0,
    batches: 1,
    one_sided: true,
    feeds: true,
    left: Budget { outages: 1, crashes: 1, ..NONE },
    ..TAKEOVER
};

pub const SMALL: &[World] = &[TAKEOVER, ONE_SIDED, LASTING, FROZEN, WIPED, STALE, HASTY, STOPPED, PAIR, FEED];

/// For `make prove`.
pub const LARGE: &[World] = &[
    World { name: "fallback: two units, takeover", left: Budget { outages: 1, takeovers: 1, ..NONE }, ..PAIR },
    World { name: "fallback: two units, wiped", left: Budget { outages: 1, wipes: 1, ..NONE }, ..PAIR },
    World { name: "fallback: hasty feed", left: Budget { outages: 1, crashes: 1, hasty: 1, ..NONE }, ..FEED },
    World { name: "fallback: hasty, two batches", batches: 2, ..HASTY },
    World {
        name: "fallback: stale, and a death",
        left: Budget { outages: 1, failovers: 1, crashes: 1, ..NONE },
        ..STALE
    },
    World {
        name: "fallback: stale takeover",
        left: Budget { outages: 1, failovers: 1, takeovers: 1, ..NONE },
        ..STALE
    },
    World { name: "fallback: two outages", left: Budget { outages: 2, takeovers: 1, ..NONE }, ..TAKEOVER },
    World {
        name: "fallback: takeover, and a death",
        left: Budget { outages: 1, takeovers: 1, crashes: 1, ..NONE },
        ..TAKEOVER
    },
    World {
        name: "fallback: lasting, and a death",
        left: Budget { outages: 1, takeovers: 2, crashes: 1, ..NONE },
        ..LASTING
    },
];
