//! A sale's turnstile, rebuilt from the ledger.
//!
//! One restore at a time for each sale, under a lock that dies with its connection. Whoever gets the lock looks again first:
//! most doubts are gone by then, because somebody else restored, or caught up. A crash between the two halves leaves a
//! turnstile of an older generation than the ledger's, which the next caller or the sweeper finds.

use crate::domain::id::SaleId;
use crate::domain::turn::Known;
use crate::domain::turnstile::Reply;
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
    // There from the beginning, so that the first one is seen.
    for grounds in [Grounds::Behind { revision: 0 }, Grounds::Refused, Grounds::Lost] {
        metrics::counter!(RESTORES_TOTAL, "grounds" => grounds.label()).increment(0);
    }
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

pub async fn restore<W: World>(world: &W, telling: &tell::Settings, doubt: Doubt) -> Result<Restored> {
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
    if agree(world, &standing, grounds).await? {
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
    tell::try_to_notify(world, telling, &promoted).await;
    tell::try_to_wake(world, telling, &promoted, standing.hold_ms).await;
    Ok(Restored::Now)
}

/// Whether the doubt is gone. The ledger was read first, so that a turnstile which looks behind is behind; one that is ahead by
/// the same history has an answer on its way.
async fn agree<W: World>(world: &W, standing: &Standing, grounds: Grounds) -> Result<bool> {
    let Some(level) = world.turnstile().look(standing.sale).await? else { return Ok(false) };
    match grounds {
        Grounds::Behind { revision } => Ok(level.revision >= revision && is_of_one_history(world, standing).await?),
        Grounds::Refused => {
            Ok((level.generation, level.revision, level.chain)
                == (standing.generation, standing.revision, standing.chain))
        }
        Grounds::Lost => Ok(false),
    }
}

/// Whether the turnstile's history has the ledger's highest turn in it.
pub async fn is_of_one_history<W: World>(world: &W, standing: &Standing) -> Result<bool> {
    let Standing { sale, generation, revision, chain, .. } = *standing;
    // A release of nothing changes nothing, and is answered like any other.
    let answer = world.turnstile().release(sale, Known { generation, revision, chain }, &[]).await?;
    Ok(answer != Reply::Stale)
}
