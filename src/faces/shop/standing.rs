//! Where a buyer stands in a sale, and waiting for it to change.
//!
//! A request that waits registers for notices first and reads the ledger then, so that a change is either read or told. A notice
//! only says "look": the answer is always what the ledger says.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use crate::app::sale::subscribers::Registration;
use crate::domain::sale::reservation::{Outcome, Reservation, State};
use crate::domain::shared::id::{AttemptId, BuyerId, SaleId};
use crate::faces::front::views::StandingView;
use crate::faces::shop::metric::Metric;
use crate::faces::shop::{Needs, Shop};
use crate::kit::work::backoff::doubling;
use crate::ports::Result;
use crate::ports::sale::reservations::Place;

/// Between looks of a waiting request while no notices come, on average.
const BLIND_LOOK: Duration = Duration::from_millis(1_000);

/// The same for a request that waits for an attempt's decision, at first, and at most. A refusal makes no row and sends no notice.
const DECISION_LOOK: Duration = Duration::from_millis(50);
const DECISION_LOOK_MAX: Duration = Duration::from_secs(2);

/// Who asks, and after what.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    pub sale: SaleId,
    pub buyer: BuyerId,
    /// A certain attempt, or else the buyer's live or last reservation.
    pub attempt: Option<AttemptId>,
    /// The version the caller knows already; it waits for another. 0: it knows of no reservation.
    pub version: Option<u64>,
}

/// What the ledger says; `None` when it says nothing of this buyer.
async fn look(needs: &Needs, asked: Asked) -> Result<Option<Outcome>> {
    let Asked { sale, buyer, attempt, .. } = asked;
    match attempt {
        Some(attempt) => needs.reservations.outcome(sale, buyer, attempt).await.map(Some),
        None => Ok(needs.reservations.reservation_of(sale, buyer).await?.map(Outcome::Reserved)),
    }
}

/// Looks, and while there is nothing the caller does not know, waits for a notice: at most this long, and not at all when too
/// many wait or the process is about to stop. A caller that does not say what it knows knows, of an attempt, that it is
/// undecided; and otherwise what there is now. `None` when there is nothing, or not even a sale.
pub async fn look_or_wait(shop: &Shop, asked: Asked, wait_ms: u64) -> Result<Option<Outcome>> {
    let registration = if wait_ms == 0 { None } else { shop.registry().register(asked.buyer, asked.sale).ok() };
    let seen = look(shop.needs(), asked).await?;
    if matches!(seen, None | Some(Outcome::Pending)) && shop.board().sale(asked.sale).await?.is_none() {
        return Ok(None);
    }
    match registration {
        Some(registration) => wait(shop, asked, wait_ms, registration, seen).await,
        None => {
            if wait_ms > 0 {
                metrics::counter!(Metric::WaitsShed.name()).increment(1);
            }
            Ok(seen)
        }
    }
}

async fn wait(
    shop: &Shop,
    asked: Asked,
    wait_ms: u64,
    registration: Registration,
    mut seen: Option<Outcome>,
) -> Result<Option<Outcome>> {
    let known = match (asked.version, asked.attempt) {
        (Some(version), _) => Some(version),
        (None, Some(_)) => Some(0),
        (None, None) => version(seen.as_ref()),
    };
    let mut hearing = shop.hearing();
    let until = Instant::now() + Duration::from_millis(wait_ms);
    let mut decision_looks = decision_looks().build();
    while version(seen.as_ref()) == known && Instant::now() < until && !shop.is_stopping() {
        let hears = *hearing.borrow_and_update();
        let next = match (&seen, hears) {
            (Some(Outcome::Pending), _) => decision_looks.next(),
            (_, false) => Some(BLIND_LOOK),
            (_, true) => None,
        };
        tokio::select! {
            _ = registration.next() => {}
            () = missed(&registration, until) => {}
            () = tokio::time::sleep_until(next_look(next, until)) => {}
            _ = hearing.changed() => {}
            () = shop.stopping() => {}
        }
        seen = look(shop.needs(), asked).await?;
    }
    Ok(seen)
}

/// What became of an attempt, or the reservation, as its buyer is told.
pub async fn standing_of(shop: &Shop, outcome: Outcome) -> Result<StandingView> {
    Ok(match outcome {
        Outcome::Pending => StandingView::of_attempt("pending"),
        Outcome::Refused => StandingView::of_attempt("refused"),
        Outcome::Already => StandingView::of_attempt("already"),
        Outcome::Reserved(row) => standing_of_row(shop, row).await?,
    })
}

pub async fn standing_of_row(shop: &Shop, row: Reservation) -> Result<StandingView> {
    let position = match row.state {
        State::Standby { .. } => shop.needs().reservations.position(row.id).await?,
        _ => None,
    };
    StandingView::of_place(shop, &*shop.needs().orders, Place { row, position }).await
}

/// `None` of what will never change.
fn version(seen: Option<&Outcome>) -> Option<u64> {
    match seen {
        None | Some(Outcome::Pending) => Some(0),
        Some(Outcome::Refused | Outcome::Already) => None,
        Some(Outcome::Reserved(Reservation { version, .. })) => Some(*version),
    }
}

/// Notices may have been lost: waiting requests look, each at its own time.
async fn missed(registration: &Registration, until: Instant) {
    registration.missed().await;
    let pause = BLIND_LOOK.mul_f64(fastrand::f64());
    tokio::time::sleep_until(until.min(Instant::now() + pause)).await;
}

/// Requests that get no notice look by themselves, each at its own time.
fn next_look(look: Option<Duration>, until: Instant) -> Instant {
    let Some(look) = look else { return until };
    until.min(Instant::now() + look.mul_f64(0.5 + fastrand::f64()))
}

fn decision_looks() -> ExponentialBuilder {
    doubling(DECISION_LOOK, DECISION_LOOK_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_looked_for_at_longer_and_longer_times() {
        let looks_ms = decision_looks().build().map(|look| look.as_millis());
        assert_eq!(looks_ms.take(8).collect::<Vec<_>>(), [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
    }
}
