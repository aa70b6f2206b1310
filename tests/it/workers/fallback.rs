//! Redis is killed, and consumers decide from their own memory: nothing is given twice, whoever comes back, stalls or stops.
//!
//! On a server of each test's own. A lease runs by the ledger's clock, which nobody moves: those of tests are short, or long.

mod holder;

use std::sync::Arc;
use std::time::Duration;

use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::app::sale::feed::announce;
use miaosha::app::sale::restore::{Divergence, RestoreReason, Restored, restore};
use miaosha::app::sale::tell;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::sale::turn::Known;
use miaosha::domain::shared::id::SaleId;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::wire::world::World;
use miaosha::workers::consumer::fallback::Mode;
use miaosha::workers::consumer::{self, Consumer};
use miaosha::workers::payment_consumer::{Job, release_and_promote};

use super::cluster::fixture_beside;
use super::fixture::{HOLD_MS, Message, allotment, consumer_settings, payment_settings};
use crate::support::redis::Server;
use crate::support::servers::unique_name;
use holder::{Holder, LONG_MS, PATIENCE, SHORT_MS, at_the_store, generation, is_at_the_store, kinds, leased_by, until};

/// The restore of whoever has no lease.
async fn restored_by(world: &World, sale: SaleId, generation: u64) -> Restored {
    let doubt = Divergence { sale, generation, grounds: RestoreReason::Lost };
    restore(&world.needs(), &tell::Settings::default(), doubt).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_is_away_and_decisions_go_on() {
    let mut server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(3, 5)).await;
    let holder = Holder::new(&fixture, 7, LONG_MS, Mode::Automatic);
    holder.decide([fixture.batch([1, 2])]).await;
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (1, None), "while it is there it decides");

    server.kill();
    holder.decide([fixture.batch([3, 4]), fixture.batch([5, 6])]).await;
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (2, Some(7)));
    use Kind::{Held, Lapsed, Standby};
    assert_eq!(kinds(&fixture, 6).await, [Held, Held, Held, Standby, Standby, Standby]);

    // Holds lapse in the ledger, whoever looks there; who has the memory gives on what they had.
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms + 1);
    fixture.sweeper().sweep_one(Job::Overdue).await.unwrap();
    fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap();
    assert_eq!(kinds(&fixture, 6).await, [Lapsed, Lapsed, Lapsed, Standby, Standby, Standby]);
    holder.sweeper.sweep_one(Job::Unfreed).await.unwrap();
    assert_eq!(kinds(&fixture, 6).await, [Lapsed, Lapsed, Lapsed, Held, Held, Held]);

    holder.decide([fixture.batch([7])]).await;
    fixture.world.catalogue.raise(fixture.sale, 4).await.unwrap();
    holder.sweeper.sweep_one(Job::Watch).await.unwrap();
    assert_eq!(kinds(&fixture, 7).await[6], Held, "more units, from the memory");
    holder.beat().await;
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (2, Some(7)), "Redis is still away");

    // Back, and empty.
    server.start_again().await;
    let back = at_the_store(&fixture, &holder).await;
    assert!(back > 2 && leased_by(&fixture).await.is_none());
    holder.decide([fixture.batch([8])]).await;
    assert_eq!(kinds(&fixture, 8).await[7], Standby);
    assert_eq!(generation(&fixture).await, back, "Redis decided it");
    fixture.assert_sound().await;
}

/// A moment without Redis is waited for; what cannot be decided meanwhile goes back to its queue.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_falls_back_before_its_time() {
    let mut server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(3, 5)).await;
    let outage = Duration::from_millis(500);
    let holder = Holder::that_waits(&fixture, 7, LONG_MS, Mode::Automatic, LONG_MS as u64, outage);
    server.kill();
    holder.consumer.handle(vec![Message::of(fixture.batch([1]))]).await.unwrap_err();
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (1, None));
    assert!(holder.turnstile.sales().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redis_comes_back_as_it_was() {
    let mut server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(3, 5)).await;
    let holder = Holder::new(&fixture, 7, LONG_MS, Mode::Automatic);
    holder.decide([fixture.batch([1])]).await;
    server.cli(&["save"]);
    holder.decide([fixture.batch([2])]).await;
    server.kill();
    holder.decide([fixture.batch([3, 4])]).await;
    let before = fixture.picture(1..=4).await;

    server.start_again().await;
    until("Redis", async || fixture.turnstile.look(fixture.sale).await.is_ok_and(|level| level.is_some())).await;
    let stale = fixture.turnstile.look(fixture.sale).await.unwrap().unwrap();
    assert_eq!((stale.generation, stale.revision), (1, 1));
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap();
    assert_eq!(generation(&fixture).await, 2, "whoever watches leaves it alone");
    let back = at_the_store(&fixture, &holder).await;
    holder.decide([fixture.batch([5])]).await;
    assert_eq!(fixture.picture(1..=4).await, before);
    assert_eq!(generation(&fixture).await, back);
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_stalls_is_followed_and_refused() {
    let mut server = Server::start().await;
    let fixture = Arc::new(fixture_beside(&server).await.with_sale(allotment(2, 5)).await);
    let (first, second) = (
        Arc::new(Holder::new(&fixture, 7, SHORT_MS, Mode::Automatic)),
        Holder::new(&fixture, 9, LONG_MS, Mode::Automatic),
    );
    server.kill();
    first.decide([fixture.batch([1])]).await;
    let stop = fixture.stops.arm(consumer::points::AFTER_TURNSTILE);
    let stalled = tokio::spawn({
        let (fixture, first) = (fixture.clone(), first.clone());
        async move { first.decide([fixture.batch([2])]).await }
    });
    stop.reached().await;
    // The memory has given the last unit to 2, and nobody knows.
    second.decide([fixture.batch([3, 4])]).await;
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (3, Some(9)), "after the lease, not before");
    assert_eq!(fixture.kind(3).await, Some(Kind::Held));
    stop.go_on();
    until("the old memory's end", async || first.turnstile.sales().is_empty()).await;
    assert_eq!(fixture.kind(2).await, None, "refused by the generation");
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (3, Some(9)), "no lease, no restore");

    second.give_back().await;
    stalled.await.unwrap();
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (4, Some(7)));
    use Kind::{Held, Standby};
    assert_eq!(kinds(&fixture, 4).await, [Held, Standby, Held, Standby]);
    server.start_again().await;
    at_the_store(&fixture, &first).await;
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_no_lease_leaves_the_sale_alone() {
    let mut server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(1, 1)).await;
    let holder = Holder::new(&fixture, 7, LONG_MS, Mode::Automatic);
    server.kill();
    holder.decide([fixture.batch([1, 2, 3])]).await;
    server.start_again().await;
    until("Redis", async || fixture.turnstile.look(fixture.sale).await.is_ok()).await;

    let mut settings = consumer_settings();
    settings.backoff.outage_ms_max = 200;
    let other = Consumer::new(fixture.world.needs(), settings);
    other.handle(vec![Message::of(fixture.batch([4]))]).await.unwrap_err();
    assert_eq!(restored_by(&fixture.world, fixture.sale, 2).await, Restored::Busy);
    let cancelled = fixture.cancel(1).await;
    release_and_promote(&fixture.world.needs(), &payment_settings(), fixture.sale, &[cancelled]).await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (2, Some(7)));
    assert_eq!(fixture.kind(2).await, Some(Kind::Standby), "nobody gave it on");

    // Others say nothing of it, and its holder says what is so.
    let mut news = fixture.world.news.news().await.unwrap();
    let mut said = async |world: &World| {
        announce(&world.needs(), fixture.sale).await.unwrap();
        loop {
            let heard = tokio::time::timeout(PATIENCE, news.next()).await.expect("it is told").unwrap();
            if let Some(word) = heard.sales.iter().find(|word| word.sale.id == fixture.sale) {
                return word.exhausted;
            }
        }
    };
    assert_eq!(said(&fixture.world).await, None);
    assert_eq!(said(&holder.world).await, Some(true), "what was cancelled is not free yet");
    holder.sweeper.sweep_one(Job::Unfreed).await.unwrap();
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    assert_eq!(said(&holder.world).await, Some(false));
    at_the_store(&fixture, &holder).await;
    fixture.assert_sound().await;
}

/// As the process runs: what was pressed is decided, and its soft stop gives the lease back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_soft_stop_gives_the_lease_back() {
    let mut server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(2, 5)).await;
    let holder = Holder::new(&fixture, 7, LONG_MS, Mode::Automatic);
    let lifecycle = Lifecycle::new();
    consumer::start(holder.consumer.clone(), &lifecycle);
    server.kill();
    fixture.world.attempts.submit(fixture.batch([1, 2, 3])).await.unwrap();
    until("a decision", async || fixture.kind(3).await == Some(Kind::Standby)).await;
    assert_eq!(leased_by(&fixture).await, Some(7));
    assert!(lifecycle.drain().await);
    assert_eq!(leased_by(&fixture).await, None);
    assert!(holder.turnstile.sales().is_empty());

    server.start_again().await;
    // From then on anybody restores it.
    until("a restore", async || fixture.sweeper().sweep().await.is_ok() && is_at_the_store(&fixture).await).await;
    assert!(generation(&fixture).await > 2);
    fixture.assert_sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_hand_an_operator_says_when() {
    let mut server = Server::start().await;
    let fixture = Arc::new(fixture_beside(&server).await.with_sale(allotment(1, 1)).await);
    let holder = Arc::new(Holder::new(&fixture, 7, LONG_MS, Mode::ByHand));
    server.kill();
    let mut looks = fixture.stops.arm(consumer::points::AFTER_LOOK);
    let waits = tokio::spawn({
        let (fixture, holder) = (fixture.clone(), holder.clone());
        async move { holder.decide([fixture.batch([1])]).await }
    });
    for _ in 0..5 {
        looks.reached().await;
        let next = fixture.stops.arm(consumer::points::AFTER_LOOK);
        looks.go_on();
        looks = next;
    }
    looks.reached().await;
    assert_eq!(generation(&fixture).await, 1, "it failed five times and nobody said so");
    looks.go_on();
    assert!(!fixture.world.fallbacks.want(SaleId(fixture.sale.0 + 1), true, None).await.unwrap());
    assert!(fixture.world.fallbacks.want(fixture.sale, true, None).await.unwrap());
    waits.await.unwrap();
    assert_eq!((generation(&fixture).await, leased_by(&fixture).await), (2, Some(7)));
    server.start_again().await;
    until("Redis", async || fixture.turnstile.look(fixture.sale).await.is_ok()).await;
    holder.beat().await;
    assert_eq!(generation(&fixture).await, 2, "until he takes it back");
    assert!(fixture.world.fallbacks.want(fixture.sale, false, None).await.unwrap());
    assert!(at_the_store(&fixture, &holder).await > 2 && leased_by(&fixture).await.is_none());
    fixture.assert_sound().await;
}

/// What is restored from one ledger decides alike, wherever it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_and_redis_restored_from_a_ledger_decide_alike() {
    let server = Server::start().await;
    let fixture = fixture_beside(&server).await.with_sale(allotment(6, 6)).await;
    let sale = fixture.sale;
    fixture.decide([fixture.batch_of([(1, 2), (2, 1), (3, 3), (4, 2), (5, 1), (6, 3)])]).await;
    fixture.cancel(2).await;
    fixture.pay(1).await;
    let (state, _) = fixture.world.restoring.restore(sale, 1, fixture.clock.now()).await.unwrap().unwrap();
    let redis = RedisTurnstile::connect(server.url(), &unique_name()).await.unwrap();
    let both: [Arc<dyn Turnstile>; 2] = [Arc::new(MemoryTurnstile::new()), Arc::new(redis)];
    for one in &both {
        assert!(one.restore(sale, &state).await.unwrap());
    }
    let known = Known::of(2);
    let batches = [fixture.batch_of([(7, 1), (3, 1), (8, 4)]), fixture.batch_of([(9, 2), (2, 1)])];
    let held = fixture.row(3).await.unwrap().id;
    let waits = fixture.row(6).await.unwrap().id;
    let [memory, redis] = both.each_ref();
    for batch in [&batches[0], &batches[1], &batches[0]] {
        assert_eq!(
            memory.reserve(sale, known, &[batch]).await.unwrap(),
            redis.reserve(sale, known, &[batch]).await.unwrap()
        );
    }
    for ended in [held, waits, held] {
        let ended = [ended.into()];
        assert_eq!(
            memory.release(sale, known, &ended).await.unwrap(),
            redis.release(sale, known, &ended).await.unwrap()
        );
    }
    assert_eq!(memory.raise(sale, known, 9).await.unwrap(), redis.raise(sale, known, 9).await.unwrap());
    let both = [memory.snapshot(sale).await.unwrap(), redis.snapshot(sale).await.unwrap()];
    assert!(both[0].is_some() && both[0] == both[1], "{both:?}");
}
