//! What only a server can do to a turnstile: forget its scripts, forget everything, go away and come back.
//!
//! On a server of this test's own, which no other test uses.

use std::time::Duration;

use miaosha::adapters::redis::RedisTurnstile;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::turn::{Chain, Known};
use miaosha::domain::sale::turnstile::{Reply, Snapshot};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::ports::sale::turnstile::Turnstile;

use crate::contract::turnstile::batch;
use crate::support::redis::Server;

const SALE: SaleId = SaleId(7);
const KNOWN: Known = Known { generation: 1, revision: 0, chain: Chain(0) };
const ALLOTMENT: Allotment = Allotment { capacity: 10, quantity_max: 4, standby_max: 1_000_000 };
/// For what happens in its own time.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_script_that_was_forgotten_is_sent_again() {
    let server = Server::start().await;
    let turnstile = server.turnstile().await;
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    let first = turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap();
    server.cli(&["script", "flush"]);
    assert_eq!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap(), first);
}

#[tokio::test]
async fn a_sale_that_was_forgotten_is_stale_until_it_is_restored() {
    let server = Server::start().await;
    let turnstile = server.turnstile().await;
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap();
    let state = turnstile.snapshot(SALE).await.unwrap().unwrap();
    server.cli(&["flushall"]);
    assert_eq!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Stale);
    assert!(turnstile.restore(SALE, &state).await.unwrap());
    assert_eq!(turnstile.snapshot(SALE).await.unwrap(), Some(state));
}

#[tokio::test]
async fn a_server_that_is_away_is_a_fault_until_it_is_back() {
    let mut server = Server::start().await;
    let turnstile = server.turnstile().await;
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    server.kill();
    let fault = turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap_err();
    assert_eq!(fault.part, "turnstile");
    assert!(turnstile.ping().await.is_err());
    assert!(turnstile.snapshot(SALE).await.is_err());

    server.start_again().await;
    let back = async {
        while turnstile.ping().await.is_err() || turnstile.snapshot(SALE).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, back).await.expect("it reconnects by itself");
    // Its memory is gone, and it says so.
    assert_eq!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Stale);
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    assert!(matches!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Done(_)));
}

#[tokio::test]
async fn a_server_that_is_not_there_yet_is_connected_to_later() {
    let mut server = Server::start().await;
    server.kill();
    let turnstile = RedisTurnstile::connect_later(server.url(), "test").await.unwrap();
    assert!(turnstile.ping().await.is_err());
    server.start_again().await;
    let there = async {
        while turnstile.ping().await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.expect("it connects by itself");
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    assert!(turnstile.snapshot(SALE).await.unwrap().is_some());
}

#[tokio::test]
async fn a_full_server_changes_nothing() {
    let server = Server::start().await;
    let turnstile = server.turnstile().await;
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    let before = turnstile.snapshot(SALE).await.unwrap();
    server.cli(&["config", "set", "maxmemory", "1"]);
    assert!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.is_err());
    assert_eq!(turnstile.snapshot(SALE).await.unwrap(), before);
    server.cli(&["config", "set", "maxmemory", "0"]);
    assert!(matches!(turnstile.reserve(SALE, KNOWN, &[&batch(1, &[(1, 1)])]).await.unwrap(), Reply::Done(_)));
}

#[tokio::test]
async fn a_long_line_is_restored_in_one_call() {
    let server = Server::start().await;
    let turnstile = server.turnstile().await;
    let parties = (0..100_000_u64).map(|n| (ReservationId(n.into()), BuyerId(n), (n % 4) as u8 + 1)).collect();
    let state = Snapshot::rebuilt(2, Allotment { capacity: 0, ..ALLOTMENT }, [].into(), parties);
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    assert!(turnstile.restore(SALE, &state).await.unwrap());
    assert_eq!(turnstile.snapshot(SALE).await.unwrap(), Some(state));
}
