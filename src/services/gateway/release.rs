//! Letting go: the buyer's own decision. First the ledger, then the wake-up for whoever gives the units on; when that one is
//! lost, the sweeper finds the ended row that nobody freed.

use crate::domain::id::{BuyerId, SaleId};
use crate::domain::reservation::{Kind, Reservation};
use crate::ports::fault::Point;
use crate::ports::ledger::Ledger;
use crate::ports::{Result, World};
use crate::services::gateway::Settings;
use crate::services::gateway::effort::{tell, wake};
use crate::services::gateway::metric::Metric;

/// The buyer's live or last reservation as it reads afterwards: cancelled, if it was held or on standby.
pub async fn cancel<W: World>(
    world: &W,
    settings: &Settings,
    sale: SaleId,
    buyer: BuyerId,
) -> Result<Option<Reservation>> {
    let Some(before) = world.store().reservation_of(sale, buyer).await? else { return Ok(None) };
    let Some(row) = world.store().cancel(before.id, buyer, world.clock().now()).await? else { return Ok(None) };
    world.faults().reach(Point::CancelAfterLedger).await;
    let is_cancelled_now = row.version > before.version && row.state.kind() == Kind::Cancelled;
    if is_cancelled_now {
        metrics::counter!(Metric::Cancels.name()).increment(1);
        tokio::join!(tell(world, settings, &row), wake(world, settings, &row));
    }
    Ok(Some(row))
}
