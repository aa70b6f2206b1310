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

use super::fixture::{Fixture, allotment, payment_settings};

const BATCHES: u64 = 60;

/// Until everything submitted is decided.
async fn decided(fixture: &Fixture, attempts: u64) {
    let all = async {
        while fixture.audit().await.figures.attempts < attempts {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("everything accepted is decided");
}

fn start(fixture: &Fixture) -> Lifecycle {
    let lifecycle = Lifecycle::new();
    consumer::start(Arc::new(fixture.consumer()), &lifecycle);
    payment_consumer::start(fixture.world.needs(), payment_settings(), &lifecycle);
    lifecycle
}

async fn submit(fixture: &Fixture) {
    for n in 0..BATCHES {
        let batch = fixture.batch(1 + n * 10..=(n + 1) * 10);
        fixture.world.attempts.submit(batch).await.unwrap();
    }
}

/// Two of each; one pair drains in the middle, and the other finishes.
pub async fn two_of_each(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(100, 50)).await;
    let (first, second) = (start(&fixture), start(&fixture));
    submit(&fixture).await;
    decided(&fixture, 1).await;
    assert!(first.drain().await);
    decided(&fixture, BATCHES * 10).await;
    assert!(second.drain().await);
    in_order(&fixture).await;
}

/// One consumer is killed between two effects, with the rest of the queue behind it.
pub async fn killed(fixture: Fixture, point: Point) {
    let fixture = fixture.with_sale(allotment(100, 50)).await;
    let stop = fixture.stops.arm(point);
    let (first, second) = (start(&fixture), start(&fixture));
    submit(&fixture).await;
    stop.reached().await;
    // The one of the two that stalled there is dropped with all it has taken.
    let third = start(&fixture);
    first.hard.cancel();
    first.soft.cancel();
    second.hard.cancel();
    second.soft.cancel();
    decided(&fixture, BATCHES * 10).await;
    assert!(third.drain().await);
    in_order(&fixture).await;
}

/// A worker that took the queue's first batches and was dropped leaves them to the next, in their order.
pub async fn dropped_deliveries_come_again(fixture: Fixture) {
    let fixture = Arc::new(fixture.with_sale(allotment(100, 50)).await);
    submit(&fixture).await;
    let partition = partition_of(fixture.sale, fixture.world.attempts.partitions());
    let mut subscription = fixture.world.attempts.attempts(partition).await.unwrap();
    let taken = subscription.next(8).await.unwrap();
    let first = taken[0].body().id;
    drop(taken);
    drop(subscription);
    let mut subscription = fixture.world.attempts.attempts(partition).await.unwrap();
    let taken = subscription.next(64).await.unwrap();
    assert_eq!(taken[0].body().id, first);
    fixture.consumer().handle(taken).await.unwrap();
    drop(subscription);
    let lifecycle = start(&fixture);
    decided(&fixture, BATCHES * 10).await;
    assert!(lifecycle.drain().await);
    in_order(&fixture).await;
}

/// No sweeper looks here: holds lapse because their alarms ring, a cancel is given on because it asks for an alarm at once, and
/// who is promoted has an alarm too.
pub async fn alarms_ring(fixture: Fixture) {
    const SHORT_MS: i64 = 100;
    let fixture = fixture.with_sale_of(allotment(2, 5), SHORT_MS).await;
    fixture.decide([fixture.batch(1..=5)]).await;
    fixture.clock.advance_ms(SHORT_MS - 1);
    let lifecycle = Lifecycle::new();
    let settings = payment_consumer::Settings { alarm_ms: i64::MAX / 2, sweep_ms: 3_600_000, ..payment_settings() };
    payment_consumer::start(fixture.world.needs(), settings, &lifecycle);
    let cancelled = fixture.cancel(1).await;
    let at_once = Deadline { sale: fixture.sale, reservations: vec![cancelled], traced: Vec::new() };
    fixture.world.deadlines.schedule(at_once, 0).await.unwrap();
    until(&fixture, 3, Kind::Held).await;
    // Its alarm may have rung before its time was over, and then only the sweeper would come: a second one is asked for.
    fixture.clock.advance_ms(1);
    let second = fixture.row(2).await.unwrap().id;
    let again = Deadline { sale: fixture.sale, reservations: vec![second], traced: Vec::new() };
    fixture.world.deadlines.schedule(again, SHORT_MS).await.unwrap();
    until(&fixture, 4, Kind::Held).await;
    assert_eq!(fixture.kind(2).await, Some(Kind::Lapsed));
    assert!(lifecycle.drain().await);
    fixture.assert_sound().await;
}

/// What a consumer and a release promise, an alarm is set for: of each hold, once.
pub async fn every_hold_has_its_alarm(fixture: Fixture) {
    let fixture = fixture.with_sale_of(allotment(2, 5), 50).await;
    let mut alarms = fixture.world.deadlines.deadlines().await.unwrap();
    fixture.decide([fixture.batch(1..=3)]).await;
    let cancelled = fixture.cancel(1).await;
    fixture.alarms().handle(vec![fixture.alarm([cancelled])]).await.unwrap();
    let mut expected = BTreeSet::new();
    for buyer in [1, 2, 3] {
        expected.insert(fixture.row(buyer).await.unwrap().id);
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

async fn until(fixture: &Fixture, buyer: u64, kind: Kind) {
    let so = async {
        while fixture.kind(buyer).await != Some(kind) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), so).await.expect("it comes to that");
}

/// One publisher submitted buyer after buyer, so that the first hundred hold and the next fifty wait.
async fn in_order(fixture: &Fixture) {
    let figures = fixture.audit().await.figures;
    assert_eq!((figures.taken, figures.stood_by, figures.refused), (100, 50, 450));
    for buyer in 1..=100 {
        assert_eq!(fixture.row(buyer).await.unwrap().state.units(), [buyer as u32]);
    }
    for buyer in [101, 150] {
        assert!(fixture.row(buyer).await.unwrap().state.kind().is_live());
    }
    assert!(fixture.row(151).await.is_none());
    fixture.assert_sound().await;
}
