//! The tender: what is over is certified and removed, a step at a time, for as long as the process lives.
//!
//! It is in nobody's way: nothing waits for it, and a step that fails is tried again with the next.

use std::time::Duration;

use crate::app::audit::tend::Tender;
use crate::app::audit::tend::metric::Metric;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;

/// Until the soft stop; a step that was begun is finished, or its last piece undone at the hard stop.
pub async fn run(tender: Tender, lifecycle: Lifecycle) {
    Metric::describe();
    let tender = &tender;
    let period = Duration::from_millis(tender.settings().tend_ms);
    run_periodically(period, &lifecycle, || async {
        if let Err(fault) = tender.step().await {
            tracing::warn!(%fault, "removing what is over failed and is tried again");
        }
    })
    .await;
}
