//! The servers over TLS: the same work, and no server trusted that does not prove who it is.

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::tls::{Endpoint, Trust};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::Fault;

use crate::contract::attempts::{self, Fixture, PARTITIONS};
use crate::contract::turnstile::over;
use crate::support::servers::{Tls, tls, unique_name};

mod network_faults;
mod refused;
mod settings;

/// At this URL, and believing the servers' own issuer.
fn at(url: &str) -> Endpoint {
    Endpoint::new(url, &Trust::new(&tls().pem("ca.pem")).unwrap())
}

fn rabbit_at(at: Endpoint, namespace: &str) -> RabbitConfig {
    RabbitConfig {
        at,
        namespace: namespace.into(),
        partitions: PARTITIONS,
        queue_messages_max: 1_000,
        confirm_ms: 10_000,
    }
}

async fn redis() -> RedisTurnstile {
    RedisTurnstile::connect(at(&tls().redis_url), &unique_name()).await.unwrap()
}

over!(turnstile_by_tls, super::redis());

struct Namespace(String);

impl Fixture for Namespace {
    type Queue = RabbitBroker;

    async fn open(&self, messages_max: u64) -> RabbitBroker {
        let config = rabbit_at(at(&tls().rabbit_url), &self.0);
        RabbitBroker::connect(RabbitConfig { queue_messages_max: messages_max, ..config }, Lifecycle::new().tasks())
            .await
            .unwrap()
    }

    async fn plant(&self, _: u16, _: &[u8]) {
        panic!("nothing is planted here");
    }
}

#[tokio::test]
async fn attempts_keep_their_order() {
    attempts::keeps_order(&Namespace(unique_name())).await;
}

#[tokio::test]
async fn attempts_of_a_crowd_are_taken() {
    attempts::takes_a_crowd(&Namespace(unique_name())).await;
}

#[tokio::test]
async fn attempts_outlive_a_restart() {
    attempts::outlives_a_restart(&Namespace(unique_name())).await;
}

/// The server's user may come by TLS only.
#[tokio::test]
async fn the_ledger_is_read_and_its_schema_made() {
    let store = MysqlStore::connect(at(&tls().mysql_url), 2).await.unwrap();
    store.migrate().await.unwrap();
    store.verify_schema().await.unwrap();
}

/// One way to each of the three.
async fn try_all(at: impl Fn(&str) -> Endpoint, servers: &Tls) -> [Result<(), Fault>; 3] {
    [
        RedisTurnstile::connect(at(&servers.redis_url), "x").await.map(drop),
        RabbitBroker::connect(rabbit_at(at(&servers.rabbit_url), &unique_name()), Lifecycle::new().tasks())
            .await
            .map(drop),
        MysqlStore::connect(at(&servers.mysql_url), 1).await.map(drop),
    ]
}
