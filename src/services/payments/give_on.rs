//! What ended reservations had is given on: the one way back from the ledger to the turnstile, for alarms, cancels and sweeps.
//!
//! It begins from rows that ended and are not freed, wherever the last try stopped; whoever records the release's answer
//! marks them freed in the same transaction. A release is asked for as often as it takes: its answer is kept.

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::turn::{Known, Turn};
use crate::domain::turnstile::{ANSWERS_MAX, Ended, Reply};
use crate::ports::fault::Point;
use crate::ports::ledger::Ledger;
use crate::ports::turnstile::{TURNS_MAX, Turnstile};
use crate::ports::{Fault, Result, World};
use crate::runtime::telemetry::trace::{Kind as SpanKind, Span, joining};
use crate::services::patience::Patience;
use crate::services::payments::Settings;
use crate::services::payments::metric::Metric;
use crate::services::restore::restore;
use crate::services::tell::{Points, tell};
use crate::services::traced::{Part, call};
use crate::services::turns::{Step, Trail, record};

/// Reservations given on together. What all workers have under way at once must stay below the answers that the turnstile
/// keeps: it knows its history only as far back as these, and one that is further ahead of the ledger looks like another's.
pub(super) const GIVEN_MAX: usize = 128;

const _: () = assert!(GIVEN_MAX <= TURNS_MAX && GIVEN_MAX * 8 <= ANSWERS_MAX);

const TOLD: Points = Points { after_notice: Point::ReleaseAfterNotice, after_deadline: Point::ReleaseAfterDeadline };

/// Gives on what those of the reservations had that ended and are not freed; the others are left alone.
pub async fn give_on<W: World>(world: &W, settings: &Settings, sale: SaleId, ids: &[ReservationId]) -> Result<()> {
    let mut trail = Trail::new(sale);
    for some in ids.chunks(GIVEN_MAX) {
        let mut patience = Patience::new(&settings.backoff);
        loop {
            match try_once(world, settings, &mut trail, sale, some).await? {
                Step::Done(()) => break,
                Step::Again => {}
                Step::Doubt(doubt) => {
                    restore(world, &settings.tell, doubt).await?;
                }
            }
            metrics::counter!(Metric::Tries.name()).increment(1);
            if !patience.wait().await {
                return Err(Fault::new("turnstile", "the sale is in doubt"));
            }
        }
    }
    Ok(())
}

async fn try_once<W: World>(
    world: &W,
    settings: &Settings,
    trail: &mut Trail,
    sale: SaleId,
    ids: &[ReservationId],
) -> Result<Step<()>> {
    let Some(look) = call(Part::Ledger, "look", world.store().look(sale, &[], ids)).await? else {
        return Ok(Step::Done(()));
    };
    if look.unfreed.is_empty() {
        return Ok(Step::Done(()));
    }
    world.faults().reach(Point::ReleaseAfterLook).await;
    let known = trail.known(&look);
    let turns = match release(world, trail, known, sale, &look.unfreed).await? {
        Step::Done(turns) => turns,
        Step::Again => return Ok(Step::Again),
        Step::Doubt(doubt) => return Ok(Step::Doubt(doubt)),
    };
    world.faults().reach(Point::ReleaseAfterTurnstile).await;
    let rows = match record(world, trail, &turns, settings.absent_ms_max).await? {
        Step::Done(rows) => rows,
        Step::Again => return Ok(Step::Again),
        Step::Doubt(doubt) => return Ok(Step::Doubt(doubt)),
    };
    world.faults().reach(Point::ReleaseAfterLedger).await;
    metrics::counter!(Metric::GivenOn.name()).increment(turns.len() as u64);
    let promoted: Vec<_> = rows.into_iter().filter(|row| row.state.kind().is_live()).collect();
    metrics::counter!(Metric::Promoted.name()).increment(promoted.len() as u64);
    // Each of them in the trace of what made room for it.
    let span = Span::of(SpanKind::Internal, || "promote".into(), &joining(promoted.iter().map(|row| row.id)));
    span.around(tell(world, &settings.tell, &promoted, look.hold_ms, TOLD)).await;
    Ok(Step::Done(()))
}

async fn release<W: World>(
    world: &W,
    trail: &mut Trail,
    mut known: Known,
    sale: SaleId,
    ended: &[Ended],
) -> Result<Step<Vec<Turn>>> {
    let mut ended = ended.to_vec();
    ended.sort_unstable();
    let released = match call(Part::Turnstile, "release", world.turnstile().release(sale, known, &ended)).await? {
        Reply::Done(released) => released,
        Reply::Stale => return Ok(Step::Doubt(trail.stale(known))),
    };
    for one in &released {
        trail.answered(&mut known, one.stamp);
    }
    Ok(Step::Done(released.into_iter().map(Turn::Release).collect()))
}
