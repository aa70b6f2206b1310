//! After the ledger: notices for buyers and alarms for holds, both made from rows and from nothing else.
//!
//! Everything here may happen twice or be lost, and nothing waits for it longer than a named time: a second alarm finds nothing
//! to do, a lost one is made good by the sweeper, a notice that could not be told is said to be missed, and a buyer who asks
//! gets the truth of the ledger. What was left out is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, timeout_at};

use crate::domain::sale::notice::Notice;
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::kit::telemetry::trace::marks_of;
use crate::kit::telemetry::traced::{Way, record_error, sends};
use crate::ports::platform::fault::{Faults, Point};
use crate::ports::sale::deadlines::{DEADLINE_MAX, Deadline, Deadlines};
use crate::ports::sale::notices::Notices;
use crate::ports::{Fault, Result};

/// Notices sent in one call, at most.
const NOTICES_MAX: usize = 512;

pub const OMISSIONS_TOTAL: &str = "miaosha_omissions_total";

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How long the alarms of a group may take to be confirmed, in milliseconds, at most; then they are left to the sweeper.
    pub alarm_ms_max: u64,
    /// How long the notices of a group may take, in milliseconds, at most; then they are said to be missed.
    pub notice_ms_max: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { alarm_ms_max: 1_000, notice_ms_max: 1_000 }
    }
}

/// Of the counter; every service that tells calls it once.
pub fn describe() {
    metrics::describe_counter!(
        OMISSIONS_TOTAL,
        "What was not confirmed in time and left out, by what: alarms, which the sweeper makes good, and notices."
    );
    // There from the beginning, so that the first one is seen.
    for what in ["alarms", "notices"] {
        metrics::counter!(OMISSIONS_TOTAL, "what" => what).increment(0);
    }
}

/// Where a worker can be stopped while it tells.
#[derive(Debug, Clone, Copy)]
pub struct Points {
    pub after_notice: Point,
    pub after_deadline: Point,
}

#[derive(Clone)]
pub struct Needs {
    pub notices: Arc<dyn Notices>,
    pub deadlines: Arc<dyn Deadlines>,
    pub faults: Arc<dyn Faults>,
}

/// Notices first: people wait for them. `hold_ms` is the sale's.
pub async fn tell(needs: &Needs, settings: &Settings, rows: &[Reservation], hold_ms: i64, points: Points) {
    try_to_notify(needs, settings, rows).await;
    needs.faults.reach(points.after_notice).await;
    try_to_wake(needs, settings, rows, hold_ms).await;
    needs.faults.reach(points.after_deadline).await;
}

/// Tells the buyers what their rows say, if that can be done in time.
pub async fn try_to_notify(needs: &Needs, settings: &Settings, rows: &[Reservation]) {
    let until = Instant::now() + Duration::from_millis(settings.notice_ms_max);
    let told = timeout_at(until, notify(needs, rows)).await;
    if let Err(fault) = told.unwrap_or_else(|_| Err(late())) {
        left_out("notices", rows.len(), &fault);
        let sales: BTreeSet<SaleId> = rows.iter().map(|row| row.sale).collect();
        sales.into_iter().for_each(|sale| needs.notices.missed(sale));
    }
}

/// Sets an alarm for every hold among the rows, all of sales with this hold, if that can be done in time. For holds that began a
/// while ago it rings late; the sweeper is there first.
pub async fn try_to_wake(needs: &Needs, settings: &Settings, rows: &[Reservation], hold_ms: i64) {
    let until = Instant::now() + Duration::from_millis(settings.alarm_ms_max);
    let mut holds: BTreeMap<SaleId, Vec<ReservationId>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state.kind() == Kind::Held) {
        holds.entry(row.sale).or_default().push(row.id);
    }
    let mut left: usize = holds.values().map(Vec::len).sum();
    for (sale, ids) in holds {
        for reservations in ids.chunks(DEADLINE_MAX) {
            let set = timeout_at(until, wake(needs, sale, reservations, hold_ms)).await;
            if let Err(fault) = set.unwrap_or_else(|_| Err(late())) {
                return left_out("alarms", left, &fault);
            }
            left -= reservations.len();
        }
    }
}

async fn wake(needs: &Needs, sale: SaleId, reservations: &[ReservationId], hold_ms: i64) -> Result<()> {
    let span = sends(Way::Deadlines, 1, &marks_of(reservations.iter().copied()));
    let deadline = Deadline { sale, reservations: reservations.to_vec(), traced: span.marks() };
    let scheduled = span.around(needs.deadlines.schedule(deadline, hold_ms)).await;
    record_error(span, scheduled)
}

/// Tells the buyers what their rows say, or says why not; buyers of the house are not told. The caller bounds its time.
pub async fn notify(needs: &Needs, rows: &[Reservation]) -> Result<()> {
    let rows: Vec<&Reservation> = rows.iter().filter(|row| !row.buyer.is_house()).collect();
    for rows in rows.chunks(NOTICES_MAX) {
        let span = sends(Way::Notices, rows.len(), &marks_of(rows.iter().map(|row| row.id)));
        let mut notices: Vec<Notice> = rows.iter().map(|&row| Notice::from(row)).collect();
        Notice::take_marks(&mut notices, &span.marks());
        let told = span.around(needs.notices.tell(&notices)).await;
        record_error(span, told)?;
    }
    Ok(())
}

fn late() -> Fault {
    Fault::new("broker", "no confirmation in time")
}

fn left_out(what: &'static str, count: usize, fault: &Fault) {
    metrics::counter!(OMISSIONS_TOTAL, "what" => what).increment(count as u64);
    tracing::info!(what, count, fault.part = fault.part, %fault, "notices or alarms were left out");
}
