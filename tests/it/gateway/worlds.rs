//! The worlds a fixture can stand in. Of the parts, the ledger is the one whose dialect a gateway could feel.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::memory::places::MemoryPlaces;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::tries::MemoryTries;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::adapters::stripe::Stripe;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::money::payments::Payments;
use miaosha::wire::world::{Backends, Store, World};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::support::clock::ManualClock;
use crate::support::faults::StopAt;
use crate::support::servers::{mysql_replica_url, mysql_url, unique_name};
use crate::support::stripe::settings;
use crate::support::watched::{Before, Watched};

/// A ledger that was never migrated answers nothing but faults.
pub async fn unmigrated(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    on_sqlite(sqlite(folder).await, folder, clock, stops).await
}

pub async fn embedded(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let store = sqlite(folder).await;
    store.migrate().await.unwrap();
    on_sqlite(store, folder, clock, stops).await
}

pub async fn on_mysql(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let (url, name) = (mysql_url(), unique_name());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let store = MysqlStore::connect(&format!("{server}/{name}"), 8).await.unwrap();
    store.migrate().await.unwrap();
    let payments = Arc::new(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO));
    with(Arc::new(store), payments, folder, clock, stops).await
}

/// Whose payments do this before each call.
pub async fn watched(before: Before, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let store = Arc::new(sqlite(folder).await);
    store.migrate().await.unwrap();
    let payments = Arc::new(Watched { payments: store.sandbox(&Lifecycle::new()), before });
    with(store, payments, folder, clock, stops).await
}

/// A database that a copy follows, read there over this proxy.
pub async fn on_replica(name: &str, port: u16, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let at = |url: String| format!("{}/{name}", url.rsplit_once('/').unwrap().0);
    let mut conn = MySqlConnection::connect(&mysql_url()).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (user, _) =
        mysql_replica_url().rsplit_once('@').map(|(user, server)| (user.to_owned(), server.to_owned())).unwrap();
    let store = MysqlStore::connect(&at(mysql_url()), 8).await.unwrap();
    store.migrate().await.unwrap();
    let store = store.with_replica(format!("{user}@127.0.0.1:{port}/{name}"), 4).unwrap();
    let payments = Arc::new(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO));
    with(Arc::new(store), payments, folder, clock, stops).await
}

/// Whose payments go to Stripe, at this address.
pub async fn on_stripe(url: String, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let store = Arc::new(sqlite(folder).await);
    store.migrate().await.unwrap();
    let stripe = Stripe::new(settings(&url), store.clone()).unwrap();
    with(store, Arc::new(stripe), folder, clock, stops).await
}

async fn sqlite(folder: &Path) -> SqliteStore {
    SqliteStore::open(&folder.join("ledger.db"), Lifecycle::new().tasks()).await.unwrap()
}

async fn on_sqlite(store: SqliteStore, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> World {
    let payments = Arc::new(store.sandbox(&Lifecycle::new()).with_wait(Duration::ZERO));
    with(Arc::new(store), payments, folder, clock, stops).await
}

async fn with(
    store: Arc<dyn Store>,
    payments: Arc<dyn Payments>,
    folder: &Path,
    clock: Arc<ManualClock>,
    stops: Arc<StopAt>,
) -> World {
    World::new(Backends {
        turnstile: Arc::new(MemoryTurnstile::new()),
        places: Arc::new(MemoryPlaces::new()),
        tries: Arc::new(MemoryTries::new()),
        store,
        queue: Arc::new(SqliteQueue::open(&folder.join("queue.db"), 2, 1_000, Lifecycle::new().tasks()).await.unwrap()),
        signals: Arc::new(MemorySignals::new()),
        payments,
        archive: Arc::new(FolderArchive::new(&folder.join("archive"))),
        clock,
        faults: stops,
    })
}
