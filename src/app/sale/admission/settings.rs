//! What an admission costs, and how long it lives.

use serde::Deserialize;

use crate::domain::sale::admission::NetworkPlaces;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long before a sale opens admissions to it are given, in milliseconds.
    pub ahead_ms: i64,
    /// How long one lives, in milliseconds, from the bell on or from when it was given; never longer than a hold. No longer than
    /// `regret_ms`, or a hold that is cancelled late is followed by another for nothing.
    pub admission_ms: i64,
    /// Whether holds that ended unpaid cost a wait.
    pub cool_off: bool,
    /// The wait after the first, in milliseconds; each later one is twice as long.
    pub cool_off_ms: i64,
    /// With so many a buyer is out of the sale.
    pub lapses_max: u32,
    /// A hold that its buyer cancels so soon, in milliseconds, costs nothing: so often in a sale.
    pub regret_ms: i64,
    pub regrets_max: u32,
    /// Whether a network (a /24, or of IPv6 a /64) has so many places in a sale and no more.
    pub network: bool,
    /// Of the buyers that a sale's units are enough for, each with as many as he may have, so many in a hundred may be of one network;
    /// but so many at least, and at most. With 0 at most, as many as come.
    pub network_percent: u32,
    pub network_places_min: u32,
    pub network_places_max: u32,
    /// Whether work is asked where many come.
    pub proof: bool,
    /// Buyers of one network, and calls for admissions to this process in a second, before work is asked.
    pub free_places: u32,
    pub free_per_s: u32,
    /// Zero bits that the first work must find; one more with each doubling, up to the most.
    pub bits: u8,
    pub bits_max: u8,
    /// How long the answer to a challenge is good, in milliseconds.
    pub proof_ms: i64,
    /// Calls of one buyer, and admissions of one buyer to one sale, in each window: in this process.
    pub calls_max: u32,
    pub given_max: u32,
    /// The window, in milliseconds.
    pub window_ms: i64,
    /// Buyers whose calls are counted, at most; more begin another window.
    pub buyers_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ahead_ms: 3_600_000,
            admission_ms: 60_000,
            cool_off: true,
            cool_off_ms: 60_000,
            lapses_max: 2,
            regret_ms: 60_000,
            regrets_max: 1,
            network: true,
            network_percent: 10,
            network_places_min: 5,
            network_places_max: 500,
            proof: true,
            free_places: 5,
            free_per_s: 200,
            bits: 16,
            bits_max: 22,
            proof_ms: 120_000,
            calls_max: 20,
            given_max: 5,
            window_ms: 60_000,
            buyers_max: 200_000,
        }
    }
}

impl Settings {
    /// Nothing where as many may come as do.
    pub fn network_places(&self) -> Option<NetworkPlaces> {
        let Self { network, network_percent: percent, network_places_min: least, network_places_max: most, .. } = *self;
        (network && most > 0).then_some(NetworkPlaces { percent, least, most })
    }

    /// A shop to try things in: nothing is asked of anybody.
    pub fn without_conditions(self) -> Self {
        Self { cool_off: false, network: false, proof: false, ..self }
    }
}
