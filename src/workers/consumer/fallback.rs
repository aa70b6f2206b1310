//! While the turnstiles' store is away the consumer decides from its own memory, sale by sale, and goes back when the store is well.
//!
//! Taking a sale is a restore into the memory, going back is a restore into the store; so nothing is ever decided twice, whoever
//! believes what. The lease only says who is at it: it is renewed as long as this process has the partition, given back at the
//! soft stop and with the subscription, and otherwise runs out.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;

use crate::app::sale::fallback::FallbackTurnstile;
use crate::app::sale::feed::{self, announce};
use crate::app::sale::restore::{self, Divergence, RestoreReason, Restored, restore};
use crate::app::sale::tell;
use crate::domain::shared::id::SaleId;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::Result;
use crate::ports::sale::attempts::partition_of;
use crate::ports::sale::fallback::Fallbacks;
use crate::ports::sale::recording::Recording;
use crate::ports::sale::turnstile::Turnstile;
use crate::workers::consumer::metric::Metric;

/// Between two renewals of a lease, in each of which the sale is announced and the store is asked.
const BEAT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Attempts wait until the store is back.
    #[default]
    Off,
    /// A sale whose store is away for `fallback_after_ms`.
    Automatic,
    /// A sale for which an operator says so, from the first fault on and until it is taken back.
    ByHand,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub mode: Mode,
    /// For how long every try of a sale's batches must have failed before it is decided from the memory.
    pub fallback_after_ms: u64,
    /// For how long the store must have answered for a sale before it goes back.
    pub return_after_ms: u64,
    /// How long others leave the sale alone when nobody renews the lease any more.
    pub lease_ms: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { mode: Mode::Off, fallback_after_ms: 10_000, return_after_ms: 10_000, lease_ms: 10_000 }
    }
}

impl Settings {
    /// Settings that contradict each other, checked when a process starts.
    pub fn check(&self) -> Result<(), &'static str> {
        // A beat that is late by a call to a silent store still renews in time.
        if self.lease_ms >= 5_000 { Ok(()) } else { Err("consumer.fallback.lease_ms must be at least 5000") }
    }

    pub fn is_on(&self) -> bool {
        self.mode != Mode::Off
    }
}

#[derive(Clone)]
pub struct Needs {
    pub fallbacks: Arc<dyn Fallbacks>,
    pub recording: Arc<dyn Recording>,
    pub restore: restore::Needs,
    pub announce: feed::Needs,
}

/// `turnstile` is the one behind all of the needs.
pub struct Fallback {
    needs: Needs,
    turnstile: Arc<FallbackTurnstile>,
    settings: Settings,
    tell: tell::Settings,
}

impl Fallback {
    pub fn new(needs: Needs, turnstile: Arc<FallbackTurnstile>, settings: Settings, tell: tell::Settings) -> Self {
        Self { needs, turnstile, settings, tell }
    }

    /// The store has not decided for this sale for so long: whether it is decided from the memory from now on.
    pub(super) async fn take(&self, sale: SaleId, away: Duration) -> Result<bool> {
        let Some(head) = self.needs.recording.look(sale, &[], &[]).await? else { return Ok(false) };
        // One that this process had a moment ago is taken again at once.
        let is_ours = head.leased_by == self.turnstile.lease(sale).by;
        let is_due = match self.settings.mode {
            Mode::Off => false,
            Mode::Automatic => is_ours || away >= Duration::from_millis(self.settings.fallback_after_ms),
            Mode::ByHand => is_ours || self.needs.fallbacks.is_wanted(sale).await?,
        };
        if !is_due {
            return Ok(false);
        }
        self.turnstile.take(sale);
        let doubt = Divergence { sale, generation: head.generation, grounds: RestoreReason::Away };
        let restored = restore(&self.needs.restore, &self.tell, doubt).await;
        let taken = restored == Ok(Restored::Now);
        if taken {
            tracing::warn!(sale.id = %sale, "the turnstile's store is away: the sale is decided from this process's memory");
        } else {
            self.turnstile.forget(sale).await;
        }
        self.count();
        restored.map(|_| taken)
    }

    /// Until the soft stop.
    pub(super) async fn keep(&self, lifecycle: &Lifecycle) {
        run_periodically(BEAT, lifecycle, || self.beat()).await;
    }

    /// Renews, announces, and goes back where the store is well.
    pub async fn beat(&self) {
        join_all(self.turnstile.sales().into_iter().map(|sale| self.keep_one(sale))).await;
        self.count();
    }

    async fn keep_one(&self, sale: SaleId) {
        if let Err(fault) = self.try_to_keep(sale).await {
            metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
            tracing::warn!(sale.id = %sale, %fault, "the next beat tries again");
        }
    }

    async fn try_to_keep(&self, sale: SaleId) -> Result<()> {
        // One that is being restored has nothing to be kept yet.
        let Some(generation) = self.turnstile.generation(sale).await else { return Ok(()) };
        let lease = self.turnstile.lease(sale);
        let renewed = self.needs.fallbacks.renew(sale, generation, &lease).await?;
        if !renewed && self.turnstile.generation(sale).await == Some(generation) {
            tracing::warn!(sale.id = %sale, "another process has the sale by now: this memory of it is dropped");
            return self.let_go(sale).await;
        }
        let announced = announce(&self.needs.announce, sale).await;
        let well_for = self.turnstile.store_is_well_for(sale).await;
        if well_for.is_some_and(|well| well >= Duration::from_millis(self.settings.return_after_ms)) {
            self.go_back(sale, generation).await?;
        }
        announced
    }

    /// The memory is dropped first. Whoever asks meanwhile finds the store behind, and restores it the same way.
    async fn go_back(&self, sale: SaleId, generation: u64) -> Result<()> {
        if self.settings.mode == Mode::ByHand && self.needs.fallbacks.is_wanted(sale).await? {
            return Ok(());
        }
        self.turnstile.forget(sale).await;
        let doubt = Divergence { sale, generation, grounds: RestoreReason::Behind { revision: 0 } };
        let restored = restore(&self.needs.restore, &self.tell, doubt).await?;
        tracing::warn!(sale.id = %sale, ?restored, "the turnstile's store is well: the sale is decided by it again");
        Ok(())
    }

    async fn let_go(&self, sale: SaleId) -> Result<()> {
        self.turnstile.forget(sale).await;
        self.needs.fallbacks.give_back(sale, self.turnstile.lease(sale).by).await
    }

    /// Of one partition, whose subscription is over, or of all.
    pub async fn give_back(&self, partition: Option<u16>) {
        let partitions = self.turnstile.lease(SaleId(0)).partitions;
        let is_meant = |sale: &SaleId| partition.is_none_or(|number| partition_of(*sale, partitions) == number);
        let given = join_all(self.turnstile.sales().into_iter().filter(is_meant).map(|sale| self.let_go(sale))).await;
        for fault in given.into_iter().filter_map(Result::err) {
            tracing::warn!(%fault, "a lease could not be given back, and runs out");
        }
        self.count();
    }

    fn count(&self) {
        metrics::gauge!(Metric::FallbackSales.name()).set(self.turnstile.sales().len() as f64);
    }
}
