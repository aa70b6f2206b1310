//! One sale's batches, taken together: looked up, decided one after another, recorded in one transaction, told.
//!
//! Giving goes turnstile, ledger, notice, deadline. Whatever stops it in between, the batches come again, and a batch that
//! has its turn is only told again.

use std::collections::HashSet;

use crate::app::sale::tell::{self, Points, tell};
use crate::app::sale::turns::{SaleCursor, Unsettled, record};
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::turn::{Answer, Cause, Reserved, Turn};
use crate::domain::sale::turnstile::Reply;
use crate::domain::shared::id::BATCH_MAX;
use crate::domain::shared::id::SaleId;
use crate::kit::telemetry::traced::{Part, call};
use crate::ports::Result;
use crate::ports::sale::recording::SaleHead;
use crate::ports::sale::turnstile::TURNS_MAX;
use crate::workers::consumer::Needs;
use crate::workers::consumer::metric::Metric;
use crate::workers::consumer::points;

const TOLD: Points = Points { after_notice: points::AFTER_NOTICE, after_deadline: points::AFTER_DEADLINE };

/// What the group came to: whether a buyer was refused, which is when a sale may have become exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Settled {
    pub refused: bool,
}

/// One try. A batch that appears twice is decided once.
pub(super) async fn settle(
    needs: &Needs,
    telling: &tell::Settings,
    trail: &mut SaleCursor,
    batches: &[&Batch],
) -> Result<Settled, Unsettled> {
    let sale = batches[0].sale;
    let mut seen = HashSet::new();
    let batches: Vec<&Batch> = batches.iter().copied().filter(|batch| seen.insert(batch.id)).collect();
    let causes: Vec<Cause> = batches.iter().map(|batch| Cause::Batch(batch.id)).collect();
    let Some(look) = call(Part::Ledger, "look", needs.recording.look(sale, &causes, &[])).await? else {
        return Ok(unknown(sale, &batches));
    };
    needs.faults.reach(points::AFTER_LOOK).await;

    if !look.recorded.is_empty() {
        let rows = needs.recording.reservations_created_by(sale, &look.recorded).await?;
        tell(&needs.tell, telling, &rows, look.hold_ms, TOLD).await;
        metrics::counter!(Metric::Batches.name(), "found" => "recorded").increment(look.recorded.len() as u64);
    }
    let recorded: HashSet<Cause> = look.recorded.iter().copied().collect();
    let fresh: Vec<&Batch> = batches.into_iter().filter(|batch| !recorded.contains(&Cause::Batch(batch.id))).collect();
    if fresh.is_empty() {
        return Ok(Settled::default());
    }

    let turns = decide(needs, trail, &look, &fresh).await?;
    needs.faults.reach(points::AFTER_TURNSTILE).await;
    // A batch promotes no one, so there is no row to wait for.
    let rows = record(&*needs.recording, &*needs.clock, trail, &turns, 0).await?;
    needs.faults.reach(points::AFTER_LEDGER).await;
    let now_ms = needs.clock.now().0.max(0) as u64;
    for batch in &fresh {
        let delay_ms = now_ms.saturating_sub(batch.id.made_ms());
        metrics::histogram!(Metric::DelaySeconds.name()).record(delay_ms as f64 / 1_000.0);
    }
    tell(&needs.tell, telling, &rows, look.hold_ms, TOLD).await;
    Ok(count(&turns))
}

/// How many of the first batches have no more attempts in all: at least one.
pub(super) fn fitting(batches: &[&Batch], attempts_max: usize) -> usize {
    let mut attempts = 0;
    let fit = batches.iter().take_while(|batch| {
        attempts += batch.attempts.len();
        attempts <= attempts_max
    });
    fit.count().max(1)
}

/// One batch after another, as many in a call as it takes: the order of decisions is the order of the queue.
async fn decide(
    needs: &Needs,
    trail: &mut SaleCursor,
    look: &SaleHead,
    batches: &[&Batch],
) -> Result<Vec<Turn>, Unsettled> {
    let (sale, mut known) = (batches[0].sale, trail.known(look));
    let mut turns = Vec::with_capacity(batches.len());
    let mut rest = batches;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest, BATCH_MAX).min(TURNS_MAX));
        rest = later;
        let reserved = call(Part::Turnstile, "reserve", needs.turnstile.reserve(sale, known, now)).await;
        let reserved = match reserved.map_err(Unsettled::Away)? {
            Reply::Done(reserved) => reserved,
            Reply::Stale => return Err(Unsettled::Diverged(trail.stale(known))),
        };
        for (&batch, reserved) in now.iter().zip(reserved) {
            trail.answered(&mut known, reserved.stamp);
            if contradicts_itself(batch, &reserved) {
                return Err(Unsettled::Diverged(trail.refused(known.generation)));
            }
            turns.push(Turn::Batch { batch: batch.clone(), reserved });
        }
    }
    Ok(turns)
}

/// The turnstile decided this batch before, and has forgotten its answer since: it takes the reservation it made then for
/// another attempt's. Either the answer is recorded by now, or it is lost.
fn contradicts_itself(batch: &Batch, reserved: &Reserved) -> bool {
    reserved.answers.iter().enumerate().any(|(index, answer)| {
        matches!(answer, Answer::Already { reservation } if *reservation == batch.attempt_id(index).into())
    })
}

/// Publishers only take attempts for sales they were told of, so that this is a sale that was deleted, or a batch of another
/// shop. Its outcome cannot be asked for; it must not stop the partition.
fn unknown(sale: SaleId, batches: &[&Batch]) -> Settled {
    let attempts: usize = batches.iter().map(|batch| batch.attempts.len()).sum();
    tracing::error!(sale.id = %sale, batches = batches.len(), attempts, "batches of an unknown sale are dropped");
    metrics::counter!(Metric::UnknownSales.name()).increment(batches.len() as u64);
    Settled::default()
}

fn count(turns: &[Turn]) -> Settled {
    let mut outcomes = [("taken", b'T', 0), ("standby", b'S', 0), ("already", b'A', 0), ("refused", b'R', 0)];
    for code in turns.iter().flat_map(Turn::outcomes) {
        for (_, of, count) in &mut outcomes {
            *count += u64::from(*of == code);
        }
    }
    for (outcome, _, count) in outcomes {
        metrics::counter!(Metric::Attempts.name(), "outcome" => outcome).increment(count);
    }
    metrics::counter!(Metric::Batches.name(), "found" => "new").increment(turns.len() as u64);
    Settled { refused: outcomes[3].2 > 0 }
}
