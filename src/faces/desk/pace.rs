//! How a running sale goes, for who watches it: figures of the ledger, and of its newest turns how many attempts were decided
//! in the last seconds, how, and after what time. A moment old, so that many who watch ask once.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::sale::catalogue_cache::{REMEMBERED_MAX, TtlCache};
use crate::domain::sale::turn::{Cause, tally};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::Needs;
use crate::ports::Result;
use crate::ports::audit::auditing::{Pace, RecordedTurn};
use crate::ports::sale::restoring::SaleTotals;

/// How far back "lately" reaches.
const WINDOW_MS: i64 = 5_000;
const AGE_MAX: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Live {
    sale_id: SaleId,
    capacity: u32,
    /// Units.
    sold: u32,
    held: u32,
    blocked: u32,
    /// Parties.
    standby: u32,
    /// Reservations, since the sale began.
    lapsed: u32,
    /// Ended reservations whose units were not given on yet.
    unfreed: u32,
    generation: u64,
    revision: u64,
    lately: Lately,
    server_time: Timestamp,
}

/// Attempts that were decided within the window, by their outcomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, ToSchema)]
pub struct Lately {
    #[schema(minimum = 0)]
    window_ms: i64,
    attempts: u64,
    taken: u64,
    stood_by: u64,
    already: u64,
    refused: u64,
    attempts_per_s: f64,
    /// From the batch's making to its record, of the middle attempt and of the slowest hundredth.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    answer_ms_p50: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    answer_ms_p99: Option<u64>,
}

pub struct Paces(TtlCache<SaleId, Option<Arc<Live>>>);

impl Paces {
    pub fn new() -> Self {
        Self(TtlCache::new(AGE_MAX, REMEMBERED_MAX))
    }

    /// `None` when there is no such sale.
    pub async fn of(&self, needs: &Needs, sale: SaleId, turns_max: u32) -> Result<Option<Arc<Live>>> {
        let fetch = async {
            let Some(standing) = needs.restoring.standing(sale).await? else { return Ok(None) };
            let pace = needs.auditing.pace(sale, turns_max).await?;
            Ok(Some(Arc::new(live(standing, &pace, turns_max, needs.clock.now()))))
        };
        self.0.get(sale, fetch).await
    }
}

fn live(standing: SaleTotals, pace: &Pace, turns_max: u32, now: Timestamp) -> Live {
    Live {
        sale_id: standing.sale,
        capacity: standing.allotment.capacity,
        sold: standing.sold,
        held: standing.pending,
        blocked: standing.blocked,
        standby: standing.standby,
        lapsed: pace.lapsed,
        unfreed: standing.unfreed,
        generation: standing.generation,
        revision: standing.revision,
        lately: lately(&pace.turns, turns_max, now),
        server_time: now,
    }
}

fn lately(turns: &[RecordedTurn], turns_max: u32, now: Timestamp) -> Lately {
    // When there are more turns than were read, the window is as long as those that were.
    let oldest = turns.last().filter(|_| turns.len() >= turns_max as usize).map(|turn| now.since_ms(turn.recorded_at));
    let window_ms = oldest.map_or(WINDOW_MS, |age_ms| age_ms.clamp(1, WINDOW_MS));
    let mut lately = Lately { window_ms, ..Lately::default() };
    let mut waits: Vec<(u64, u64)> = Vec::new();
    for turn in turns.iter().take_while(|turn| now.since_ms(turn.recorded_at) <= window_ms) {
        let Cause::Batch(batch) = turn.cause else { continue };
        let attempts = turn.outcomes.len() as u64;
        lately.attempts += attempts;
        let [taken, standby, already, refused] = tally(&turn.outcomes);
        lately.taken += taken;
        lately.stood_by += standby;
        lately.already += already;
        lately.refused += refused;
        waits.push(((turn.recorded_at.0.max(0) as u64).saturating_sub(batch.made_ms()), attempts));
    }
    lately.attempts_per_s = lately.attempts as f64 * 1_000.0 / window_ms as f64;
    waits.sort_unstable();
    lately.answer_ms_p50 = after(&waits, lately.attempts.div_ceil(2));
    lately.answer_ms_p99 = after(&waits, (lately.attempts * 99).div_ceil(100));
    lately
}

/// The time within which so many attempts were answered.
fn after(waits: &[(u64, u64)], attempts: u64) -> Option<u64> {
    let mut seen = 0;
    waits
        .iter()
        .find(|(_, count)| {
            seen += count;
            seen >= attempts
        })
        .map(|(wait_ms, _)| *wait_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pace_is_told_until_it_is_too_old() {
        let paces = Paces::new();
        let mut fetches = Vec::new();
        for ms in [0, 499, 1] {
            tokio::time::advance(Duration::from_millis(ms)).await;
            let mut fetched = false;
            let fetch = async {
                fetched = true;
                Ok(None)
            };
            paces.0.get(SaleId(1), fetch).await.unwrap();
            fetches.push(fetched);
        }
        assert_eq!(fetches, [true, false, true]);
    }
}
