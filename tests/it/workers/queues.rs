//! The services as they run, on the world's own queue: two consumers on its partitions, one of them stopped in the middle.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use miaosha::domain::sale::reservation::Kind;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::fault::Point;
use miaosha::ports::sale::attempts::partition_of;
use miaosha::ports::sale::deadlines::Deadline;
use miaosha::workers::consumer;
use miaosha::workers::payment_consumer;

use super::bench::{Bench, allotment, consumer_settings, payment_settings};

const BATCHES: u64 = 60;

/// Until everything submitted is decided.
async fn decided(bench: &Bench, attempts: u64) {
    let all = async {
        while bench.audit().await.figures.attempts < attempts {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("everything accepted is decided");
}

fn start(bench: &Bench) -> Lifecycle {
    let lifecycle = Lifecycle::new();
    consumer::start(bench.world.needs(), consumer_settings(), &lifecycle);
    payment_consumer::start(bench.world.needs(), payment_settings(), &lifecycle);
    lifecycle
}

async fn submit(bench: &Bench) {
    for n in 0..BATCHES {
        let batch = bench.batch(1 + n * 10..=(n + 1) * 10);
        bench.world.attempts.submit(batch).await.unwrap();
    }
}

/// Two of each; one pair drains in the middle, and the other finishes.
pub async fn two_of_each(bench: Bench) {
    let bench = bench.with_sale(allotment(100, 50)).await;
    let (first, second) = (start(&bench), start(&bench));
    submit(&bench).await;
    decided(&bench, 1).await;
    assert!(first.drain().await);
    decided(&bench, BATCHES * 10).await;
    assert!(second.drain().await);
    in_order(&bench).await;
}

/// One consumer is killed between two effects, with the rest of the queue behind it.
pub async fn killed(bench: Bench, point: Point) {
    let bench = bench.with_sale(allotment(100, 50)).await;
    let stop = bench.stops.arm(point);
    let (first, second) = (start(&bench), start(&bench));
    submit(&bench).await;
    stop.reached().await;
    // Whoever of the two stands there: it is dropped with all it has taken.
    let third = start(&bench);
    first.hard.cancel();
    first.soft.cancel();
    second.hard.cancel();
    second.soft.cancel();
    decided(&bench, BATCHES * 10).await;
    assert!(third.drain().await);
    in_order(&bench).await;
}

/// A worker that took the queue's first batches and was dropped leaves them to the next, in their order.
pub async fn dropped_deliveries_come_again(bench: Bench) {
    let bench = Arc::new(bench.with_sale(allotment(100, 50)).await);
    submit(&bench).await;
    let partition = partition_of(bench.sale, bench.world.attempts.partitions());
    let mut subscription = bench.world.attempts.attempts(partition).await.unwrap();
    let taken = subscription.next(8).await.unwrap();
    let first = taken[0].body().id;
    drop(taken);
    drop(subscription);
    let mut subscription = bench.world.attempts.attempts(partition).await.unwrap();
    let taken = subscription.next(64).await.unwrap();
    assert_eq!(taken[0].body().id, first);
    bench.consumer().handle(taken).await.unwrap();
    drop(subscription);
    let lifecycle = start(&bench);
    decided(&bench, BATCHES * 10).await;
    assert!(lifecycle.drain().await);
    in_order(&bench).await;
}

/// No sweeper looks here: holds lapse because their alarms ring, a cancel is given on because it asks for an alarm at once, and
/// who is promoted has an alarm too.
pub async fn alarms_ring(bench: Bench) {
    const SHORT_MS: i64 = 100;
    let bench = bench.with_sale_of(allotment(2, 5), SHORT_MS).await;
    bench.decide([bench.batch(1..=5)]).await;
    bench.clock.advance_ms(SHORT_MS - 1);
    let lifecycle = Lifecycle::new();
    let settings = payment_consumer::Settings { alarm_ms: i64::MAX / 2, sweep_ms: 3_600_000, ..payment_settings() };
    payment_consumer::start(bench.world.needs(), settings, &lifecycle);
    let cancelled = bench.cancel(1).await;
    let at_once = Deadline { sale: bench.sale, reservations: vec![cancelled], traced: Vec::new() };
    bench.world.deadlines.schedule(at_once, 0).await.unwrap();
    until(&bench, 3, Kind::Held).await;
    // Its alarm may have rung before its time was over, and then nobody but the sweeper would come: a second one is asked for.
    bench.clock.advance_ms(1);
    let second = bench.row(2).await.unwrap().id;
    let again = Deadline { sale: bench.sale, reservations: vec![second], traced: Vec::new() };
    bench.world.deadlines.schedule(again, SHORT_MS).await.unwrap();
    until(&bench, 4, Kind::Held).await;
    assert_eq!(bench.kind(2).await, Some(Kind::Lapsed));
    assert!(lifecycle.drain().await);
    bench.assert_sound().await;
}

/// What a consumer and a release promise, an alarm is set for: of each hold, once.
pub async fn every_hold_has_its_alarm(bench: Bench) {
    let bench = bench.with_sale_of(allotment(2, 5), 50).await;
    let mut alarms = bench.world.deadlines.deadlines().await.unwrap();
    bench.decide([bench.batch(1..=3)]).await;
    let cancelled = bench.cancel(1).await;
    bench.alarms().handle(vec![bench.alarm([cancelled])]).await.unwrap();
    let mut expected = BTreeSet::new();
    for buyer in [1, 2, 3] {
        expected.insert(bench.row(buyer).await.unwrap().id);
    }
    let mut rung = BTreeSet::new();
    let all = async {
        while rung != expected {
            for alarm in alarms.next(8).await.unwrap() {
                rung.extend(alarm.body().reservations.iter().copied());
                alarm.ack().await.unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("every alarm rings");
}

async fn until(bench: &Bench, buyer: u64, kind: Kind) {
    let so = async {
        while bench.kind(buyer).await != Some(kind) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), so).await.expect("it comes to that");
}

/// One publisher submitted buyer after buyer, so that the first hundred hold and the next fifty wait.
async fn in_order(bench: &Bench) {
    let figures = bench.audit().await.figures;
    assert_eq!((figures.taken, figures.stood_by, figures.refused), (100, 50, 450));
    for buyer in 1..=100 {
        assert_eq!(bench.row(buyer).await.unwrap().state.units(), [buyer as u32]);
    }
    for buyer in [101, 150] {
        assert!(bench.row(buyer).await.unwrap().state.kind().is_live());
    }
    assert!(bench.row(151).await.is_none());
    bench.assert_sound().await;
}
