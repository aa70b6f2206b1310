//! Watches that turnstile and ledger tell the same story of a sale, and mends what is found.
//!
//! **Which sales are looked at.** Those that something moved of late, those that were not well the last time, and the next part of a
//! round. Of all of them the ledger's last turn is read in one statement, and the turnstiles are looked at together. Where both say
//! what they said when the sale was found to be well, nothing more is asked; so an idle sale costs its place in the
//! round, and one that moves is looked at as often as this is called.
//!
//! **How late something is found.** A sale that moves: at the next call. One that does not move: after `round_ms` at most. A turnstile
//! that is gone is rarely alone: the round in which one is found goes on without a pause, so that a store that was emptied is found
//! with the first of its sales that anybody comes by.
//!
//! The ledger is read first: a turnstile that looks behind it then is behind. What is in flight looks like a gap for a moment;
//! only one that stays is an answer that will not be recorded any more.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard};

use futures_util::stream::{self, StreamExt};

use crate::app::sale::restore::{Divergence, RestoreReason, Restored, is_of_one_history, restore};
use crate::app::sale::rounds::{Part, Round};
use crate::app::sale::tell::{try_to_notify, try_to_wake};
use crate::app::sale::turns::{SaleCursor, Unsettled, record};
use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::{Cause, Known, Turn};
use crate::domain::sale::turnstile::{Level, Reply};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::recording::SaleHead;
use crate::ports::sale::restoring::LastTurn;
use crate::workers::payment_consumer::{Needs, Settings};

/// Sales that are looked into, or restored, at the same time.
const AT_ONCE: usize = 64;

/// What is remembered of a sale.
#[derive(Debug, Clone, Copy)]
struct Seen {
    gap: Gap,
    /// How far both were when it was well.
    well: Option<LastTurn>,
    /// The last round in which anybody came by.
    round: u64,
}

/// The lowest revision without a turn, and since when it has been that one.
#[derive(Debug, Clone, Copy)]
struct Gap {
    generation: u64,
    revision: u64,
    since: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    round: Round,
    sales: Mutex<Sales>,
}

#[derive(Debug, Default)]
struct Sales {
    seen: HashMap<SaleId, Seen>,
    round: u64,
}

impl Watch {
    /// Everything that is to be looked at now.
    pub(super) async fn look(&self, needs: &Needs, settings: &Settings) -> Result<()> {
        let moved = needs.catalogue.sales_moved(needs.clock.now(), settings.rounds.moved_ms).await?;
        let mut sales: BTreeSet<SaleId> = moved.into_keys().chain(self.unwell()).collect();
        let mut failed = Ok(());
        loop {
            let Part { sales: part, ends } =
                self.round.next(&*needs.catalogue, &*needs.clock, settings.parts()).await?;
            sales.extend(part);
            let (lost, checked) = self.check(needs, settings, std::mem::take(&mut sales)).await?;
            failed = failed.and(checked);
            if ends {
                self.forget();
            }
            if ends || !lost {
                return failed;
            }
        }
    }

    /// Whether a turnstile was lost among these, and the first fault: one sale that cannot be checked keeps no other from it.
    async fn check(&self, needs: &Needs, settings: &Settings, sales: BTreeSet<SaleId>) -> Result<(bool, Result<()>)> {
        let sales: Vec<SaleId> = sales.into_iter().collect();
        let mut turns = needs.restoring.last_turns(&sales).await?;
        // What is in a memory is watched where that is.
        turns.retain(|turn| turn.leased_by == needs.turnstile.lease(turn.sale).by);
        let sales: Vec<SaleId> = turns.iter().map(|turn| turn.sale).collect();
        let levels = needs.turnstile.look_at(&sales).await;
        let pairs = turns.iter().zip(levels);
        // One that cannot be looked at is looked into, and says so there.
        let odd = pairs.filter(|(turn, level)| !level.as_ref().is_ok_and(|level| self.is_well(turn, level.as_ref())));
        let checks: Vec<_> = odd.map(|(turn, _)| self.look_into(needs, settings, turn.sale)).collect();
        let checked: Vec<Result<bool>> = stream::iter(checks).buffer_unordered(AT_ONCE).collect().await;
        let lost = checked.contains(&Ok(true));
        Ok((lost, checked.into_iter().try_for_each(|checked| checked.map(drop))))
    }

    /// Whether both say what they said when all was well.
    fn is_well(&self, turn: &LastTurn, level: Option<&Level>) -> bool {
        let mut sales = self.sales();
        let round = sales.round;
        let Some(seen) = sales.seen.get_mut(&turn.sale) else { return false };
        seen.round = round;
        level.is_some_and(|level| agree(turn, level)) && seen.well.as_ref() == Some(turn)
    }

    /// Whether its turnstile was lost.
    async fn look_into(&self, needs: &Needs, settings: &Settings, sale: SaleId) -> Result<bool> {
        let Some(turn) = needs.restoring.last_turns(&[sale]).await?.pop() else { return Ok(false) };
        let gap = self.gap(needs, &turn).await?;
        let level = needs.turnstile.look(sale).await?;
        let patient = needs.clock.now().since_ms(gap.since) < settings.gap_ms;
        let known = Known { generation: turn.generation, revision: turn.revision, chain: turn.chain };
        let grounds = match is_of_one_history(&*needs.turnstile, sale, known).await? {
            false => Some(RestoreReason::Behind { revision: turn.revision }),
            true => level.filter(|level| level.revision >= gap.revision && !patient).map(|_| RestoreReason::Lost),
        };
        if let Some(grounds) = grounds {
            let doubt = Divergence { sale, generation: turn.generation, grounds };
            let restored = restore(&needs.restore, &settings.tell, doubt).await?;
            return Ok(level.is_none() || restored == Restored::Now);
        }
        if level.is_some_and(|level| level.allotment.capacity < turn.capacity) {
            raise(needs, settings, &turn).await?;
            return Ok(false);
        }
        let is_well = level.is_some_and(|level| agree(&turn, &level)) && gap.revision > turn.revision;
        if let Some(seen) = self.sales().seen.get_mut(&sale) {
            seen.well = is_well.then_some(turn);
        }
        Ok(false)
    }

    /// Those that were not well the last time.
    fn unwell(&self) -> Vec<SaleId> {
        self.sales().seen.iter().filter(|(_, seen)| seen.well.is_none()).map(|(sale, _)| *sale).collect()
    }

    /// Sales that were not gone by for a whole round are forgotten.
    fn forget(&self) {
        let mut sales = self.sales();
        let round = sales.round;
        sales.seen.retain(|_, seen| seen.round == round);
        sales.round += 1;
    }

    async fn gap(&self, needs: &Needs, turn: &LastTurn) -> Result<Gap> {
        let LastTurn { sale, generation, .. } = *turn;
        let known = self.sales().seen.get(&sale).map(|seen| seen.gap);
        let known = known.filter(|gap| gap.generation == generation);
        let recorded = known.map_or(0, |gap| gap.revision - 1);
        let revision = needs.restoring.first_gap(sale, generation, recorded).await?;
        let gap = known.filter(|gap| gap.revision == revision).unwrap_or_else(|| Gap {
            generation,
            revision,
            since: needs.clock.now(),
        });
        let mut sales = self.sales();
        let round = sales.round;
        sales.seen.insert(sale, Seen { gap, well: None, round });
        Ok(gap)
    }

    fn sales(&self) -> MutexGuard<'_, Sales> {
        self.sales.lock().expect("no holder of what was seen panics")
    }
}

/// Whether the turnstile is where the ledger is, with all the units that there are.
fn agree(turn: &LastTurn, level: &Level) -> bool {
    (level.generation, level.revision, level.chain) == (turn.generation, turn.revision, turn.chain)
        && level.allotment.capacity >= turn.capacity
}

/// The operator raised the capacity in the ledger: until now the turnstile was only too strict.
async fn raise(needs: &Needs, settings: &Settings, turn: &LastTurn) -> Result<()> {
    let (sale, capacity) = (turn.sale, turn.capacity);
    let mut trail = SaleCursor::new(sale);
    let Some(look) = needs.recording.look(sale, &[Cause::Raise(capacity)], &[]).await? else { return Ok(()) };
    // Raised before, in any generation: the turnstile that was looked at is not there any more.
    if !look.recorded.is_empty() {
        return Ok(());
    }
    match try_raise(needs, settings, &mut trail, &look, capacity).await {
        Ok(rows) => {
            try_to_notify(&needs.tell, &settings.tell, &rows).await;
            try_to_wake(&needs.tell, &settings.tell, &rows, look.hold_ms).await;
            Ok(())
        }
        // The next sweep looks again.
        Err(Unsettled::Again) => Ok(()),
        Err(Unsettled::Diverged(doubt)) => restore(&needs.restore, &settings.tell, doubt).await.map(|_| ()),
        Err(Unsettled::Fault(fault) | Unsettled::Away(fault)) => Err(fault),
    }
}

/// The rows that the new units promoted.
async fn try_raise(
    needs: &Needs,
    settings: &Settings,
    trail: &mut SaleCursor,
    look: &SaleHead,
    capacity: u32,
) -> Result<Vec<Reservation>, Unsettled> {
    let known = trail.known(look);
    match needs.turnstile.raise(trail.sale(), known, capacity).await? {
        Reply::Done(raised) => {
            record(&*needs.recording, &*needs.clock, trail, &[Turn::Raise(raised)], settings.absent_ms_max).await
        }
        Reply::Stale => Err(Unsettled::Diverged(trail.stale(known))),
    }
}
