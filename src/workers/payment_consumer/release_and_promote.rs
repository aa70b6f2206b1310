//! What ended reservations had is given on: the one way back from the ledger to the turnstile, for alarms, cancels and sweeps.
//!
//! It begins from rows that ended and are not freed, wherever the last try stopped; the process that records the release's answer
//! marks them freed in the same transaction. A release is asked for as often as it takes: its answer is kept.

use crate::app::sale::restore::restore;
use crate::app::sale::tell::{Points, tell};
use crate::app::sale::turns::{SaleCursor, Unsettled, record};
use crate::domain::sale::turn::{Known, Turn};
use crate::domain::sale::turnstile::{ANSWERS_MAX, Ended, Reply};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::kit::telemetry::trace::{Kind as SpanKind, Span, joining};
use crate::kit::telemetry::traced::{Part, call};
use crate::kit::work::backoff::Backoff;
use crate::ports::sale::turnstile::TURNS_MAX;
use crate::ports::{Fault, Result};
use crate::workers::payment_consumer::metric::Metric;
use crate::workers::payment_consumer::{Needs, Settings, points};

/// Reservations given on together. What all workers have under way at once must stay below the answers that the turnstile
/// keeps: it knows its history only as far back as these, and one that is further ahead of the ledger looks like another's.
pub(super) const GIVEN_MAX: usize = 128;

const _: () = assert!(GIVEN_MAX <= TURNS_MAX && GIVEN_MAX * 8 <= ANSWERS_MAX);

const TOLD: Points =
    Points { after_notice: points::RELEASE_AFTER_NOTICE, after_deadline: points::RELEASE_AFTER_DEADLINE };

/// Gives on what those of the reservations had that ended and are not freed; the others are left alone.
pub async fn release_and_promote(
    needs: &Needs,
    settings: &Settings,
    sale: SaleId,
    ids: &[ReservationId],
) -> Result<()> {
    let mut trail = SaleCursor::new(sale);
    for some in ids.chunks(GIVEN_MAX) {
        let mut patience = Backoff::new(&settings.backoff);
        loop {
            match try_once(needs, settings, &mut trail, sale, some).await {
                Ok(()) => break,
                Err(Unsettled::Again) => {}
                Err(Unsettled::Fault(fault) | Unsettled::Away(fault)) => return Err(fault),
                Err(Unsettled::Diverged(doubt)) => {
                    restore(&needs.restore, &settings.tell, doubt).await?;
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

async fn try_once(
    needs: &Needs,
    settings: &Settings,
    trail: &mut SaleCursor,
    sale: SaleId,
    ids: &[ReservationId],
) -> Result<(), Unsettled> {
    let Some(look) = call(Part::Ledger, "look", needs.recording.look(sale, &[], ids)).await? else {
        return Ok(());
    };
    // Who decides the sale from its memory does this, too.
    if look.unfreed.is_empty() || !needs.turnstile.lease(sale).admits(look.leased_by) {
        return Ok(());
    }
    needs.faults.reach(points::RELEASE_AFTER_LOOK).await;
    let known = trail.known(&look);
    let turns = release(needs, trail, known, sale, &look.unfreed).await?;
    needs.faults.reach(points::RELEASE_AFTER_TURNSTILE).await;
    let rows = record(&*needs.recording, &*needs.clock, trail, &turns, settings.absent_ms_max).await?;
    needs.faults.reach(points::RELEASE_AFTER_LEDGER).await;
    metrics::counter!(Metric::GivenOn.name()).increment(turns.len() as u64);
    let promoted: Vec<_> = rows.into_iter().filter(|row| row.state.kind().is_live()).collect();
    metrics::counter!(Metric::Promoted.name()).increment(promoted.len() as u64);
    // Each of them in the trace of what made room for it.
    let span = Span::of(SpanKind::Internal, || "promote".into(), &joining(promoted.iter().map(|row| row.id)));
    span.around(tell(&needs.tell, &settings.tell, &promoted, look.hold_ms, TOLD)).await;
    Ok(())
}

async fn release(
    needs: &Needs,
    trail: &mut SaleCursor,
    mut known: Known,
    sale: SaleId,
    ended: &[Ended],
) -> Result<Vec<Turn>, Unsettled> {
    let mut ended = ended.to_vec();
    ended.sort_unstable();
    let released = match call(Part::Turnstile, "release", needs.turnstile.release(sale, known, &ended)).await? {
        Reply::Done(released) => released,
        Reply::Stale => return Err(Unsettled::Diverged(trail.stale(known))),
    };
    for one in &released {
        trail.answered(&mut known, one.stamp);
    }
    Ok(released.into_iter().map(Turn::Release).collect())
}
