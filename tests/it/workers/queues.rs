//! The services as they run, on the world's own queue: two consumers on its partitions, one of them stopped in the middle.

use std::sync::Arc;
use std::time::Duration;

use miaosha::ports::World;
use miaosha::ports::attempts::{Attempts, partition_of};
use miaosha::ports::fault::Point;
use miaosha::ports::turnstile::Turnstile;
use miaosha::ports::{Delivery, Subscription};
use miaosha::runtime::lifecycle::Lifecycle;
use miaosha::services::{consumer, payments};

use super::bench::{Bench, allotment, consumer_settings, payment_settings};

const BATCHES: u64 = 60;

/// Until everything submitted is decided.
async fn decided<W: World, T: Turnstile>(bench: &Bench<W, T>, attempts: u64) {
    let all = async {
        while bench.audit().await.figures.attempts < attempts {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.expect("everything accepted is decided");
}

fn start<W: World, T: Turnstile>(bench: &Bench<W, T>) -> Lifecycle {
    let lifecycle = Lifecycle::new();
    lifecycle.tracker.spawn(consumer::run(bench.world.clone(), consumer_settings(), lifecycle.clone()));
    lifecycle.tracker.spawn(payments::run(bench.world.clone(), payment_settings(), lifecycle.clone()));
    lifecycle
}

async fn submit<W: World, T: Turnstile>(bench: &Bench<W, T>) {
    for n in 0..BATCHES {
        let batch = bench.batch(1 + n * 10..=(n + 1) * 10);
        bench.world.attempts().submit(batch).await.unwrap();
    }
}

/// Two of each; one pair drains in the middle, and the other finishes.
pub async fn two_of_each<W: World, T: Turnstile>(bench: Bench<W, T>) {
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
pub async fn killed<W: World, T: Turnstile>(bench: Bench<W, T>, point: Point) {
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
pub async fn dropped_deliveries_come_again<W: World, T: Turnstile>(bench: Bench<W, T>) {
    let bench = Arc::new(bench.with_sale(allotment(100, 50)).await);
    submit(&bench).await;
    let partition = partition_of(bench.sale, bench.world.attempts().partitions());
    let mut subscription = bench.world.attempts().attempts(partition).await.unwrap();
    let taken = subscription.next(8).await.unwrap();
    let first = taken[0].body().id;
    drop(taken);
    drop(subscription);
    let mut subscription = bench.world.attempts().attempts(partition).await.unwrap();
    let taken = subscription.next(64).await.unwrap();
    assert_eq!(taken[0].body().id, first);
    bench.consumer().handle(taken).await.unwrap();
    drop(subscription);
    let lifecycle = start(&bench);
    decided(&bench, BATCHES * 10).await;
    assert!(lifecycle.drain().await);
    in_order(&bench).await;
}

/// One publisher submitted buyer after buyer, so that the first hundred hold and the next fifty wait.
async fn in_order<W: World, T: Turnstile>(bench: &Bench<W, T>) {
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
