//! Watches that turnstile and ledger tell the same story of a sale, and mends what is found.
//!
//! The ledger is read first: a turnstile that looks behind it then is behind. What is in flight looks like a gap for a moment;
//! only one that stays is an answer that nobody will record any more.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::app::sale::restore::{Divergence, RestoreReason, is_of_one_history, restore};
use crate::app::sale::tell::{try_to_notify, try_to_wake};
use crate::app::sale::turns::{SaleCursor, Unsettled, record};
use crate::domain::sale::Sale;
use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::{Cause, Turn};
use crate::domain::sale::turnstile::Reply;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::recording::SaleHead;
use crate::ports::sale::restoring::SaleTotals;
use crate::workers::payment_consumer::{Needs, Settings};

/// The lowest revision without a turn, and since when it has been that one.
#[derive(Debug, Clone, Copy)]
struct Gap {
    generation: u64,
    revision: u64,
    since: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Watch {
    gaps: Mutex<HashMap<SaleId, Gap>>,
}

impl Watch {
    pub(super) async fn check(&self, needs: &Needs, settings: &Settings, sale: &Sale) -> Result<()> {
        let Some(standing) = needs.restoring.standing(sale.id).await? else { return Ok(()) };
        let gap = self.gap(needs, &standing).await?;
        let level = needs.turnstile.look(sale.id).await?;
        let patient = needs.clock.now().since_ms(gap.since) < settings.gap_ms;
        let grounds = match is_of_one_history(&*needs.turnstile, &standing).await? {
            false => Some(RestoreReason::Behind { revision: standing.revision }),
            true => level.filter(|level| level.revision >= gap.revision && !patient).map(|_| RestoreReason::Lost),
        };
        if let Some(grounds) = grounds {
            let doubt = Divergence { sale: sale.id, generation: standing.generation, grounds };
            restore(&needs.restore, &settings.tell, doubt).await?;
        } else if level.is_some_and(|level| level.allotment.capacity < standing.allotment.capacity) {
            raise(needs, settings, &standing).await?;
        }
        Ok(())
    }

    /// Sales that matter no more are forgotten.
    pub(super) fn keep(&self, sales: &[Sale]) {
        let mut gaps = self.gaps.lock().expect("nobody panics while holding the gaps");
        gaps.retain(|id, _| sales.iter().any(|sale| sale.id == *id));
    }

    async fn gap(&self, needs: &Needs, standing: &SaleTotals) -> Result<Gap> {
        let SaleTotals { sale, generation, .. } = *standing;
        let known = self.gaps.lock().expect("nobody panics while holding the gaps").get(&sale).copied();
        let known = known.filter(|gap| gap.generation == generation);
        let recorded = known.map_or(0, |gap| gap.revision - 1);
        let revision = needs.restoring.first_gap(sale, generation, recorded).await?;
        let gap = known.filter(|gap| gap.revision == revision).unwrap_or_else(|| Gap {
            generation,
            revision,
            since: needs.clock.now(),
        });
        self.gaps.lock().expect("nobody panics while holding the gaps").insert(sale, gap);
        Ok(gap)
    }
}

/// The operator raised the capacity in the ledger: until now the turnstile was only too strict.
async fn raise(needs: &Needs, settings: &Settings, standing: &SaleTotals) -> Result<()> {
    let (sale, capacity) = (standing.sale, standing.allotment.capacity);
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
        Err(Unsettled::Fault(fault)) => Err(fault),
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
