//! A worker stopped exactly at a point, for every point. Dropped there, another finishes its work; asleep there while another
//! finishes, it changes nothing when it wakes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use miaosha::app::money;
use miaosha::app::sale::restore;
use miaosha::domain::sale::reservation::Kind;
use miaosha::ports::platform::fault::Point;
use miaosha::workers::payment_consumer::Job;
use miaosha::workers::{consumer, payment_consumer as payments};

use super::fixture::{Fixture, HOLD_MS, Message, allotment, payment_settings};

/// The points a consumer comes by.
pub const CONSUMER: [Point; 5] = [
    consumer::points::AFTER_LOOK,
    consumer::points::AFTER_TURNSTILE,
    consumer::points::AFTER_LEDGER,
    consumer::points::AFTER_NOTICE,
    consumer::points::AFTER_DEADLINE,
];

/// The points that work for ended holds comes by.
pub const LAPSE: [Point; 6] = [
    payments::points::LAPSE_AFTER_LEDGER,
    payments::points::RELEASE_AFTER_LOOK,
    payments::points::RELEASE_AFTER_TURNSTILE,
    payments::points::RELEASE_AFTER_LEDGER,
    payments::points::RELEASE_AFTER_NOTICE,
    payments::points::RELEASE_AFTER_DEADLINE,
];

pub const RESTORE: [Point; 3] = [restore::AFTER_LOCK, restore::AFTER_LEDGER, restore::AFTER_TURNSTILE];

/// Before the provider is asked for a refund, and before its answer is written down.
pub const REFUND: [Point; 2] = [money::points::REFUND_AFTER_CLAIM, money::points::REFUND_AFTER_PROVIDER];

/// What the second copy does while the first stands at the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    Dropped,
    Asleep,
}

pub const BOTH: [First; 2] = [First::Dropped, First::Asleep];

pub type Work = Box<dyn Fn(Arc<Fixture>) -> BoxFuture<'static, ()> + Send + Sync>;

/// Two workers do the same work, and the first is stopped at the point.
pub async fn twice(fixture: &Arc<Fixture>, point: Point, first: First, buyers: &[u64], work: Work) {
    let stop = fixture.stops.arm(point);
    let task = tokio::spawn(work(fixture.clone()));
    let reached = tokio::time::timeout(Duration::from_secs(30), stop.reached()).await;
    assert!(reached.is_ok(), "nobody came by {point:?}");
    match first {
        First::Dropped => {
            task.abort();
            let _ = task.await;
            work(fixture.clone()).await;
        }
        First::Asleep => {
            work(fixture.clone()).await;
            let before = fixture.picture(buyers.iter().copied()).await;
            stop.go_on();
            task.await.unwrap();
            assert_eq!(fixture.picture(buyers.iter().copied()).await, before, "{point:?}");
        }
    }
}

/// Two units, three places on standby, six buyers; and a second batch behind the first.
pub async fn consumer(fixture: Fixture, point: Point, first: First) {
    let fixture = Arc::new(fixture.with_sale(allotment(2, 3)).await);
    let batches = [fixture.batch(1..=4), fixture.batch([5, 1, 6])];
    let work: Work = Box::new(move |fixture| {
        let batches = batches.clone();
        Box::pin(async move { fixture.decide(batches).await })
    });
    twice(&fixture, point, first, &[1, 2, 3, 4, 5, 6], work).await;
    let kinds: Vec<_> = fixture.kinds(1..=6).await.into_values().collect();
    let (held, standby) = (Some(Kind::Held), Some(Kind::Standby));
    assert_eq!(kinds, [held, held, standby, standby, standby, None], "{point:?}");
    for row in fixture.picture(1..=5).await {
        assert_eq!(row.unwrap().version, 1, "{point:?}");
    }
    assert_eq!(fixture.audit().await.figures.attempts, 7, "{point:?}");
    fixture.assert_sound().await;
}

async fn two_held_three_waiting(fixture: Fixture) -> Arc<Fixture> {
    let fixture = fixture.with_sale(allotment(2, 3)).await;
    fixture.decide([fixture.batch(1..=5)]).await;
    Arc::new(fixture)
}

async fn assert_given_on(fixture: &Fixture, point: Point) {
    let kinds: Vec<_> = fixture.kinds(1..=5).await.into_values().collect();
    let (lapsed, held, standby) = (Some(Kind::Lapsed), Some(Kind::Held), Some(Kind::Standby));
    assert_eq!(kinds, [lapsed, lapsed, held, held, standby], "{point:?}");
    fixture.assert_sound().await;
}

/// Two holds lapse, two of three parties get the units; both workers are alarm clocks.
pub async fn alarm(fixture: Fixture, point: Point, first: First) {
    let fixture = two_held_three_waiting(fixture).await;
    fixture.clock.advance_ms(HOLD_MS);
    let ids = [fixture.row(1).await.unwrap().id, fixture.row(2).await.unwrap().id];
    let work: Work = Box::new(move |fixture| {
        Box::pin(async move { fixture.alarms().handle(vec![fixture.alarm(ids)]).await.unwrap() })
    });
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    assert_given_on(&fixture, point).await;
}

/// The same, and no alarm rings: the sweeper finds it.
pub async fn sweep(fixture: Fixture, point: Point, first: First) {
    let fixture = two_held_three_waiting(fixture).await;
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    let work: Work = Box::new(|fixture| {
        Box::pin(async move {
            let sweeper = fixture.sweeper();
            sweeper.sweep_one(Job::Overdue).await.unwrap();
            sweeper.sweep_one(Job::Unfreed).await.unwrap();
        })
    });
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    assert_given_on(&fixture, point).await;
}

/// The turnstile is emptied, and the worker that restores it is dropped in the middle.
pub async fn restore(fixture: Fixture, point: Point) {
    let fixture = two_held_three_waiting(fixture).await;
    fixture.wipe().await;
    let work: Work =
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Watch).await.unwrap() }));
    twice(&fixture, point, First::Dropped, &[1, 2, 3, 4, 5], work).await;
    fixture.assert_sound().await;
    fixture.decide([fixture.batch([1, 6])]).await;
    assert_eq!(fixture.kind(6).await, None, "standby is as full as before");
    fixture.assert_sound().await;
}

/// The worker that restores sleeps in the middle; a consumer wants the sale meanwhile, and waits until it is done.
pub async fn restore_asleep(fixture: Fixture, point: Point) {
    let fixture = two_held_three_waiting(fixture).await;
    fixture.wipe().await;
    let stop = fixture.stops.arm(point);
    let sweeper = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.sweeper().sweep_one(Job::Watch).await.unwrap() }
    });
    stop.reached().await;
    let consumer = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.decide([fixture.batch([6, 1])]).await }
    });
    tokio::task::yield_now().await;
    stop.go_on();
    sweeper.await.unwrap();
    consumer.await.unwrap();
    assert_eq!(fixture.kind(6).await, None, "{point:?}");
    assert_eq!(fixture.audit().await.figures.generation, 2, "one restore was enough at {point:?}");
    fixture.assert_sound().await;
}

/// Two payments that a gateway left behind: one was captured late, of the other the provider got no more calls.
pub async fn resolve(fixture: Fixture, first: First) {
    let fixture = two_held_three_waiting(fixture).await;
    for (buyer, card) in [(1, "late"), (2, "timeout")] {
        let payment = fixture.begin_paying(buyer).await;
        fixture.world.payments.capture(payment.id, card).await.unwrap_err();
    }
    fixture.clock.advance_ms(payment_settings().paying_ms_max + 1);
    let work: Work =
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Stuck).await.unwrap() }));
    twice(&fixture, money::points::RESOLVE_AFTER_VOID, first, &[1, 2, 3, 4, 5], work).await;
    assert_eq!(fixture.kind(1).await, Some(Kind::Confirmed));
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    fixture.assert_sound().await;
}

/// An order is refunded, and the worker that gives the money back is stopped before it is written down.
pub async fn refund(fixture: Fixture, point: Point, first: First) {
    let fixture = two_held_three_waiting(fixture).await;
    fixture.pay(1).await;
    fixture.refund_units(1, None).await;
    let work: Work =
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Refunds).await.unwrap() }));
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!(fixture.kind(1).await, Some(Kind::Refunded));
    assert_eq!(fixture.kind(3).await, Some(Kind::Held), "the unit went to the next in line");
    fixture.assert_sound().await;
}

/// A consumer stands between turnstile and ledger while a release promotes a party of its batch.
pub async fn promotion_before_birth(fixture: Fixture, first: First) {
    let fixture = Arc::new(fixture.with_sale(allotment(1, 2)).await);
    fixture.decide([fixture.batch([1])]).await;
    fixture.clock.advance_ms(HOLD_MS);
    let held = fixture.row(1).await.unwrap().id;
    let unborn = fixture.batch([2, 3]);
    let stop = fixture.stops.arm(consumer::points::AFTER_TURNSTILE);
    let consumer = tokio::spawn({
        let (fixture, unborn) = (fixture.clone(), unborn.clone());
        async move { fixture.decide([unborn]).await }
    });
    stop.reached().await;
    let released = fixture.stops.arm(payments::points::RELEASE_AFTER_TURNSTILE);
    let alarm = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.alarms().handle(vec![fixture.alarm([held])]).await.unwrap() }
    });
    released.reached().await;
    released.go_on();
    match first {
        First::Dropped => {
            consumer.abort();
            alarm.await.unwrap();
            assert_eq!(fixture.audit().await.figures.generation, 2, "what is never born is restored away");
            fixture.decide([unborn]).await;
        }
        First::Asleep => {
            stop.go_on();
            consumer.await.unwrap();
            alarm.await.unwrap();
            assert_eq!(fixture.audit().await.figures.generation, 1, "it only had to wait");
        }
    }
    assert_eq!(fixture.kind(1).await, Some(Kind::Lapsed));
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    assert_eq!(fixture.kind(3).await, Some(Kind::Standby));
    fixture.assert_sound().await;
}

/// An alarm for unknown reservations, or for some whose time is not over, does nothing.
pub async fn early_alarm(fixture: Fixture) {
    let fixture = two_held_three_waiting(fixture).await;
    let ids = [fixture.row(1).await.unwrap().id, fixture.batch([9]).attempt_id(0).into()];
    let before = fixture.picture(1..=5).await;
    let mut unknown = fixture.deadline(ids);
    unknown.sale.0 += 1_000_000;
    fixture.alarms().handle(vec![fixture.alarm(ids), Message::of(unknown), fixture.alarm([])]).await.unwrap();
    assert_eq!(fixture.picture(1..=5).await, before);
    fixture.assert_sound().await;
}
