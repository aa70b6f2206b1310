//! The keys of one sale. All share a hash tag, so that a cluster keeps them together and a script may touch them all; every
//! script gets the first so many of them, in this order.

use fred::types::Key;

use crate::domain::sale::PARTY_MAX;
use crate::domain::shared::id::SaleId;
use crate::ports::sale::places::Place;

/// Of each sale, but for the standby lines: figures, units handed back, live reservations, their buyers, kept answers and
/// the order in which those were given.
pub const NAMES: [&str; 6] = ["sale", "returned", "live", "buyers", "answers", "answered"];

/// With one standby line for each party size.
pub const KEYS_MAX: usize = NAMES.len() + PARTY_MAX as usize;

/// `{namespace:sale}:name`
pub fn keys(namespace: &str, sale: SaleId, count: usize) -> Vec<Key> {
    let plain = NAMES.iter().map(|name| format!("{{{namespace}:{sale}}}:{name}"));
    let lines = (1..=PARTY_MAX).map(|quantity| format!("{{{namespace}:{sale}}}:line:{quantity}"));
    plain.chain(lines).take(count).map(Key::from).collect()
}

/// Who was admitted to a sale from one network: by its own tag, so that a sale's networks are spread over all servers.
pub fn places(namespace: &str, Place { sale, network, .. }: Place<'_>) -> Key {
    Key::from(format!("{{{namespace}:{sale}:{network}}}:places"))
}

/// Failed tries under a key: how many, and the wait before the next.
pub fn tries(namespace: &str, key: &str) -> [Key; 2] {
    ["tries", "wait"].map(|name| Key::from(format!("{{{namespace}:{key}}}:{name}")))
}
