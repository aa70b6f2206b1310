//! The stories on the Cluster world's parts: a database for each, with sales that nobody else's have the number of, because
//! they share the broker.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use miaosha::adapters::mysql::{MysqlStore, Sandbox};
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use super::bench::{Bench, PartsOfBench, TestWorld};
use crate::support::proxy::Proxy;
use crate::support::servers::{mysql_url, rabbit_url, redis_url, unique_name};

pub(crate) type World = TestWorld<RedisTurnstile, MysqlStore, RabbitBroker, RabbitBroker, Sandbox>;

pub(crate) async fn bench() -> Bench<World, RedisTurnstile> {
    static SHARED: OnceLock<String> = OnceLock::new();
    bench_on(SHARED.get_or_init(unique_name).clone()).await
}

/// With queues of its own: whoever serves them takes everything.
async fn bench_alone() -> Bench<World, RedisTurnstile> {
    bench_on(unique_name()).await
}

async fn bench_on(namespace: String) -> Bench<World, RedisTurnstile> {
    bench_at(rabbit_url(), namespace).await
}

async fn bench_at(url: String, namespace: String) -> Bench<World, RedisTurnstile> {
    let store = store().await;
    let broker = RabbitBroker::connect(RabbitConfig {
        at: url.into(),
        namespace,
        partitions: 2,
        queue_messages_max: 10_000,
        confirm_ms: 10_000,
    })
    .await
    .unwrap();
    Bench::of(PartsOfBench {
        fresh: Arc::new(|| Box::pin(async { RedisTurnstile::connect(&redis_url(), &unique_name()).await.unwrap() })),
        payments: store.sandbox().with_wait(Duration::from_millis(1)),
        store,
        attempts: broker.clone(),
        signals: broker,
        keep: Box::new(()),
    })
    .await
}

async fn store() -> MysqlStore {
    let name = unique_name();
    let url = mysql_url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let store = MysqlStore::connect(&format!("{server}/{name}"), 6).await.unwrap();
    store.migrate().await.unwrap();
    let first = getrandom::u32().unwrap();
    let sql = format!("ALTER TABLE `{name}`.sales AUTO_INCREMENT = {first}");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    store
}

super::suite::suite!(bench, bench_alone);

/// A ledger that was never migrated answers nothing but faults.
pub(crate) async fn broken() -> MysqlStore {
    let (name, url) = (unique_name(), mysql_url());
    let (server, _) = url.rsplit_once('/').unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    MysqlStore::connect(&format!("{server}/{name}"), 2).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_whose_broker_is_away() {
    let url = rabbit_url();
    let (before, rest) = url.split_once('@').unwrap();
    let (server, vhost) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(server.to_owned()).await;
    let url = format!("{before}@127.0.0.1:{}/{vhost}?heartbeat=1", proxy.port);
    super::relaying::broker_away(bench_at(url, unique_name()).await, &proxy).await;
}
