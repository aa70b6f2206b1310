//! Steps that are only there to be quick. Each is bounded in time and forgiven when it fails: a buyer who is not told can ask,
//! and what is not woken is found by the sweeper.

use std::time::Duration;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::reservation::Reservation;
use crate::ports::deadlines::{Deadline, Deadlines};
use crate::ports::{Fault, Result, World};
use crate::runtime::telemetry::trace::marks_of;
use crate::services::gateway::Settings;
use crate::services::gateway::metric::Metric;
use crate::services::tell::notify;
use crate::services::traced::{Way, sends};

/// Tries it, and counts it when it fails; says whether it was done.
pub async fn try_to(what: &'static str, settings: &Settings, step: impl Future<Output = Result<()>>) -> bool {
    let within = Duration::from_millis(settings.effort_ms_max);
    let done = tokio::time::timeout(within, step).await;
    let Err(fault) = done.unwrap_or_else(|_| Err(Fault::new("world", "no answer in time"))) else { return true };
    tracing::info!(fault.part = fault.part, "could not {what}: {fault}");
    metrics::counter!(Metric::Omissions.name(), "what" => what).increment(1);
    false
}

/// Tells the buyer what the row says. Where that cannot be done, it is said to be missed by whoever could not do it.
pub async fn tell<W: World>(world: &W, settings: &Settings, row: &Reservation) {
    try_to("tell", settings, notify(world, std::slice::from_ref(row))).await;
}

/// An ended row's units go on to the next in line now, and not when the sweeper comes by.
pub async fn wake<W: World>(world: &W, settings: &Settings, row: &Reservation) {
    if row.freed || row.state.kind().is_live() {
        return;
    }
    wake_ended(world, settings, row.sale, row.id).await;
}

/// Of a row that has just ended.
pub async fn wake_ended<W: World>(world: &W, settings: &Settings, sale: SaleId, ended: ReservationId) {
    let span = sends(Way::Deadlines, 1, &marks_of(std::iter::once(ended)));
    let deadline = Deadline { sale, reservations: vec![ended], traced: span.marks() };
    try_to("wake", settings, span.around(world.signals().schedule(deadline, 0))).await;
}
