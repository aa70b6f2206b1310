//! Notices that never came: a process that subscribes anew makes every socket look.

use miaosha::domain::sale::notice::Notice;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::front::settings::sockets::Settings;
use miaosha::ports::platform::clock::Clock;
use serde_json::json;

use super::fixture::{Way, over_memory, over_rabbit_at, rules, until};
use crate::support::proxy::{Proxy, by_proxy};
use crate::support::servers::rabbit_url;

/// The gateway's subscription falls behind, is given up, and made again; the notice that was lost is made good by a look.
pub async fn who_lags_looks_again(way: Way) {
    let line = over_memory(way, rules()).await;
    let sale = line.fixture.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    let id = line.fixture.attempt(sale.id, 7, 1).await;
    let mine = Notice::from(&line.fixture.row(id).await);
    // More than one subscriber may have waiting, at once: no other task runs between them on this thread.
    line.fixture.world.notices.tell(std::slice::from_ref(&mine)).await.unwrap();
    for number in 0..5_000 {
        let other = Notice { buyer: miaosha::domain::shared::id::BuyerId(1_000 + number), ..mine.clone() };
        line.fixture.world.notices.tell(&[other]).await.unwrap();
    }
    assert_eq!(buyer.status().await["status"], "held");
}

/// Nothing but the ledger says it: neither a notice nor a word that one was missed ever comes.
pub async fn what_nobody_tells_is_found_by_comparing(way: Way) {
    let line = over_memory(way, Settings { compare_ms: 20, compare_pairs_max: 2, ..rules() }).await;
    let (sale, other) = (line.fixture.sale(2, 5).await, line.fixture.sale(1, 0).await);
    let mut buyers = Vec::new();
    for buyer in [7, 7, 8, 9] {
        let mut client = line.buyer(buyer, &[sale.id, other.id]).await;
        for _ in 0..2 {
            assert_eq!(client.status().await["status"], "none");
        }
        buyers.push(client);
    }
    let id = line.fixture.attempt(sale.id, 7, 1).await;
    line.fixture.attempt(sale.id, 9, 1).await;
    for number in [0, 1, 3] {
        let told = buyers[number].status().await;
        assert_eq!((&told["status"], &told["sale"]), (&json!("held"), &json!(sale.id)));
    }
    // The next version of a row that was told, and what comes after it, a row of its own.
    line.fixture.world.reservations.cancel(id, BuyerId(7), line.fixture.clock.now()).await.unwrap();
    for tab in &mut buyers[..2] {
        assert_eq!(tab.status().await["status"], "cancelled");
    }
    // Who knows everything is told nothing, however often it is compared.
    for client in &mut buyers {
        assert!(client.before_pong("status").await.is_empty());
    }
}

/// A process could not notify, and says of which sale.
pub async fn a_sale_of_which_something_was_missed_is_looked_at(way: Way) {
    let line = over_memory(way, Settings { compare_ms: 3_600_000, ..rules() }).await;
    let (sale, other) = (line.fixture.sale(1, 0).await, line.fixture.sale(1, 0).await);
    let mut buyer = line.buyer(7, &[sale.id]).await;
    let mut elsewhere = line.buyer(7, &[other.id]).await;
    for client in [&mut buyer, &mut elsewhere] {
        assert_eq!(client.status().await["status"], "none");
    }
    line.fixture.attempt(sale.id, 7, 1).await;
    line.fixture.attempt(other.id, 7, 1).await;
    line.fixture.world.notices.missed(sale.id);
    assert_eq!(buyer.status().await["status"], "held");
    assert!(elsewhere.before_pong("status").await.is_empty(), "others need not look");
}

/// The broker keeps its connections and says nothing, while something is to be told; the teller gives up before it was sent, as a
/// gateway does. When the broker goes on, the buyer is told, though no notice is repeated and no socket connects anew.
pub async fn a_broker_that_was_silent_costs_nothing(way: Way) {
    let (url, proxy) = by_proxy(&rabbit_url()).await;
    let line = over_rabbit_at(url, way, Settings { compare_ms: 3_600_000, ..rules() }).await;
    let sale = line.fixture.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    proxy.hole(true);
    let id = line.fixture.attempt(sale.id, 7, 1).await;
    let notices = [Notice::from(&line.fixture.row(id).await)];
    tokio::select! {
        biased;
        told = line.fixture.world.notices.tell(&notices) => panic!("{told:?}"),
        () = std::future::ready(()) => {}
    }
    proxy.hole(false);
    assert_eq!(buyer.status().await["status"], "held");
    assert!(line.fixture.gateway.hears(), "the subscription was never lost");
}

/// The broker is cut off while something happens: no notice comes, and yet the buyer is told when the broker is back.
pub async fn a_broker_that_was_away_costs_nothing(way: Way) {
    let url = rabbit_url();
    let (head, tail) = url.split_once('@').unwrap();
    let (authority, path) = tail.split_once('/').unwrap();
    let proxy = Proxy::to(authority.to_owned()).await;
    let line = over_rabbit_at(format!("{head}@127.0.0.1:{}/{path}", proxy.port), way, rules()).await;
    let sale = line.fixture.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    proxy.close();
    until(|| !line.fixture.gateway.hears()).await;
    line.fixture.attempt(sale.id, 7, 1).await;
    proxy.open();
    assert_eq!(buyer.status().await["status"], "held");
}
