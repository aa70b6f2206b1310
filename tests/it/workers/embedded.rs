//! The stories on the Embedded world's parts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::sql::sqlite::{Sandbox, SqliteStore};
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::money::payments::Payments;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::wire::world::Signals;

use super::fixture::{Fixture, PartsOfFixture};

pub(crate) async fn fixture() -> Fixture {
    fixture_with(MemorySignals::new()).await
}

pub(crate) async fn fixture_with(signals: impl Signals) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    fixture_of(&path, signals, |sandbox| sandbox, folder).await
}

/// With its files in this folder, and payments made of the sandbox.
pub(crate) async fn fixture_of<P: Payments>(
    folder: &Path,
    signals: impl Signals,
    payments: impl FnOnce(Sandbox) -> P,
    keep: impl std::any::Any + Send + Sync,
) -> Fixture {
    let tasks = Lifecycle::new().tasks();
    let store = Arc::new(SqliteStore::open(&folder.join("ledger.sqlite"), tasks.clone()).await.unwrap());
    store.migrate().await.unwrap();
    let queue = SqliteQueue::open(&folder.join("queue.sqlite"), 4, 10_000, tasks).await.unwrap();
    Fixture::of(PartsOfFixture {
        fresh: Arc::new(|| Box::pin(async { Arc::new(MemoryTurnstile::new()) as Arc<dyn Turnstile> })),
        payments: Arc::new(payments(store.sandbox(&Lifecycle::new()).with_wait(Duration::from_millis(1)))),
        store,
        queue: Arc::new(queue),
        signals: Arc::new(signals),
        keep: Box::new(keep),
    })
    .await
}

super::suite::suite!(fixture, fixture);
