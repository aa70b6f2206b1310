//! The bounded parts by themselves: the pool that hashes, and the register of who waits.

use std::pin::pin;

use futures_util::poll;
use miaosha::app::sale::subscribers::{Full, Registry};
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::faces::account::passwords::{Passwords, PoolFull};
use tokio::runtime::Handle;

fn notice(buyer: u64, reservation: u128, version: u64) -> Notice {
    Notice {
        sale: SaleId(1),
        buyer: BuyerId(buyer),
        reservation: ReservationId(reservation),
        state: Kind::Standby,
        version,
        lapses_at: None,
        trace: None,
    }
}

#[tokio::test]
async fn a_password_is_recognised_and_nobody_has_none() {
    let pool = Passwords::new(2, 2, Handle::current());
    let hash = pool.hash("correct horse".into()).await.unwrap();
    assert_ne!(hash, pool.hash("correct horse".into()).await.unwrap(), "each has salt of its own");
    assert_eq!(pool.is_right("correct horse".into(), Some(hash.clone())).await, Ok(true));
    assert_eq!(pool.is_right("battery staple".into(), Some(hash)).await, Ok(false));
    assert_eq!(pool.is_right("nobody has this password".into(), None).await, Ok(false));
    assert_eq!(pool.is_right("anything".into(), Some("not a hash".into())).await, Ok(false));
}

#[tokio::test]
async fn those_who_wait_for_the_pool_are_counted() {
    // No turn ever comes, so that a waiting request keeps waiting.
    let pool = Passwords::new(0, 2, Handle::current());
    let mut first = Box::pin(pool.hash("first".into()));
    let mut second = Box::pin(pool.is_right("second".into(), None));
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());
    assert_eq!(pool.hash("third".into()).await, Err(PoolFull));
    assert_eq!(pool.is_right("fourth".into(), None).await, Err(PoolFull));
    drop(first);
    let mut fifth = pin!(pool.hash("fifth".into()));
    assert!(poll!(&mut fifth).is_pending(), "who goes away leaves a place");
    drop(second);
}

#[tokio::test]
async fn the_newest_version_wins() {
    let registry = Registry::new(10, 10);
    let mine = registry.register(BuyerId(7), SaleId(1)).unwrap();
    for version in [2, 1, 3, 2] {
        registry.tell(&notice(7, 100, version));
    }
    assert_eq!(mine.next().await.version, 3);
    registry.tell(&notice(7, 100, 3));
    registry.tell(&notice(8, 100, 9));
    assert!(poll!(pin!(mine.next())).is_pending(), "old news and other people's is no news");
    registry.tell(&notice(7, 200, 1));
    registry.tell(&notice(7, 100, 4));
    let mut heard = [mine.next().await, mine.next().await].map(|notice| (notice.reservation.0, notice.version));
    heard.sort_unstable();
    assert_eq!(heard, [(100, 4), (200, 1)]);
    assert!(poll!(pin!(mine.next())).is_pending());
}

#[tokio::test]
async fn every_registration_of_a_buyer_hears_and_later_ones_hear_only_what_is_later() {
    let registry = Registry::new(10, 10);
    let one = registry.register(BuyerId(7), SaleId(1)).unwrap();
    let two = registry.register(BuyerId(7), SaleId(1)).unwrap();
    registry.tell(&notice(7, 100, 1));
    let three = registry.register(BuyerId(7), SaleId(1)).unwrap();
    assert_eq!((one.next().await.version, two.next().await.version), (1, 1));
    assert!(poll!(pin!(three.next())).is_pending());
}

#[tokio::test]
async fn who_waits_hears_that_notices_of_its_sale_were_missed() {
    let registry = Registry::new(10, 10);
    let [mine, others] = [SaleId(1), SaleId(2)].map(|sale| registry.register(BuyerId(7), sale).unwrap());
    registry.requests_missed(Some(SaleId(1)));
    mine.missed().await;
    assert!(poll!(pin!(mine.missed())).is_pending(), "once");
    assert!(poll!(pin!(others.missed())).is_pending(), "nothing of its sale");
    registry.requests_missed(None);
    mine.missed().await;
    others.missed().await;
    registry.tell(&notice(7, 100, 1));
    assert!(poll!(pin!(others.next())).is_pending(), "a notice of another sale is no news");
    assert_eq!(mine.next().await.version, 1);
}

#[tokio::test]
async fn the_register_is_bounded_in_all_and_for_each() {
    let registry = Registry::new(3, 2);
    let one = registry.register(BuyerId(7), SaleId(1)).unwrap();
    let _two = registry.register(BuyerId(7), SaleId(1)).unwrap();
    assert_eq!(registry.register(BuyerId(7), SaleId(1)).err(), Some(Full));
    let _three = registry.register(BuyerId(8), SaleId(1)).unwrap();
    assert_eq!(registry.register(BuyerId(9), SaleId(1)).err(), Some(Full));
    drop(one);
    assert_eq!(registry.len(), 2);
    let _four = registry.register(BuyerId(9), SaleId(1)).unwrap();
    drop((_two, _three, _four));
    assert!(registry.is_empty());
}

#[tokio::test]
async fn what_a_registration_remembers_is_bounded() {
    let registry = Registry::new(1, 1);
    let mine = registry.register(BuyerId(7), SaleId(1)).unwrap();
    for reservation in 0..1_000 {
        registry.tell(&notice(7, reservation, 1));
    }
    let mut heard = 0;
    while let std::task::Poll::Ready(notice) = poll!(pin!(mine.next())) {
        assert!(notice.reservation.0 >= 900, "what was made first is forgotten first");
        heard += 1;
    }
    assert!(heard <= 100);
}
