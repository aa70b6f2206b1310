//! A sale's turnstile, rebuilt from the ledger.
//!
//! One restore at a time for each sale, under a lock that ends with its connection. The process that gets the lock looks again
//! first: most doubts are gone by then, because another process restored, or caught up. A crash between the two halves leaves a
//! turnstile of an older generation than the ledger's, which the next caller or the sweeper finds. A sale on which another process
//! has a valid lease is that one's to restore.

use std::sync::Arc;

use crate::app::sale::tell;
use crate::domain::sale::turn::Known;
use crate::domain::sale::turnstile::Reply;
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::{Faults, Point};
use crate::ports::sale::recording::Recording;
use crate::ports::sale::restoring::{Restoring, SaleTotals};
use crate::ports::sale::turnstile::Turnstile;

pub const AFTER_LOCK: Point = Point("restore.after_lock");
pub const AFTER_LEDGER: Point = Point("restore.after_ledger");
pub const AFTER_TURNSTILE: Point = Point("restore.after_turnstile");

pub const RESTORES_TOTAL: &str = "miaosha_restores_total";

/// Of a restore's counter; every service that restores calls it once.
pub fn describe() {
    metrics::describe_counter!(
        RESTORES_TOTAL,
        "Turnstiles rebuilt from the ledger, by the grounds on which it was done."
    );
    // There from the beginning, so that the first one is seen.
    for grounds in
        [RestoreReason::Behind { revision: 0 }, RestoreReason::Refused, RestoreReason::Lost, RestoreReason::Away]
    {
        metrics::counter!(RESTORES_TOTAL, "grounds" => grounds.label()).increment(0);
    }
}

/// Why a caller thinks that the turnstile is not the one the ledger knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestoreReason {
    /// It is missing, of another generation, behind this revision, or has another chain than the ledger at the same revision.
    Behind { revision: u64 },
    /// A fence or a chain refused its answer.
    Refused,
    /// One of its answers is lost for good. Comparing the two again shows nothing, so that only a newer generation ends it.
    Lost,
    /// The store does not answer: it is restored into this process's memory.
    Away,
}

impl RestoreReason {
    fn label(self) -> &'static str {
        match self {
            RestoreReason::Behind { .. } => "behind",
            RestoreReason::Refused => "refused",
            RestoreReason::Lost => "lost",
            RestoreReason::Away => "away",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Divergence {
    pub sale: SaleId,
    /// The generation that the doubtful call carried.
    pub generation: u64,
    pub grounds: RestoreReason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restored {
    Now,
    /// Another generation is there by now, or turnstile and ledger agree: try the work again.
    NotNeeded,
    /// Another process is at it, or has the sale in its memory: try the work again a little later.
    Busy,
}

#[derive(Clone)]
pub struct Needs {
    pub turnstile: Arc<dyn Turnstile>,
    pub recording: Arc<dyn Recording>,
    pub restoring: Arc<dyn Restoring>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
}

pub async fn restore(needs: &Needs, telling: &tell::Settings, doubt: Divergence) -> Result<Restored> {
    let Divergence { sale, generation, grounds } = doubt;
    // STALE for an old generation only means: read it again. That needs no lock.
    let look = needs.recording.look(sale, &[], &[]).await?;
    let Some(look) = look.filter(|look| look.generation == generation) else { return Ok(Restored::NotNeeded) };
    let lease = needs.turnstile.lease(sale);
    if !lease.admits(look.leased_by) {
        return Ok(Restored::Busy);
    }
    let Some(lock) = needs.restoring.lock_restore(sale).await? else {
        return Ok(Restored::Busy);
    };
    needs.faults.reach(AFTER_LOCK).await;
    let Some(standing) = needs.restoring.standing(sale).await? else {
        return Ok(Restored::NotNeeded);
    };
    if standing.generation != generation {
        return Ok(Restored::NotNeeded);
    }
    if agree(needs, &standing, grounds).await? {
        return Ok(Restored::NotNeeded);
    }
    let now = needs.clock.now();
    let Some((snapshot, promoted)) = needs.restoring.restore_under(sale, generation, &lease, now).await? else {
        return Ok(Restored::NotNeeded);
    };
    needs.faults.reach(AFTER_LEDGER).await;
    needs.turnstile.restore(sale, &snapshot).await?;
    needs.faults.reach(AFTER_TURNSTILE).await;
    drop(lock);
    metrics::counter!(RESTORES_TOTAL, "grounds" => grounds.label()).increment(1);
    tracing::warn!(
        sale.id = %sale, sale.generation = snapshot.generation, grounds = grounds.label(), promoted = promoted.len(),
        "the turnstile was restored from the ledger"
    );
    tell::try_to_notify(&needs.tell, telling, &promoted).await;
    tell::try_to_wake(&needs.tell, telling, &promoted, standing.hold_ms).await;
    Ok(Restored::Now)
}

/// Whether the doubt is gone. The ledger was read first, so that a turnstile which looks behind is behind; one that is ahead by
/// the same history has an answer on its way.
async fn agree(needs: &Needs, standing: &SaleTotals, grounds: RestoreReason) -> Result<bool> {
    let Some(level) = needs.turnstile.look(standing.sale).await? else { return Ok(false) };
    match grounds {
        RestoreReason::Behind { revision } => {
            let SaleTotals { sale, generation, revision: last, chain, .. } = *standing;
            let known = Known { generation, revision: last, chain };
            Ok(level.revision >= revision && is_of_one_history(&*needs.turnstile, sale, known).await?)
        }
        RestoreReason::Refused => {
            Ok((level.generation, level.revision, level.chain)
                == (standing.generation, standing.revision, standing.chain))
        }
        RestoreReason::Lost | RestoreReason::Away => Ok(false),
    }
}

/// Whether the turnstile's history has the ledger's highest turn in it.
pub async fn is_of_one_history(turnstile: &dyn Turnstile, sale: SaleId, last: Known) -> Result<bool> {
    // A release of nothing changes nothing, and is answered like any other.
    let answer = turnstile.release(sale, last, &[]).await?;
    Ok(answer != Reply::Stale)
}
