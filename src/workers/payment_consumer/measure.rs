//! How late the oldest work of each kind is, and how much waits in every queue: read by each payment-consumer, so that it is
//! known as long as one of them lives. Alarms take the largest.

use std::time::Duration;

use crate::domain::shared::time::Timestamp;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::Fault;
use crate::workers::payment_consumer::Needs;
use crate::workers::payment_consumer::metric::Metric;

const EVERY: Duration = Duration::from_secs(2);

pub(super) async fn measure(needs: &Needs, lifecycle: &Lifecycle) {
    run_periodically(EVERY, lifecycle, || look(needs)).await;
}

pub async fn look(needs: &Needs) {
    if let Err(fault) = lags(needs).await {
        failed(&fault);
    }
    if let Err(fault) = depths(needs).await {
        failed(&fault);
    }
}

async fn lags(needs: &Needs) -> Result<(), Fault> {
    let lags = needs.lagging.lags().await?;
    let now = needs.clock.now();
    for (metric, since) in [
        (Metric::OverdueSeconds, lags.lapses_at),
        (Metric::UnfreedSeconds, lags.unfreed_since),
        (Metric::PayingSeconds, lags.paying_since),
        (Metric::RefundDueSeconds, lags.refund_due_since),
    ] {
        metrics::gauge!(metric.name()).set(late_s(now, since));
    }
    metrics::gauge!(Metric::RefundsFailed.name()).set(lags.refunds_failed as f64);
    Ok(())
}

/// Not late at all where there is none, or its time is still to come.
fn late_s(now: Timestamp, since: Option<Timestamp>) -> f64 {
    since.map_or(0, |since| now.since_ms(since).max(0)) as f64 / 1_000.0
}

async fn depths(needs: &Needs) -> Result<(), Fault> {
    for depth in needs.depths.depths().await? {
        metrics::gauge!(Metric::QueueMessages.name(), "queue" => depth.queue).set(depth.messages as f64);
    }
    Ok(())
}

fn failed(fault: &Fault) {
    metrics::counter!(Metric::Faults.name(), "work" => "measure", "part" => fault.part).increment(1);
    tracing::warn!(%fault, "lags or queue depths could not be measured");
}
