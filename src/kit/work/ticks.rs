//! What is done again and again: at once, and then with so much time between two beginnings, or more where one takes longer.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::kit::work::lifecycle::Lifecycle;

/// Until the soft stop; what was begun is finished, or dropped at the hard stop.
pub async fn run_periodically<F: Future<Output = ()>>(
    period: Duration,
    lifecycle: &Lifecycle,
    mut work: impl FnMut() -> F,
) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = lifecycle.soft.cancelled() => return,
            _ = ticks.tick() => {}
        }
        tokio::select! {
            () = lifecycle.hard.cancelled() => return,
            () = work() => {}
        }
    }
}
