//! A consumer with a memory, and what is asked of the world beside it.

use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::app::sale::fallback::FallbackTurnstile;
use miaosha::app::sale::restore::{Divergence, RestoreReason, restore};
use miaosha::app::sale::tell;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::reservation::Kind;
use miaosha::ports::sale::fallback::SaleLease;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::wire::world::World;
use miaosha::workers::consumer::Consumer;
use miaosha::workers::consumer::fallback::{Fallback, Mode, Settings};
use miaosha::workers::payment_consumer::Sweeper;

use crate::workers::fixture::{Fixture, Message, consumer_settings, payment_settings};

pub const LONG_MS: i64 = 600_000;
pub const SHORT_MS: i64 = 1_500;
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What it does beside deciding is turned by hand.
pub struct Holder {
    pub world: World,
    pub turnstile: Arc<FallbackTurnstile>,
    pub consumer: Arc<Consumer>,
    pub sweeper: Sweeper,
}

impl Holder {
    pub fn new(fixture: &Fixture, by: u64, lease_ms: i64, mode: Mode) -> Self {
        Self::that_waits(fixture, by, lease_ms, mode, 100, PATIENCE)
    }

    /// `after_ms` before it decides by itself; what it was handed it gives back after `outage`.
    pub fn that_waits(fixture: &Fixture, by: u64, lease_ms: i64, mode: Mode, after_ms: u64, outage: Duration) -> Self {
        let lease = SaleLease { by, ms: lease_ms, partitions: fixture.world.attempts.partitions() };
        let memory = Arc::new(MemoryTurnstile::new());
        let turnstile = Arc::new(FallbackTurnstile::new(fixture.world.turnstile.clone(), memory, lease));
        let world = World { turnstile: turnstile.clone(), ..fixture.world.clone() };
        let settings = Settings { mode, fallback_after_ms: after_ms, return_after_ms: 0, ..Settings::default() };
        let fallback = Fallback::new(world.needs(), turnstile.clone(), settings, tell::Settings::default());
        let mut settings = consumer_settings();
        settings.backoff.outage_ms_max = outage.as_millis() as u64;
        let consumer = Arc::new(Consumer::new(world.needs(), settings).with_fallback(fallback));
        let sweeper = Sweeper::new(world.needs(), payment_settings());
        Self { world, turnstile, consumer, sweeper }
    }

    pub async fn decide(&self, batches: impl IntoIterator<Item = Batch>) {
        self.consumer.handle(batches.into_iter().map(Message::of).collect()).await.unwrap();
    }

    pub async fn beat(&self) {
        self.consumer.fallback().unwrap().beat().await;
    }

    pub async fn give_back(&self) {
        self.consumer.fallback().unwrap().give_back(None).await;
    }

    /// Beats until the store is well and the sale with it.
    pub async fn goes_back(&self) {
        let back = async {
            while !self.turnstile.sales().is_empty() {
                self.beat().await;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, back).await.expect("the store is well");
    }
}

/// Until the store has the sale as the ledger does; with which generation. Of its connections each comes back in its own time, and meanwhile
/// the second half of a restore may fail: then it is done again by whoever comes.
pub async fn at_the_store(fixture: &Fixture, holder: &Holder) -> u64 {
    until("the store's turnstile", async || {
        holder.goes_back().await;
        if is_at_the_store(fixture).await {
            return true;
        }
        let (sale, generation) = (fixture.sale, generation(fixture).await);
        let doubt = Divergence { sale, generation, grounds: RestoreReason::Lost };
        let _ = restore(&fixture.world.needs(), &tell::Settings::default(), doubt).await;
        false
    })
    .await;
    generation(fixture).await
}

pub async fn is_at_the_store(fixture: &Fixture) -> bool {
    let level = fixture.turnstile.look(fixture.sale).await.ok().flatten();
    match level {
        Some(level) => level.generation == generation(fixture).await,
        None => false,
    }
}

pub async fn kinds(fixture: &Fixture, last: u64) -> Vec<Kind> {
    fixture.kinds(1..=last).await.into_values().map(|kind| kind.expect("everybody was decided")).collect()
}

pub async fn generation(fixture: &Fixture) -> u64 {
    fixture.world.restoring.standing(fixture.sale).await.unwrap().unwrap().generation
}

pub async fn leased_by(fixture: &Fixture) -> Option<u64> {
    let leased = fixture.world.fallbacks.leased().await.unwrap();
    leased.into_iter().find(|(sale, _)| *sale == fixture.sale).map(|(_, lease)| lease.by)
}

pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let seen = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what} did not come"));
}
