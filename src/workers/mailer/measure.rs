//! How many letters are still to be sent, and how long the oldest has waited: what an operator is woken by.

use std::time::Duration;

use crate::app::mail::Needs;
use crate::app::mail::metric::Metric;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;

const EVERY: Duration = Duration::from_secs(1);

pub async fn measure(needs: &Needs, lifecycle: &Lifecycle) {
    run_periodically(EVERY, lifecycle, || look(needs)).await;
}

async fn look(needs: &Needs) {
    match needs.letters.unsent().await {
        Ok(unsent) => {
            let waits_ms = unsent.oldest.map_or(0, |oldest| needs.clock.now().since_ms(oldest).max(0));
            metrics::gauge!(Metric::Unsent.name()).set(unsent.letters as f64);
            metrics::gauge!(Metric::Refused.name()).set(unsent.refused as f64);
            metrics::gauge!(Metric::OldestSeconds.name()).set(waits_ms as f64 / 1_000.0);
        }
        Err(fault) => {
            metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
            tracing::warn!(%fault, "unsent letters could not be counted");
        }
    }
}
