//! Steps that are only there to be quick. Each is bounded in time and forgiven when it fails: a buyer who is not told can ask,
//! and what is not woken is found by the sweeper.

use std::time::Duration;

use crate::app::sale::metric::Metric;
use crate::app::sale::tell::{self, notify};
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::kit::telemetry::trace::marks_of;
use crate::kit::telemetry::traced::{Way, sends};
use crate::ports::sale::deadlines::{DEADLINE_MAX, Deadline};
use crate::ports::{Fault, Result};

/// How long a step may take that is only there to be quick.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    pub within: Duration,
}

/// Tries it, and counts it when it fails; says whether it was done.
pub async fn best_effort(what: &'static str, effort: Effort, step: impl Future<Output = Result<()>>) -> bool {
    let done = tokio::time::timeout(effort.within, step).await;
    let Err(fault) = done.unwrap_or_else(|_| Err(Fault::new("world", "no answer in time"))) else { return true };
    tracing::info!(what, fault.part = fault.part, %fault, "a best-effort step failed");
    metrics::counter!(Metric::BestEffortFailures.name(), "what" => what).increment(1);
    false
}

/// Tells the buyer what the row says. Where that fails, it is reported as missed.
pub async fn tell(needs: &tell::Needs, effort: Effort, row: &Reservation) {
    best_effort("tell", effort, notify(needs, std::slice::from_ref(row))).await;
}

/// An ended row's units go on to the next in line now, and not when the sweeper comes by.
pub async fn wake(needs: &tell::Needs, effort: Effort, row: &Reservation) {
    if row.freed || row.state.kind().is_live() {
        return;
    }
    wake_ended(needs, effort, row.sale, row.id).await;
}

/// Of a row that has just ended.
pub async fn wake_ended(needs: &tell::Needs, effort: Effort, sale: SaleId, ended: ReservationId) {
    wake_all(needs, effort, sale, &[ended]).await;
}

/// Of rows that have just ended.
pub async fn wake_all(needs: &tell::Needs, effort: Effort, sale: SaleId, ended: &[ReservationId]) {
    for ended in ended.chunks(DEADLINE_MAX) {
        let span = sends(Way::Deadlines, 1, &marks_of(ended.iter().copied()));
        let deadline = Deadline { sale, reservations: ended.to_vec(), traced: span.marks() };
        best_effort("wake", effort, span.around(needs.deadlines.schedule(deadline, 0))).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_step_is_given_up_after_its_time() {
        let effort = Effort { within: Duration::from_millis(70) };
        let begun = Instant::now();
        assert!(!best_effort("wait for ever", effort, std::future::pending()).await);
        assert_eq!(begun.elapsed().as_millis(), 70);
    }
}
