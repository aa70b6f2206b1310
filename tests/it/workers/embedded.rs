//! The stories on the Embedded world's parts.

use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::sqlite::queue::SqliteQueue;
use miaosha::adapters::sqlite::{Sandbox, SqliteStore};
use miaosha::ports::deadlines::Deadlines;
use miaosha::ports::news::News;
use miaosha::ports::notices::Notices;

use super::bench::{Bench, PartsOfBench, TestWorld};

pub(crate) type World = TestWorld<MemoryTurnstile, SqliteStore, SqliteQueue, MemorySignals, Sandbox>;

pub(crate) async fn bench() -> Bench<World, MemoryTurnstile> {
    bench_with(MemorySignals::new()).await
}

pub(crate) async fn bench_with<G: Deadlines + Notices + News>(
    signals: G,
) -> Bench<TestWorld<MemoryTurnstile, SqliteStore, SqliteQueue, G, Sandbox>, MemoryTurnstile> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.sqlite")).await.unwrap();
    store.migrate().await.unwrap();
    let attempts = SqliteQueue::open(&folder.path().join("queue.sqlite"), 4, 10_000).await.unwrap();
    Bench::of(PartsOfBench {
        fresh: Arc::new(|| Box::pin(async { MemoryTurnstile::new() })),
        payments: store.sandbox().with_wait(Duration::from_millis(1)),
        store,
        attempts,
        signals,
        keep: Box::new(folder),
    })
    .await
}

super::suite::suite!(bench, bench);

/// A ledger that was never migrated answers nothing but faults.
pub(crate) async fn broken() -> SqliteStore {
    let folder = tempfile::tempdir().unwrap().keep();
    SqliteStore::open(&folder.join("ledger.sqlite")).await.unwrap()
}
