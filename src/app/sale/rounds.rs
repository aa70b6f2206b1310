//! Going round all sales that matter, a part at a time, in a named time: the net under everything that follows what changes.
//!
//! Work on a sale begins with what moved it, which the ledger knows by an index; so an idle sale costs only its place
//! in the round, and that place is one of some hundreds in one read. Few sales are all in each part.

use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::{Catalogue, RoundPlace};

/// Sales in one part, at least: a shop of so few sees each of them every time.
const PART_MIN: u64 = 64;
/// How long a sale that is over is still gone by, in milliseconds. What is left of it after that is found by its own
/// work: an overdue hold, an unfreed row, a payment or a line, each by an index of its own.
const OVER_MS: i64 = 2 * 86_400_000;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The time in which every sale that matters is gone by once, in milliseconds. So long may pass before a publisher learns what it
    /// missed in spite of everything, or before a lost turnstile is found that is not asked anything.
    pub round_ms: u64,
    /// How long a sale is followed after something moved it, in milliseconds. Longer than a write takes from its time to its commit:
    /// what is committed later is found by the round.
    pub moved_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { round_ms: 60_000, moved_ms: 10_000 }
    }
}

/// Some sales that matter, and whether the round ends with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub sales: Vec<SaleId>,
    pub ends: bool,
}

/// Where one process is in its round. Nothing of it outlives the process: another begins at the beginning.
#[derive(Debug, Default)]
pub struct Round(Mutex<At>);

#[derive(Debug, Default, Clone, Copy)]
struct At {
    after: Option<RoundPlace>,
    part: u32,
}

impl Round {
    /// The next part of a round that has so many.
    pub async fn next(&self, catalogue: &dyn Catalogue, clock: &dyn Clock, parts: u64) -> Result<Part> {
        let now = clock.now();
        let At { after, mut part } = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if after.is_none() {
            let count = catalogue.sales_in_round(over(now)).await?;
            part = u32::try_from(count.div_ceil(parts.max(1)).max(PART_MIN)).unwrap_or(u32::MAX);
        }
        let (sales, next) = catalogue.sales_round(after.unwrap_or(start(now)), now, part).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = At { after: next, part };
        Ok(Part { sales, ends: next.is_none() })
    }
}

/// A whole round at once.
pub struct Whole {
    after: Option<RoundPlace>,
    now: Timestamp,
}

impl Whole {
    pub fn new(now: Timestamp) -> Self {
        Self { after: Some(start(now)), now }
    }

    /// The next part, of so many that are gone by; nothing when the round is over.
    pub async fn next(&mut self, catalogue: &dyn Catalogue, max: u32) -> Result<Option<Vec<SaleId>>> {
        let Some(after) = self.after else { return Ok(None) };
        let (sales, next) = catalogue.sales_round(after, self.now, max).await?;
        self.after = next;
        Ok(Some(sales))
    }
}

fn over(now: Timestamp) -> Timestamp {
    now.plus_ms(-OVER_MS)
}

fn start(now: Timestamp) -> RoundPlace {
    RoundPlace { closes_at: over(now), sale: SaleId(0) }
}
