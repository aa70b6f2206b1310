//! A turnstile that lost its memory, fell back to an older one, or forgot an answer that was not recorded.

use std::sync::Arc;

use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::sale::turnstile::{ANSWERS_MAX, Reply};
use miaosha::workers::consumer;
use miaosha::workers::consumer::Consumer;
use miaosha::workers::payment_consumer::Job;
use miaosha::workers::payment_consumer::release_and_promote;

use super::fixture::{Fixture, HOLD_MS, Message, allotment, consumer_settings, payment_settings, units};

/// Everything the turnstile knew is gone while a consumer goes on.
pub async fn emptied(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(3, 2)).await;
    fixture.decide([fixture.batch([1, 2])]).await;
    fixture.pay(1).await;
    fixture.wipe().await;
    fixture.decide([fixture.batch([1, 3, 4])]).await;
    let kinds: Vec<_> = fixture.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Confirmed, Kind::Held, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(fixture.audit().await.figures.generation, 2);
    fixture.assert_sound().await;
}

/// An older state of the same generation: everything decided since is unknown to it.
pub async fn fell_back(fixture: Fixture, by: Finder) {
    let fixture = fixture.with_sale(allotment(3, 2)).await;
    fixture.decide([fixture.batch([1])]).await;
    let older = fixture.world.turnstile.snapshot(fixture.sale).await.unwrap().unwrap();
    fixture.decide([fixture.batch([2]), fixture.batch([3, 4])]).await;
    let before = fixture.picture(1..=4).await;
    fixture.wipe().await;
    assert!(fixture.world.turnstile.restore(fixture.sale, &older).await.unwrap());
    match by {
        Finder::Consumer => fixture.decide([fixture.batch([5, 2])]).await,
        Finder::Sweeper => fixture.sweeper().sweep().await.unwrap(),
    }
    assert_eq!(fixture.picture(1..=4).await, before);
    assert_eq!(fixture.audit().await.figures.generation, 2);
    fixture.assert_sound().await;
}

#[derive(Debug, Clone, Copy)]
pub enum Finder {
    Consumer,
    Sweeper,
}

/// A consumer stands between turnstile and ledger; the turnstile falls back and gives the same revision to another consumer, which
/// records it first. The sleeper's answer is refused, and its batch is decided anew.
pub async fn two_histories(fixture: Fixture) {
    let fixture = Arc::new(fixture.with_sale(allotment(2, 5)).await);
    fixture.decide([fixture.batch([1])]).await;
    let older = fixture.world.turnstile.snapshot(fixture.sale).await.unwrap().unwrap();
    let stop = fixture.stops.arm(consumer::points::AFTER_TURNSTILE);
    let sleeper = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.decide([fixture.batch([2, 3])]).await }
    });
    stop.reached().await;
    fixture.wipe().await;
    fixture.world.turnstile.restore(fixture.sale, &older).await.unwrap();
    fixture.decide([fixture.batch([4])]).await;
    stop.go_on();
    sleeper.await.unwrap();
    let kinds: Vec<_> = fixture.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Held, Kind::Standby, Kind::Standby, Kind::Held].map(Some));
    fixture.assert_sound().await;
}

async fn many_other_turns(fixture: &Fixture) {
    let batches: Vec<_> = (0..=ANSWERS_MAX).map(|_| fixture.batch([1])).collect();
    for some in batches.chunks(256) {
        fixture.decide(some.iter().cloned()).await;
    }
}

/// A consumer crashed after the turnstile had answered it, and so much happened since that the answer is kept no more. Asked
/// again, the turnstile takes its own reservation for another attempt's: that must not become an outcome.
pub async fn forgotten_batch(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 5)).await;
    fixture.decide([fixture.batch([1])]).await;
    let lost = fixture.batch([2, 3]);
    let known = fixture.knowing().await;
    assert!(matches!(fixture.world.turnstile.reserve(fixture.sale, known, &[&lost]).await.unwrap(), Reply::Done(_)));
    many_other_turns(&fixture).await;
    fixture.decide([lost]).await;
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    assert_eq!(fixture.kind(3).await, Some(Kind::Standby));
    fixture.assert_sound().await;
}

/// The same of a release: asked again it is a turn without effect, and its promotion would be lost. The missing turn is found.
pub async fn forgotten_release(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 5)).await;
    fixture.decide([fixture.batch([1, 2, 3])]).await;
    fixture.clock.advance_ms(1);
    let cancelled = fixture.cancel(2).await;
    let known = fixture.knowing().await;
    let released = fixture.world.turnstile.release(fixture.sale, known, &[cancelled.into()]).await.unwrap();
    assert!(matches!(released, Reply::Done(_)));
    many_other_turns(&fixture).await;
    let sweeper = fixture.sweeper();
    sweeper.sweep().await.unwrap();
    fixture.clock.advance_ms(payment_settings().gap_ms);
    sweeper.sweep().await.unwrap();
    assert_eq!(fixture.kind(3).await, Some(Kind::Held));
    fixture.assert_sound().await;
}

/// An answer whose turn comes in time is no reason for anything.
pub async fn answer_under_way(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 5)).await;
    let sweeper = fixture.sweeper();
    for buyers in [[1, 2], [3, 4], [5, 6]] {
        let under_way = fixture.batch(buyers);
        fixture.world.turnstile.reserve(fixture.sale, fixture.knowing().await, &[&under_way]).await.unwrap();
        sweeper.sweep().await.unwrap();
        fixture.clock.advance_ms(payment_settings().gap_ms - 1);
        sweeper.sweep().await.unwrap();
        fixture.decide([under_way]).await;
    }
    assert_eq!(fixture.audit().await.figures.generation, 1);
    fixture.assert_sound().await;
}

/// More capacity goes to the ledger first; the sweeper raises the turnstile, and who waits is promoted.
pub async fn raised(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 5)).await;
    fixture.decide([fixture.batch(1..=4)]).await;
    fixture.world.catalogue.raise(fixture.sale, 3).await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    let kinds: Vec<_> = fixture.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Held, Kind::Held, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(fixture.audit().await.figures.generation, 1);
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
}

/// The process that raised the turnstile crashed before the ledger knew.
pub async fn raise_lost(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 5)).await;
    fixture.decide([fixture.batch(1..=3)]).await;
    fixture.world.catalogue.raise(fixture.sale, 2).await.unwrap();
    let known = fixture.knowing().await;
    fixture.world.turnstile.raise(fixture.sale, known, 2).await.unwrap();
    let sweeper = fixture.sweeper();
    sweeper.sweep().await.unwrap();
    fixture.clock.advance_ms(payment_settings().gap_ms);
    sweeper.sweep().await.unwrap();
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    fixture.assert_sound().await;
}

/// While the turnstile is away the work waits; then it is done. Only after a long outage are the messages let go.
pub async fn away(fixture: Fixture) {
    let fixture = Arc::new(fixture.with_sale(allotment(1, 1)).await);
    fixture.turnstile.set_away(true);
    let mut settings = consumer_settings();
    settings.backoff.outage_ms_max = 20;
    let impatient = Consumer::new(fixture.world.needs(), settings);
    impatient.handle(vec![Message::of(fixture.batch([3]))]).await.unwrap_err();
    let looked = fixture.stops.arm(consumer::points::AFTER_LOOK);
    let consumer = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.decide([fixture.batch([1, 2])]).await }
    });
    looked.reached().await;
    looked.go_on();
    fixture.turnstile.set_away(false);
    consumer.await.unwrap();
    assert_eq!(fixture.kind(1).await, Some(Kind::Held));
    fixture.assert_sound().await;
}

/// A restore promotes the parties that fit by then, and none twice.
pub async fn restore_promotes(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 5)).await;
    fixture.decide([fixture.batch_of([(1, 2), (2, 2), (3, 1)])]).await;
    fixture.clock.advance_ms(HOLD_MS);
    let held = fixture.row(1).await.unwrap().id;
    fixture
        .world
        .sweeping
        .lapse(fixture.sale, &[held], miaosha::ports::platform::clock::Clock::now(&*fixture.clock))
        .await
        .unwrap();
    fixture.wipe().await;
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap();
    let kinds: Vec<_> = fixture.kinds(1..=3).await.into_values().collect();
    assert_eq!(kinds, [Kind::Lapsed, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(units(&fixture.row(2).await), [1, 2]);
    fixture.assert_sound().await;
    release_and_promote(&fixture.world.needs(), &payment_settings(), fixture.sale, &[held]).await.unwrap();
    fixture.assert_sound().await;
}
