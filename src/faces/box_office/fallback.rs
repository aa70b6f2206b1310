//! Which events are decided from a consumer's memory at this moment: those with a valid lease in the ledger. It is looked for once in a
//! while and not for each caller, so that no purchase waits for it. Nothing is decided by it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::shared::id::SaleId;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::sale::fallback::{Fallbacks, SaleLease};

/// How late it is told that a sale fell back, or returned.
const LOOK: Duration = Duration::from_secs(1);

pub struct FallbackWatch {
    fallbacks: Arc<dyn Fallbacks>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// Until when each lease is valid if nothing more is heard of it: a ledger that is silent leaves nothing for longer.
    until: HashMap<SaleId, Instant>,
    activations: u64,
}

impl FallbackWatch {
    /// Looks until the soft stop.
    pub fn start(fallbacks: Arc<dyn Fallbacks>, lifecycle: &Lifecycle) -> Arc<Self> {
        let watch = Arc::new(Self { fallbacks, seen: Mutex::default() });
        let (looking, while_it_runs) = (watch.clone(), lifecycle.clone());
        lifecycle.supervise("box_office.fallback", async move {
            run_periodically(LOOK, &while_it_runs, || looking.look()).await;
        });
        watch
    }

    async fn look(&self) {
        let asked_at = Instant::now();
        match self.fallbacks.leased().await {
            Ok(leased) => self.seen().note(&leased, asked_at),
            Err(fault) => tracing::debug!(%fault, "which sales fell back is looked for again"),
        }
    }

    pub fn is_active_for(&self, sale: SaleId) -> bool {
        self.seen().until.get(&sale).is_some_and(|until| Instant::now() < *until)
    }

    /// In the order of their numbers.
    pub fn sales(&self) -> Vec<SaleId> {
        let now = Instant::now();
        let seen = self.seen();
        let mut sales: Vec<_> = seen.until.iter().filter(|(_, until)| now < **until).map(|(sale, _)| *sale).collect();
        sales.sort_unstable();
        sales
    }

    /// Of all sales, as seen from here since the process began.
    pub fn activations(&self) -> u64 {
        self.seen().activations
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("no holder of what was seen panics")
    }
}

impl Seen {
    fn note(&mut self, leased: &[(SaleId, SaleLease)], asked_at: Instant) {
        let valid = |lease: &SaleLease| asked_at + Duration::from_millis(lease.ms.max(0) as u64);
        let until: HashMap<_, _> = leased.iter().map(|(sale, lease)| (*sale, valid(lease))).collect();
        self.activations += until.keys().filter(|sale| !self.until.contains_key(*sale)).count() as u64;
        self.until = until;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_time_that_a_sale_falls_back_is_counted_once() {
        let lease = SaleLease { by: 7, ms: 5_000, partitions: 4 };
        let mut seen = Seen::default();
        let looks: [(&[u64], u64); 5] = [(&[1], 1), (&[1], 1), (&[1, 2], 2), (&[2], 2), (&[1, 2], 3)];
        for (sales, count) in looks {
            let leased: Vec<_> = sales.iter().map(|sale| (SaleId(*sale), lease)).collect();
            seen.note(&leased, Instant::now());
            assert_eq!(seen.activations, count, "{sales:?}");
        }
    }
}
