//! The stories on the Cluster world's parts: a database for each, with sales whose numbers no other test uses, because
//! they share the broker.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::sale::turnstile::Turnstile;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use super::fixture::{Fixture, PartsOfFixture};
use crate::support::proxy::Proxy;
use crate::support::redis::Server;
use crate::support::servers::{mysql_url, rabbit_url, redis_url, unique_name};

pub(crate) async fn fixture() -> Fixture {
    static SHARED: OnceLock<String> = OnceLock::new();
    fixture_on(SHARED.get_or_init(unique_name).clone()).await
}

/// With queues of its own: a worker that serves them takes everything.
async fn fixture_alone() -> Fixture {
    fixture_on(unique_name()).await
}

async fn fixture_on(namespace: String) -> Fixture {
    fixture_at(rabbit_url(), namespace).await
}

async fn fixture_at(url: String, namespace: String) -> Fixture {
    fixture_of(url, redis_url(), namespace).await
}

/// With queues of its own, and this Redis.
pub(super) async fn fixture_beside(redis: &Server) -> Fixture {
    fixture_of(rabbit_url(), redis.url(), unique_name()).await
}

async fn fixture_of(url: String, redis: String, namespace: String) -> Fixture {
    let store = Arc::new(store().await);
    let broker = RabbitBroker::connect(
        RabbitConfig { at: url.into(), namespace, partitions: 2, queue_messages_max: 10_000, confirm_ms: 10_000 },
        Lifecycle::new().tasks(),
    )
    .await
    .unwrap();
    let broker = Arc::new(broker);
    Fixture::of(PartsOfFixture {
        fresh: Arc::new(move || {
            let redis = redis.clone();
            Box::pin(async move {
                Arc::new(RedisTurnstile::connect(redis, &unique_name()).await.unwrap()) as Arc<dyn Turnstile>
            })
        }),
        payments: Arc::new(store.sandbox(&Lifecycle::new()).with_wait(Duration::from_millis(1))),
        store,
        queue: broker.clone(),
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

super::suite::suite!(fixture, fixture_alone);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_whose_broker_is_away() {
    let url = rabbit_url();
    let (before, rest) = url.split_once('@').unwrap();
    let (server, vhost) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(server.to_owned()).await;
    let url = format!("{before}@127.0.0.1:{}/{vhost}?heartbeat=1", proxy.port);
    super::relaying::broker_away(fixture_at(url, unique_name()).await, &proxy).await;
}
