//! Watches that turnstile and ledger tell the same story of a sale, and mends what is found.
//!
//! The ledger is read first: a turnstile that looks behind it then is behind. What is in flight looks like a gap for a moment;
//! only one that stays is an answer that nobody will record any more.

use std::collections::HashMap;
use std::sync::Mutex;

use crate::domain::id::SaleId;
use crate::domain::sale::Sale;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Cause, Turn};
use crate::domain::turnstile::Reply;
use crate::ports::ledger::{Ledger, Standing};
use crate::ports::turnstile::Turnstile;
use crate::ports::{Result, World};
use crate::services::payments::Settings;
use crate::services::restore::{Doubt, Grounds, is_of_one_history, restore};
use crate::services::tell::{try_to_notify, try_to_wake};
use crate::services::turns::{Step, Trail, record};

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
    pub(super) async fn check<W: World>(&self, world: &W, settings: &Settings, sale: &Sale) -> Result<()> {
        let Some(standing) = world.store().standing(sale.id).await? else { return Ok(()) };
        let gap = self.gap(world, &standing).await?;
        let level = world.turnstile().look(sale.id).await?;
        let patient = world.clock().now().since_ms(gap.since) < settings.gap_ms;
        let grounds = match is_of_one_history(world, &standing).await? {
            false => Some(Grounds::Behind { revision: standing.revision }),
            true => level.filter(|level| level.revision >= gap.revision && !patient).map(|_| Grounds::Lost),
        };
        if let Some(grounds) = grounds {
            let doubt = Doubt { sale: sale.id, generation: standing.generation, grounds };
            restore(world, &settings.tell, doubt).await?;
        } else if level.is_some_and(|level| level.allotment.capacity < standing.allotment.capacity) {
            raise(world, settings, &standing).await?;
        }
        Ok(())
    }

    /// Sales that matter no more are forgotten.
    pub(super) fn keep(&self, sales: &[Sale]) {
        let mut gaps = self.gaps.lock().expect("nobody panics while holding the gaps");
        gaps.retain(|id, _| sales.iter().any(|sale| sale.id == *id));
    }

    async fn gap<W: World>(&self, world: &W, standing: &Standing) -> Result<Gap> {
        let Standing { sale, generation, .. } = *standing;
        let known = self.gaps.lock().expect("nobody panics while holding the gaps").get(&sale).copied();
        let known = known.filter(|gap| gap.generation == generation);
        let recorded = known.map_or(0, |gap| gap.revision - 1);
        let revision = world.store().first_gap(sale, generation, recorded).await?;
        let gap = known.filter(|gap| gap.revision == revision).unwrap_or_else(|| Gap {
            generation,
            revision,
            since: world.clock().now(),
        });
        self.gaps.lock().expect("nobody panics while holding the gaps").insert(sale, gap);
        Ok(gap)
    }
}

/// The operator raised the capacity in the ledger: until now the turnstile was only too strict.
async fn raise<W: World>(world: &W, settings: &Settings, standing: &Standing) -> Result<()> {
    let (sale, capacity) = (standing.sale, standing.allotment.capacity);
    let mut trail = Trail::new(sale);
    let Some(look) = world.store().look(sale, &[Cause::Raise(capacity)], &[]).await? else { return Ok(()) };
    // Raised before, in any generation: the turnstile that was looked at is not there any more.
    if !look.recorded.is_empty() {
        return Ok(());
    }
    let known = trail.known(&look);
    let step = match world.turnstile().raise(sale, known, capacity).await? {
        Reply::Done(raised) => record(world, &mut trail, &[Turn::Raise(raised)], settings.absent_ms_max).await?,
        Reply::Stale => Step::Doubt(trail.stale(known)),
    };
    match step {
        Step::Done(rows) => {
            try_to_notify(world, &settings.tell, &rows).await;
            try_to_wake(world, &settings.tell, &rows, look.hold_ms).await;
            Ok(())
        }
        // The next sweep looks again.
        Step::Again => Ok(()),
        Step::Doubt(doubt) => restore(world, &settings.tell, doubt).await.map(|_| ()),
    }
}
