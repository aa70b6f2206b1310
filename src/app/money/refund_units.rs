//! Giving back after payment: an operator's decision. First the ledger, in one transaction; then a wake-up, upon which the
//! payment-consumer takes the units back and gives them on, and asks the provider for the money until it has gone back.

use crate::app::money::Needs;
use crate::app::money::metric::Metric;
use crate::app::money::points;
use crate::app::sale::best_effort::{Effort, tell, wake_ended};
use crate::domain::people::author::Author;
use crate::ports::Result;
use crate::ports::money::refunds::{RefundOutcome, RefundRequest, RefundedUnits};

/// Once for each unit: asked again, it finds them gone.
pub async fn refund_units(needs: &Needs, effort: Effort, what: &RefundRequest, by: &Author) -> Result<RefundOutcome> {
    let given = needs.refunds.refund_units_by(what, needs.clock.now(), Some(by)).await?;
    needs.faults.reach(points::GIVE_BACK_AFTER_LEDGER).await;
    if let RefundOutcome::Done(given) = &given {
        let RefundedUnits { row, ended, .. } = &**given;
        metrics::counter!(Metric::Refunds.name()).increment(1);
        let wake = wake_ended(&needs.tell, effort, row.sale, *ended);
        tokio::join!(tell(&needs.tell, effort, row), wake);
    }
    Ok(given)
}
