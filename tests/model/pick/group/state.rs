//! Everything that can differ between two moments.

use super::GATEWAYS;

/// Picks: at most.
pub const N: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Said {
    #[default]
    Unasked,
    Asked,
    Granted,
    Taken,
    Limit,
    /// The transaction failed.
    Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Stage {
    #[default]
    Idle,
    Begun,
    Judged,
}

/// What a buyer has, by units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Has {
    pub open: u8,
    pub paid: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Transaction {
    pub stage: Stage,
    pub picks: u8,
    /// What it read, and what it would write.
    pub seen: [Has; 2],
    pub said: [Said; N],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct State {
    pub has: [Has; 2],
    pub said: [Said; N],
    pub transactions: [Transaction; GATEWAYS],
    /// By a gateway.
    pub lock: Option<u8>,
    /// Bits: gateways that have locked the gap they count in.
    pub gaps: u8,
    pub failures: u8,
    pub broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    Oversell,
    Limit,
    Answer,
    Alone,
    Deadlock,
}

/// By anybody.
pub fn taken(has: &[Has; 2]) -> u8 {
    has.iter().fold(0, |taken, has| taken | has.open | has.paid)
}
