//! A sale's turnstile, rebuilt from the ledger.
//!
//! One restore at a time for each sale, under a lock that dies with its connection. Whoever gets the lock looks again first:
//! most doubts are gone by then, because somebody else restored, or caught up. A crash between the two halves leaves a
//! turnstile of an older generation than the ledger's, which the next caller or the sweeper finds.

use crate::domain::id::SaleId;
use crate::domain::turnstile::Level;
use crate::ports::fault::Point;
use crate::ports::ledger::{Ledger, Standing};
use crate::ports::turnstile::Turnstile;
use crate::ports::{Result, World};
use crate::services::tell;

pub const RESTORES_TOTAL: &str = "miaosha_restores_total";

/// Of a restore's counter; every service that restores calls it once.
pub fn describe() {
    metrics::describe_counter!(
        RESTORES_TOTAL,
        "Turnstiles rebuilt from the ledger, by the grounds on which it was done."
    );
}

/// Why somebody thinks that the turnstile is not the one the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grounds {
    /// It is missing, of another generation, behind this revision, or has another chain than the ledger at the same revision.
    Behind { revision: u64 },
    /// A fence or a chain refused its answer.
    Refused,
    /// One of its answers is lost for good. Comparing the two again shows nothing, so that only a newer generation ends it.
    Lost,
}

impl Grounds {
    fn label(self) -> &'static str {
        match self {
            Grounds::Behind { .. } => "behind",
            Grounds::Refused => "refused",
            Grounds::Lost => "lost",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doubt {
    pub sale: SaleId,
    /// The generation that the doubtful call carried.
    pub generation: u64,
    pub grounds: Grounds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Now,
    /// Another generation is there by now, or turnstile and ledger agree: try the work again.
    NotNeeded,
    /// Somebody else is at it: try the work again a little later.
    Busy,
}

pub async fn restore<W: World>(world: &W, doubt: Doubt) -> Result<Restored> {
    let Doubt { sale, generation, grounds } = doubt;
    // STALE for an old generation only means: read it again. That needs no lock.
    if world.store().look(sale, &[], &[]).await?.is_none_or(|look| look.generation != generation) {
        return Ok(Restored::NotNeeded);
    }
    let Some(lock) = world.store().lock_restore(sale).await? else {
        return Ok(Restored::Busy);
    };
    world.faults().reach(Point::RestoreAfterLock).await;
    let Some(standing) = world.store().standing(sale).await? else {
        return Ok(Restored::NotNeeded);
    };
    if standing.generation != generation {
        return Ok(Restored::NotNeeded);
    }
    let level = world.turnstile().look(sale).await?;
    if level.is_some_and(|level| agree(&standing, &level, grounds)) {
        return Ok(Restored::NotNeeded);
    }
    let now = world.clock().now();
    let Some((snapshot, promoted)) = world.store().restore(sale, generation, now).await? else {
        return Ok(Restored::NotNeeded);
    };
    world.faults().reach(Point::RestoreAfterLedger).await;
    world.turnstile().restore(sale, &snapshot).await?;
    world.faults().reach(Point::RestoreAfterTurnstile).await;
    drop(lock);
    metrics::counter!(RESTORES_TOTAL, "grounds" => grounds.label()).increment(1);
    tracing::warn!(
        sale.id = %sale, sale.generation = snapshot.generation, grounds = grounds.label(), promoted = promoted.len(),
        "the turnstile was restored from the ledger"
    );
    tell::wake(world, &promoted, standing.hold_ms).await?;
    tell::notify(world, &promoted).await?;
    Ok(Restored::Now)
}

/// Whether the doubt is gone. The ledger was read first, so that a turnstile which looks behind is behind.
fn agree(standing: &Standing, level: &Level, grounds: Grounds) -> bool {
    if level.generation != standing.generation {
        return false;
    }
    let same = level.revision == standing.revision && level.chain == standing.chain;
    match grounds {
        Grounds::Behind { revision } => level.revision >= revision && (same || level.revision > standing.revision),
        Grounds::Refused => same,
        Grounds::Lost => false,
    }
}
