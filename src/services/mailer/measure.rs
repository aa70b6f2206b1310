//! How many letters are still to be sent, and how long the oldest has waited: what an operator is woken by.

use std::time::Duration;

use crate::ports::World;
use crate::ports::letters::Letters;
use crate::runtime::lifecycle::Lifecycle;
use crate::services::mailer::metric::Metric;
use crate::services::ticks::every;

const EVERY: Duration = Duration::from_secs(1);

pub async fn measure<W: World>(world: &W, lifecycle: &Lifecycle) {
    every(EVERY, lifecycle, || look(world)).await;
}

async fn look<W: World>(world: &W) {
    match world.store().unsent().await {
        Ok(unsent) => {
            let waits_ms = unsent.oldest.map_or(0, |oldest| world.clock().now().since_ms(oldest).max(0));
            metrics::gauge!(Metric::Unsent.name()).set(unsent.letters as f64);
            metrics::gauge!(Metric::Refused.name()).set(unsent.refused as f64);
            metrics::gauge!(Metric::OldestSeconds.name()).set(waits_ms as f64 / 1_000.0);
        }
        Err(fault) => {
            metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
            tracing::warn!(%fault, "unsent letters are counted again in a while");
        }
    }
}
