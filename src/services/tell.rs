//! After the ledger: alarms for holds, and notices for their buyers, both made from rows and from nothing else.
//!
//! Everything here may happen twice or be lost: a second alarm finds nothing to do, a lost one is made good by the sweeper,
//! and a buyer who asks gets the truth of the ledger.

use std::collections::BTreeMap;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::notice::Notice;
use crate::domain::reservation::{Kind, Reservation};
use crate::ports::deadlines::{DEADLINE_MAX, Deadline, Deadlines};
use crate::ports::fault::Point;
use crate::ports::notices::Notices;
use crate::ports::{Result, World};
use crate::runtime::telemetry::trace::marks_of;
use crate::services::traced::{Way, judged, sends};

/// Notices handed to the world at once, at most.
const NOTICES_MAX: usize = 512;

/// Where a worker can be stopped while it tells.
#[derive(Debug, Clone, Copy)]
pub struct Points {
    pub after_deadline: Point,
    pub after_notice: Point,
}

/// `hold_ms` is the sale's.
pub async fn tell<W: World>(world: &W, rows: &[Reservation], hold_ms: i64, points: Points) -> Result<()> {
    wake(world, rows, hold_ms).await?;
    world.faults().reach(points.after_deadline).await;
    notify(world, rows).await?;
    world.faults().reach(points.after_notice).await;
    Ok(())
}

/// Sets an alarm for every hold among the rows, all of sales with this hold. For holds that began a while ago it rings late;
/// the sweeper is there first.
pub async fn wake<W: World>(world: &W, rows: &[Reservation], hold_ms: i64) -> Result<()> {
    let mut holds: BTreeMap<SaleId, Vec<ReservationId>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state.kind() == Kind::Held) {
        holds.entry(row.sale).or_default().push(row.id);
    }
    for (sale, ids) in holds {
        for reservations in ids.chunks(DEADLINE_MAX) {
            let span = sends(Way::Deadlines, 1, &marks_of(reservations.iter().copied()));
            let deadline = Deadline { sale, reservations: reservations.to_vec(), traced: span.marks() };
            let scheduled = span.around(world.signals().schedule(deadline, hold_ms)).await;
            judged(span, scheduled)?;
        }
    }
    Ok(())
}

/// Tells the buyers what their rows say; nobody of the house listens.
pub async fn notify<W: World>(world: &W, rows: &[Reservation]) -> Result<()> {
    let rows: Vec<&Reservation> = rows.iter().filter(|row| !row.buyer.is_house()).collect();
    for rows in rows.chunks(NOTICES_MAX) {
        let span = sends(Way::Notices, rows.len(), &marks_of(rows.iter().map(|row| row.id)));
        let mut notices: Vec<Notice> = rows.iter().map(|&row| Notice::from(row)).collect();
        Notice::take_marks(&mut notices, &span.marks());
        let told = span.around(world.signals().tell(&notices)).await;
        judged(span, told)?;
    }
    Ok(())
}
