//! After the ledger: alarms for holds, and notices for their buyers, both made from rows and from nothing else.
//!
//! Everything here may happen twice or be lost: a second alarm finds nothing to do, a lost one is made good by the sweeper,
//! and a buyer who asks gets the truth of the ledger.

use std::collections::BTreeMap;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::notice::Notice;
use crate::domain::reservation::{Reservation, State};
use crate::domain::time::Timestamp;
use crate::ports::deadlines::{DEADLINE_MAX, Deadline, Deadlines};
use crate::ports::fault::Point;
use crate::ports::notices::Notices;
use crate::ports::{Result, World};

/// Notices handed to the world at once, at most.
const NOTICES_MAX: usize = 512;

/// Where a worker can be stopped while it tells.
#[derive(Debug, Clone, Copy)]
pub struct Points {
    pub after_deadline: Point,
    pub after_notice: Point,
}

/// `now` is the time that the holds among the rows were stamped with, if they were made just now: then what is left of them
/// is exactly the sale's hold.
pub async fn tell<W: World>(world: &W, rows: &[Reservation], now: Timestamp, points: Points) -> Result<()> {
    wake(world, rows, now).await?;
    world.faults().reach(points.after_deadline).await;
    notify(world, rows).await?;
    world.faults().reach(points.after_notice).await;
    Ok(())
}

/// Sets an alarm for every hold among the rows.
pub async fn wake<W: World>(world: &W, rows: &[Reservation], now: Timestamp) -> Result<()> {
    let mut alarms: BTreeMap<(SaleId, i64), Vec<ReservationId>> = BTreeMap::new();
    for row in rows {
        if let State::Held { lapses_at, .. } = row.state {
            alarms.entry((row.sale, lapses_at.since_ms(now).max(0))).or_default().push(row.id);
        }
    }
    for ((sale, left_ms), ids) in alarms {
        for reservations in ids.chunks(DEADLINE_MAX) {
            let deadline = Deadline { sale, reservations: reservations.to_vec() };
            world.signals().schedule(deadline, left_ms).await?;
        }
    }
    Ok(())
}

/// Tells the buyers what their rows say.
pub async fn notify<W: World>(world: &W, rows: &[Reservation]) -> Result<()> {
    for rows in rows.chunks(NOTICES_MAX) {
        let notices: Vec<Notice> = rows.iter().map(Notice::from).collect();
        world.signals().tell(&notices).await?;
    }
    Ok(())
}
