//! A turnstile that lost its memory, fell back to an older one, or forgot an answer that nobody recorded.

use std::sync::Arc;

use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::sale::turnstile::{ANSWERS_MAX, Reply};
use miaosha::workers::consumer;
use miaosha::workers::consumer::Consumer;
use miaosha::workers::payment_consumer::Job;
use miaosha::workers::payment_consumer::release_and_promote;

use super::bench::{Bench, HOLD_MS, Message, allotment, consumer_settings, payment_settings, units};

/// Everything the turnstile knew is gone while a consumer goes on.
pub async fn emptied(bench: Bench) {
    let bench = bench.with_sale(allotment(3, 2)).await;
    bench.decide([bench.batch([1, 2])]).await;
    bench.pay(1).await;
    bench.wipe().await;
    bench.decide([bench.batch([1, 3, 4])]).await;
    let kinds: Vec<_> = bench.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Confirmed, Kind::Held, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(bench.audit().await.figures.generation, 2);
    bench.assert_sound().await;
}

/// An older state of the same generation: everything decided since is unknown to it.
pub async fn fell_back(bench: Bench, by: Finder) {
    let bench = bench.with_sale(allotment(3, 2)).await;
    bench.decide([bench.batch([1])]).await;
    let older = bench.world.turnstile.snapshot(bench.sale).await.unwrap().unwrap();
    bench.decide([bench.batch([2]), bench.batch([3, 4])]).await;
    let before = bench.picture(1..=4).await;
    bench.wipe().await;
    assert!(bench.world.turnstile.restore(bench.sale, &older).await.unwrap());
    match by {
        Finder::Consumer => bench.decide([bench.batch([5, 2])]).await,
        Finder::Sweeper => bench.sweeper().sweep().await.unwrap(),
    }
    assert_eq!(bench.picture(1..=4).await, before);
    assert_eq!(bench.audit().await.figures.generation, 2);
    bench.assert_sound().await;
}

#[derive(Debug, Clone, Copy)]
pub enum Finder {
    Consumer,
    Sweeper,
}

/// A consumer stands between turnstile and ledger; the turnstile falls back and gives the same revision to somebody else, who
/// records it first. The sleeper's answer is refused, and its batch is decided anew.
pub async fn two_histories(bench: Bench) {
    let bench = Arc::new(bench.with_sale(allotment(2, 5)).await);
    bench.decide([bench.batch([1])]).await;
    let older = bench.world.turnstile.snapshot(bench.sale).await.unwrap().unwrap();
    let stop = bench.stops.arm(consumer::points::AFTER_TURNSTILE);
    let sleeper = tokio::spawn({
        let bench = bench.clone();
        async move { bench.decide([bench.batch([2, 3])]).await }
    });
    stop.reached().await;
    bench.wipe().await;
    bench.world.turnstile.restore(bench.sale, &older).await.unwrap();
    bench.decide([bench.batch([4])]).await;
    stop.go_on();
    sleeper.await.unwrap();
    let kinds: Vec<_> = bench.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Held, Kind::Standby, Kind::Standby, Kind::Held].map(Some));
    bench.assert_sound().await;
}

async fn many_other_turns(bench: &Bench) {
    let batches: Vec<_> = (0..=ANSWERS_MAX).map(|_| bench.batch([1])).collect();
    for some in batches.chunks(256) {
        bench.decide(some.iter().cloned()).await;
    }
}

/// A consumer died after the turnstile had answered it, and so much happened since that the answer is kept no more. Asked
/// again, the turnstile takes its own reservation for another attempt's: that must not become an outcome.
pub async fn forgotten_batch(bench: Bench) {
    let bench = bench.with_sale(allotment(2, 5)).await;
    bench.decide([bench.batch([1])]).await;
    let lost = bench.batch([2, 3]);
    let known = bench.knowing().await;
    assert!(matches!(bench.world.turnstile.reserve(bench.sale, known, &[&lost]).await.unwrap(), Reply::Done(_)));
    many_other_turns(&bench).await;
    bench.decide([lost]).await;
    assert_eq!(bench.kind(2).await, Some(Kind::Held));
    assert_eq!(bench.kind(3).await, Some(Kind::Standby));
    bench.assert_sound().await;
}

/// The same of a release: asked again it is a turn without effect, and its promotion would be lost. The missing turn is found.
pub async fn forgotten_release(bench: Bench) {
    let bench = bench.with_sale(allotment(2, 5)).await;
    bench.decide([bench.batch([1, 2, 3])]).await;
    bench.clock.advance_ms(1);
    let cancelled = bench.cancel(2).await;
    let known = bench.knowing().await;
    let released = bench.world.turnstile.release(bench.sale, known, &[cancelled.into()]).await.unwrap();
    assert!(matches!(released, Reply::Done(_)));
    many_other_turns(&bench).await;
    let sweeper = bench.sweeper();
    sweeper.sweep().await.unwrap();
    bench.clock.advance_ms(payment_settings().gap_ms);
    sweeper.sweep().await.unwrap();
    assert_eq!(bench.kind(3).await, Some(Kind::Held));
    bench.assert_sound().await;
}

/// An answer whose turn comes in time is no reason for anything.
pub async fn answer_under_way(bench: Bench) {
    let bench = bench.with_sale(allotment(2, 5)).await;
    let sweeper = bench.sweeper();
    for buyers in [[1, 2], [3, 4], [5, 6]] {
        let under_way = bench.batch(buyers);
        bench.world.turnstile.reserve(bench.sale, bench.knowing().await, &[&under_way]).await.unwrap();
        sweeper.sweep().await.unwrap();
        bench.clock.advance_ms(payment_settings().gap_ms - 1);
        sweeper.sweep().await.unwrap();
        bench.decide([under_way]).await;
    }
    assert_eq!(bench.audit().await.figures.generation, 1);
    bench.assert_sound().await;
}

/// More capacity goes to the ledger first; the sweeper raises the turnstile, and who waits is promoted.
pub async fn raised(bench: Bench) {
    let bench = bench.with_sale(allotment(1, 5)).await;
    bench.decide([bench.batch(1..=4)]).await;
    bench.world.catalogue.raise(bench.sale, 3).await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    let kinds: Vec<_> = bench.kinds(1..=4).await.into_values().collect();
    assert_eq!(kinds, [Kind::Held, Kind::Held, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(bench.audit().await.figures.generation, 1);
    bench.sweeper().sweep().await.unwrap();
    bench.assert_sound().await;
}

/// Whoever raised the turnstile died before the ledger knew.
pub async fn raise_lost(bench: Bench) {
    let bench = bench.with_sale(allotment(1, 5)).await;
    bench.decide([bench.batch(1..=3)]).await;
    bench.world.catalogue.raise(bench.sale, 2).await.unwrap();
    let known = bench.knowing().await;
    bench.world.turnstile.raise(bench.sale, known, 2).await.unwrap();
    let sweeper = bench.sweeper();
    sweeper.sweep().await.unwrap();
    bench.clock.advance_ms(payment_settings().gap_ms);
    sweeper.sweep().await.unwrap();
    assert_eq!(bench.kind(2).await, Some(Kind::Held));
    bench.assert_sound().await;
}

/// While the turnstile is away the work waits; then it is done. Only after a long outage are the messages let go.
pub async fn away(bench: Bench) {
    let bench = Arc::new(bench.with_sale(allotment(1, 1)).await);
    bench.turnstile.set_away(true);
    let mut settings = consumer_settings();
    settings.backoff.outage_ms_max = 20;
    let impatient = Consumer::new(bench.world.needs(), settings);
    impatient.handle(vec![Message::of(bench.batch([3]))]).await.unwrap_err();
    let looked = bench.stops.arm(consumer::points::AFTER_LOOK);
    let consumer = tokio::spawn({
        let bench = bench.clone();
        async move { bench.decide([bench.batch([1, 2])]).await }
    });
    looked.reached().await;
    looked.go_on();
    bench.turnstile.set_away(false);
    consumer.await.unwrap();
    assert_eq!(bench.kind(1).await, Some(Kind::Held));
    bench.assert_sound().await;
}

/// A restore promotes who fits by then, and nobody twice.
pub async fn restore_promotes(bench: Bench) {
    let bench = bench.with_sale(allotment(2, 5)).await;
    bench.decide([bench.batch_of([(1, 2), (2, 2), (3, 1)])]).await;
    bench.clock.advance_ms(HOLD_MS);
    let held = bench.row(1).await.unwrap().id;
    bench
        .world
        .sweeping
        .lapse(bench.sale, &[held], miaosha::ports::platform::clock::Clock::now(&*bench.clock))
        .await
        .unwrap();
    bench.wipe().await;
    bench.sweeper().sweep_one(Job::Watch).await.unwrap();
    let kinds: Vec<_> = bench.kinds(1..=3).await.into_values().collect();
    assert_eq!(kinds, [Kind::Lapsed, Kind::Held, Kind::Standby].map(Some));
    assert_eq!(units(&bench.row(2).await), [1, 2]);
    bench.assert_sound().await;
    release_and_promote(&bench.world.needs(), &payment_settings(), bench.sale, &[held]).await.unwrap();
    bench.assert_sound().await;
}
