//! Each binary says that it is not ready, and names the part, while a part that it needs is away; and stays ready while others
//! miss theirs.

use crate::support::fleet::{self, CONSUMER, GATEWAY, PAYMENT_CONSUMER, PUBLISHER, Part};
use crate::support::proxy::by_proxy;
use crate::support::redis::Server as Redis;
use crate::support::servers::{rabbit_url, unique_name};

async fn all_are_ready(parts: &[Part]) {
    for part in parts {
        part.comes_to_be_ready().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_binary_misses_what_it_needs_and_nothing_else() {
    let mut redis = Redis::start().await;
    let (rabbit, broker) = by_proxy(&rabbit_url()).await;
    let (mysql, ledger) = by_proxy(&fleet::database().await.0).await;
    let folder = tempfile::tempdir().unwrap();
    let (mut environment, _) = fleet::environment(&unique_name(), folder.path());
    environment.extend([
        ("MIAOSHA__REDIS__URL", redis.url()),
        ("MIAOSHA__RABBIT__URL", rabbit),
        ("MIAOSHA__MYSQL__URL", mysql),
    ]);
    let parts = [PUBLISHER, GATEWAY, CONSUMER, PAYMENT_CONSUMER].map(|program| Part::start(program, &environment));
    all_are_ready(&parts).await;
    let [publisher, gateway, consumer, payments] = &parts;

    redis.kill();
    for part in [consumer, payments] {
        part.comes_to_miss("turnstile").await;
    }
    assert!(gateway.is_ready().await && publisher.is_ready().await, "neither asks the turnstile");
    redis.start_again().await;
    all_are_ready(&parts).await;

    broker.close();
    for part in [publisher, consumer, payments] {
        part.comes_to_miss("broker").await;
    }
    assert!(gateway.is_ready().await, "people still log in, look and pay");
    broker.open();
    all_are_ready(&parts).await;

    ledger.close();
    for part in [gateway, consumer, payments] {
        part.comes_to_miss("ledger").await;
    }
    ledger.open();
    all_are_ready(&parts).await;
}
