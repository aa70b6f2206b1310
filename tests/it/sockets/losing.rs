//! Notices that never came: whoever listens anew makes everybody look.

use miaosha::domain::notice::Notice;
use miaosha::ports::World;
use miaosha::ports::notices::Notices;

use super::bed::{Way, over_memory, over_rabbit_at, rules, until};
use crate::support::proxy::Proxy;
use crate::support::servers::rabbit_url;

/// The gateway's subscription falls behind, is given up, and made again; the notice that was lost is made good by a look.
pub async fn who_lags_looks_again(way: Way) {
    let line = over_memory(way, rules()).await;
    let sale = line.bed.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    let id = line.bed.attempt(sale.id, 7, 1).await;
    let mine = Notice::from(&line.bed.row(id).await);
    // More than one subscriber may have waiting, at once: nobody runs between them on this thread.
    line.bed.world.signals().tell(std::slice::from_ref(&mine)).await.unwrap();
    for number in 0..5_000 {
        let other = Notice { buyer: miaosha::domain::id::BuyerId(1_000 + number), ..mine.clone() };
        line.bed.world.signals().tell(&[other]).await.unwrap();
    }
    assert_eq!(buyer.status().await["status"], "held");
}

/// The broker is cut off while something happens: nobody tells of it, and yet the buyer hears when the broker is back.
pub async fn a_broker_that_was_away_costs_nothing(way: Way) {
    let url = rabbit_url();
    let (head, tail) = url.split_once('@').unwrap();
    let (authority, path) = tail.split_once('/').unwrap();
    let proxy = Proxy::to(authority.to_owned()).await;
    let line = over_rabbit_at(format!("{head}@127.0.0.1:{}/{path}", proxy.port), way, rules()).await;
    let sale = line.bed.sale(1, 0).await;
    let mut buyer = line.buyer(7, &[sale.id]).await;
    assert_eq!(buyer.status().await["status"], "none");
    proxy.close();
    until(|| !line.bed.gateway.hears()).await;
    line.bed.attempt(sale.id, 7, 1).await;
    proxy.open();
    assert_eq!(buyer.status().await["status"], "held");
}
