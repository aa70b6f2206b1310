//! Letting go: the buyer's own decision. First the ledger, then a wake-up for the payment-consumer, which gives the units on; when
//! that is lost, the sweeper finds the ended row that is not freed.

use crate::app::sale::best_effort::{self, Effort, wake};
use crate::app::sale::metric::Metric;
use crate::app::sale::points;
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports::Result;
use std::sync::Arc;

use crate::app::sale::tell;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::sale::reservations::Reservations;

#[derive(Clone)]
pub struct Needs {
    pub reservations: Arc<dyn Reservations>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
}

/// The buyer's live or last reservation as it reads afterwards: cancelled, if it was held or on standby.
pub async fn cancel(needs: &Needs, effort: Effort, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>> {
    let Some(before) = needs.reservations.reservation_of(sale, buyer).await? else { return Ok(None) };
    let Some(row) = needs.reservations.cancel(before.id, buyer, needs.clock.now()).await? else { return Ok(None) };
    needs.faults.reach(points::CANCEL_AFTER_LEDGER).await;
    let is_cancelled_now = row.version > before.version && row.state.kind() == Kind::Cancelled;
    if is_cancelled_now {
        metrics::counter!(Metric::Cancels.name()).increment(1);
        tokio::join!(best_effort::tell(&needs.tell, effort, &row), wake(&needs.tell, effort, &row));
    }
    Ok(Some(row))
}
