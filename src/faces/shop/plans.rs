//! Plans as they are given out: read from the ledger and packed once, the last ones asked for kept in memory. A plan never changes, so
//! that nothing kept is ever old.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::domain::seating::PlanHash;
use crate::kit::http::packed::Packed;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::work::recent::Recent;
use crate::ports::seating::plans::Plans;

/// Plans that a process keeps: some two megabytes each, at most eight.
const KEPT_MAX: usize = 8;
/// Reads at once of what is not kept: anybody may make up a hash.
const READS_MAX: usize = 4;
/// For one's turn. Most who wait find that the one before them read what they want.
const TURN_MAX: Duration = Duration::from_secs(3);
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub struct KeptPlans {
    kept: Arc<Recent<PlanHash, Arc<Packed>>>,
    reads: Arc<Semaphore>,
}

impl KeptPlans {
    pub fn new() -> Self {
        Self { kept: Arc::new(Recent::new(KEPT_MAX)), reads: Arc::new(Semaphore::new(READS_MAX)) }
    }

    /// `None` when there is no such plan.
    pub async fn plan(&self, plans: &dyn Plans, hash: PlanHash) -> Result<Option<Arc<Packed>>, Problem> {
        if let Some(known) = self.kept.get(&hash) {
            return Ok(Some(known));
        }
        let turn = timeout(TURN_MAX, self.reads.clone().acquire_owned()).await.ok().and_then(Result::ok);
        let busy = || Problem::new(Kind::BUSY, "many plans are read at this moment; come again shortly");
        let turn = turn.ok_or_else(busy)?;
        if let Some(known) = self.kept.get(&hash) {
            return Ok(Some(known));
        }
        let Some(plan) = plans.plan(hash).await? else { return Ok(None) };
        let kept = self.kept.clone();
        // Packing a large one takes longer than others may wait for this thread. Who asked may be gone meanwhile: the turn is the work's.
        let packing = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            kept.keep(hash, Arc::new(Packed::new(plan.into_bytes(), FOR_EVER, "Accept-Encoding")))
        });
        let broke = |_| Problem::new(Kind::INTERNAL, "the plan could not be packed");
        Ok(Some(packing.await.map_err(broke)?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;
    use tokio::sync::Notify;

    use super::*;
    use crate::domain::people::author::Author;
    use crate::domain::seating::Plan;
    use crate::domain::shared::time::Timestamp;
    use crate::ports::Result;

    /// Every hash is a plan; reads wait to be let through, where that is wanted.
    #[derive(Default)]
    struct Counted {
        reads: AtomicUsize,
        gate: Option<Notify>,
    }

    #[async_trait]
    impl Plans for Counted {
        async fn keep_plan(&self, _: &Plan, _: Timestamp, _: Option<&Author>) -> Result<bool> {
            Ok(true)
        }

        async fn plan(&self, hash: PlanHash) -> Result<Option<String>> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            if let Some(gate) = &self.gate {
                gate.notified().await;
            }
            Ok(Some(hash.to_string()))
        }
    }

    fn hash(number: usize) -> PlanHash {
        PlanHash([number as u8; 32])
    }

    #[tokio::test]
    async fn so_many_plans_are_kept() {
        let (plans, kept) = (Counted::default(), KeptPlans::new());
        let ask = async |number| kept.plan(&plans, hash(number)).await.map(|plan| assert!(plan.is_some())).unwrap();
        for number in 0..KEPT_MAX {
            ask(number).await;
        }
        ask(0).await;
        assert_eq!(plans.reads.load(Ordering::Relaxed), KEPT_MAX, "all of them are kept");
        ask(KEPT_MAX).await;
        ask(0).await;
        assert_eq!(plans.reads.load(Ordering::Relaxed), KEPT_MAX + 1, "and the one asked for last stays");
        ask(1).await;
        assert_eq!(plans.reads.load(Ordering::Relaxed), KEPT_MAX + 2, "the one asked for longest ago went");
    }

    /// Whoever comes for the same plan waits for who reads it.
    #[tokio::test]
    async fn one_plan_is_read_by_the_first_of_a_crowd() {
        let (plans, kept) = (Counted::default(), KeptPlans::new());
        let crowd = (0..200).map(|_| kept.plan(&plans, hash(7)));
        assert!(futures_util::future::join_all(crowd).await.into_iter().all(|plan| plan.unwrap().is_some()));
        assert!(plans.reads.load(Ordering::Relaxed) <= READS_MAX);
    }

    #[tokio::test(start_paused = true)]
    async fn so_many_plans_are_read_at_once() {
        let plans = Counted { gate: Some(Notify::new()), ..Counted::default() };
        let kept = KeptPlans::new();
        let ask = async |number| kept.plan(&plans, hash(number)).await.map(|plan| plan.is_some());
        let refuse = async {
            while plans.reads.load(Ordering::Relaxed) < READS_MAX {
                tokio::task::yield_now().await;
            }
            let refused = ask(READS_MAX).await.unwrap_err();
            assert_eq!(refused.kind, Kind::BUSY);
            for _ in 0..READS_MAX {
                plans.gate.as_ref().unwrap().notify_one();
            }
        };
        let (read, ()) = tokio::join!(futures_util::future::join_all((0..READS_MAX).map(ask)), refuse);
        assert!(read.into_iter().all(|is_there| is_there.unwrap()));
    }
}
