//! Holding a unit in one call: an attempt that would not wait goes the way of every attempt, and whoever asked is told what became of
//! it. For who stands at a counter, and is gone or has a hold to confirm a moment later.
//!
//! Those that are there together share batches: a group for each partition of the queue, so that sales that do not share a consumer do
//! not wait for each other. A group is sent, and looked for until it is decided: one read for all of it, at longer and longer times.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use backon::BackoffBuilder;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use crate::app::sale::catalogue_cache::CachedSale;
use crate::domain::sale::Phase;
use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{AttemptId, BatchId, BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::kit::work::backoff::doubling;
use crate::kit::work::chance::chance;
use crate::kit::work::groups::{Groups, Limits, Missed};
use crate::ports::platform::clock::Clock;
use crate::ports::platform::tasks::Tasks;
use crate::ports::sale::attempts::{Attempts, Shed, partition_of};
use crate::ports::sale::reservations::Reservations;
use crate::ports::{Fault, Result};

/// Attempts in one group; a batch has room for all of them.
const GROUP_MAX: usize = 512;
/// Attempts of one partition that wait for the next group; one more is told to come again.
const WAITING_MAX: usize = 8_192;
/// How long a group is looked for; then its buyers are told that it is not decided yet.
const DECISION_MS_MAX: u64 = 8_000;
/// How long a caller waits in all, so that those behind a partition which stands still do not wait for each other's groups.
const CALL_MS_MAX: u64 = 10_000;
/// Between two looks at first, and at most.
const LOOK: Duration = Duration::from_millis(2);
const LOOK_LAST: Duration = Duration::from_millis(100);

#[derive(Clone)]
pub struct Needs {
    pub attempts: Arc<dyn Attempts>,
    pub reservations: Arc<dyn Reservations>,
    pub clock: Arc<dyn Clock>,
}

/// What came of asking for units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// There is a reservation: a hold to be confirmed, or what a purchase before has become.
    Reserved(ReservationId),
    /// Taken in, and not decided yet.
    Pending(AttemptId),
    SoldOut,
    /// The sale takes no attempts at this moment.
    NotOpen(Phase),
    /// More come than can be taken in; nothing was done, or another try is harmless.
    Busy,
}

/// Whether this buyer may have been here before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comes {
    /// Never: the number was made up for this call.
    New,
    /// The same purchase is asked for under the same number, whatever became of it.
    Again,
    /// Somebody with a name, who may buy again what was given back.
    Known,
}

struct Wanted {
    sale: SaleId,
    attempt: Attempt,
}

#[derive(Debug, Clone, Copy)]
enum Decision {
    Taken(AttemptId),
    Already,
    Refused,
    Pending(AttemptId),
    Shed,
}

/// One process's.
pub struct Counter {
    needs: Needs,
    lanes: Vec<Groups<Wanted, Decision>>,
}

impl Counter {
    pub fn start(needs: Needs, tasks: &dyn Tasks) -> Self {
        let limits = Limits { group_max: GROUP_MAX, waiting_max: WAITING_MAX };
        let lane = |_| {
            let needs = needs.clone();
            Groups::start(tasks, "at_once", limits, move |wanted| decide(needs.clone(), wanted))
        };
        let lanes = (0..needs.attempts.partitions().max(1)).map(lane).collect();
        Self { needs, lanes }
    }

    /// A unit for this buyer. Of a caller that goes away the attempt is decided all the same, and lapses soon.
    pub async fn hold(&self, shown: &CachedSale, buyer: BuyerId, comes: Comes, now: Timestamp) -> Result<Hold> {
        let sale = shown.sale.id;
        if comes != Comes::New
            && let Some(row) = self.needs.reservations.reservation_of(sale, buyer).await?
            && is_the_purchase(&row, comes)
        {
            return Ok(Hold::Reserved(row.id));
        }
        let phase = shown.sale.phase(now);
        if phase != Phase::Open {
            return Ok(Hold::NotOpen(phase));
        }
        if shown.left == 0 {
            return Ok(Hold::SoldOut);
        }
        let lane = &self.lanes[usize::from(partition_of(sale, self.lanes.len() as u16))];
        let wanted = Wanted { sale, attempt: Attempt { buyer, quantity: 1, waits: false } };
        let Ok(decided) = timeout(Duration::from_millis(CALL_MS_MAX), lane.try_ask(wanted)).await else {
            return Ok(Hold::Busy);
        };
        Ok(match decided {
            Err(Missed::Full) | Ok(Decision::Shed) => Hold::Busy,
            Err(Missed::Broken) => return Err(Fault::new("counter", "the counter has stopped")),
            Ok(Decision::Taken(attempt)) => Hold::Reserved(attempt.into()),
            Ok(Decision::Pending(attempt)) => Hold::Pending(attempt),
            Ok(Decision::Refused) => Hold::SoldOut,
            // Two of this buyer's at once: the other one's is it.
            Ok(Decision::Already) => match self.needs.reservations.reservation_of(sale, buyer).await? {
                Some(row) if is_the_purchase(&row, comes) => Hold::Reserved(row.id),
                // It has ended, and its unit is on its way back.
                _ => Hold::Busy,
            },
        })
    }
}

/// Whether this reservation is what is asked for, and no other is to be made.
fn is_the_purchase(row: &Reservation, comes: Comes) -> bool {
    row.state.kind().is_live() || (comes == Comes::Again && row.state.kind() == Kind::Refunded)
}

/// Sale by sale, each in the order in which they came.
async fn decide(needs: Needs, wanted: Vec<Wanted>) -> Vec<Decision> {
    let mut sales: BTreeMap<SaleId, Vec<usize>> = BTreeMap::new();
    for (place, wanted) in wanted.iter().enumerate() {
        sales.entry(wanted.sale).or_default().push(place);
    }
    let decided = sales.iter().map(|(&sale, places)| {
        let attempts = places.iter().map(|&place| wanted[place].attempt).collect();
        decide_sale(&needs, sale, attempts)
    });
    let mut decisions = vec![Decision::Shed; wanted.len()];
    for (places, decided) in sales.values().zip(join_all(decided).await) {
        places.iter().zip(decided).for_each(|(&place, decision)| decisions[place] = decision);
    }
    decisions
}

async fn decide_sale(needs: &Needs, sale: SaleId, attempts: Vec<Attempt>) -> Vec<Decision> {
    let count = attempts.len();
    let id = BatchId::new(needs.clock.now().0.max(0) as u64, u64::from_be_bytes(chance()));
    let batch = Batch { id, sale, attempts, traced: Vec::new() };
    match needs.attempts.submit(batch).await {
        // What was slow may be on its way: it is looked for, and not sent again.
        Ok(()) | Err(Shed::Slow) => {}
        Err(shed) => {
            tracing::debug!(sale.id = %sale, attempts = count, %shed, "a batch of the counter was not taken in");
            return vec![Decision::Shed; count];
        }
    }
    let codes = outcomes(needs, sale, id).await;
    let decision = |place| match codes.as_ref().map(|codes| codes.get(place)) {
        None => Decision::Pending(id.attempt(place)),
        Some(Some(b'T')) => Decision::Taken(id.attempt(place)),
        Some(Some(b'A')) => Decision::Already,
        // One that would not wait never does.
        Some(_) => Decision::Refused,
    };
    (0..count).map(decision).collect()
}

/// Nothing where it is not decided in time. A ledger that does not answer is asked again.
async fn outcomes(needs: &Needs, sale: SaleId, batch: BatchId) -> Option<Vec<u8>> {
    let until = Instant::now() + Duration::from_millis(DECISION_MS_MAX);
    let mut looks = doubling(LOOK, LOOK_LAST).build();
    loop {
        let pause = looks.next().unwrap_or(LOOK_LAST);
        if Instant::now() + pause > until {
            return None;
        }
        tokio::time::sleep(pause).await;
        match needs.reservations.decided(sale, &[batch]).await {
            Ok(decided) if decided.is_empty() => {}
            Ok(decided) => return decided.into_iter().next().map(|(_, codes)| codes),
            Err(fault) => tracing::info!(sale.id = %sale, %fault, "what the counter sent is looked for again"),
        }
    }
}

#[cfg(test)]
mod tests;
