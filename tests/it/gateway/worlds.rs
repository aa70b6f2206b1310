//! The worlds a bed can stand in. Of the parts, the ledger is the one whose dialect a gateway could feel.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::folder::FolderArchive;
use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::mysql::{self, MysqlStore};
use miaosha::adapters::sqlite::queue::SqliteQueue;
use miaosha::adapters::sqlite::{self, SqliteStore};
use miaosha::adapters::stripe::Stripe;
use miaosha::ports::{Parts, PartsOf};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::support::clock::ManualClock;
use crate::support::faults::StopAt;
use crate::support::servers::{mysql_replica_url, mysql_url, unique_name};
use crate::support::stripe::settings;

type With<S, P> = Parts<MemoryTurnstile, S, SqliteQueue, MemorySignals, P>;
pub type Embedded = With<SqliteStore, sqlite::Sandbox>;
pub type OnStripe = With<SqliteStore, Stripe<SqliteStore>>;
pub type OnMysql = With<MysqlStore, mysql::Sandbox>;

/// A ledger that was never migrated answers nothing but faults.
pub async fn unmigrated(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> Embedded {
    let store = SqliteStore::open(&folder.join("ledger.db")).await.unwrap();
    with(store.clone(), store.sandbox().with_wait(Duration::ZERO), folder, clock, stops).await
}

pub async fn embedded(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> Embedded {
    let world = unmigrated(folder, clock, stops).await;
    miaosha::ports::World::store(&world).migrate().await.unwrap();
    world
}

pub async fn on_mysql(folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> OnMysql {
    let (url, name) = (mysql_url(), unique_name());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let store = MysqlStore::connect(&format!("{server}/{name}"), 8).await.unwrap();
    store.migrate().await.unwrap();
    with(store.clone(), store.sandbox().with_wait(Duration::ZERO), folder, clock, stops).await
}

/// A database that a copy follows, read there over this proxy.
pub async fn on_replica(name: &str, port: u16, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> OnMysql {
    let at = |url: String| format!("{}/{name}", url.rsplit_once('/').unwrap().0);
    let mut conn = MySqlConnection::connect(&mysql_url()).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (user, _) =
        mysql_replica_url().rsplit_once('@').map(|(user, server)| (user.to_owned(), server.to_owned())).unwrap();
    let store = MysqlStore::connect(&at(mysql_url()), 8).await.unwrap();
    store.migrate().await.unwrap();
    let store = store.with_replica(format!("{user}@127.0.0.1:{port}/{name}"), 4).unwrap();
    with(store.clone(), store.sandbox().with_wait(Duration::ZERO), folder, clock, stops).await
}

/// Whose payments go to Stripe, at this address.
pub async fn on_stripe(url: String, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> OnStripe {
    let store = SqliteStore::open(&folder.join("ledger.db")).await.unwrap();
    store.migrate().await.unwrap();
    let stripe = Stripe::new(settings(&url), store.clone()).unwrap();
    with(store, stripe, folder, clock, stops).await
}

async fn with<S, P>(store: S, payments: P, folder: &Path, clock: Arc<ManualClock>, stops: Arc<StopAt>) -> With<S, P> {
    Parts::new(PartsOf {
        turnstile: MemoryTurnstile::new(),
        store,
        attempts: SqliteQueue::open(&folder.join("queue.db"), 2, 1_000).await.unwrap(),
        signals: MemorySignals::new(),
        payments,
        archive: Arc::new(FolderArchive::new(&folder.join("archive"))),
        clock,
        faults: stops,
    })
}
