//! Giving back after payment: an operator's decision. First the ledger, in one transaction; then the wake-up for whoever takes
//! the units back and gives them on. The money is asked for by the payment-consumer, until the provider has given it.

use crate::ports::fault::Point;
use crate::ports::ledger::{GiveBack, Given, GivenBack, Ledger};
use crate::ports::{Result, World};
use crate::services::gateway::Settings;
use crate::services::gateway::effort::{tell, wake_ended};
use crate::services::gateway::metric::Metric;

/// Once for each unit: asked again, it finds them gone.
pub async fn give_back<W: World>(world: &W, settings: &Settings, what: &GiveBack) -> Result<GivenBack> {
    let given = world.store().give_back(what, world.clock().now()).await?;
    world.faults().reach(Point::GiveBackAfterLedger).await;
    if let GivenBack::Done(given) = &given {
        let Given { row, ended, .. } = &**given;
        metrics::counter!(Metric::Refunds.name()).increment(1);
        let wake = wake_ended(world, settings, row.sale, *ended);
        tokio::join!(tell(world, settings, row), wake);
    }
    Ok(given)
}
