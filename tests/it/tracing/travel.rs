//! Which trace a message belongs to travels beside it, in each world, and who reads it without knowing of traces reads the same.

use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::sqlite_queue::SqliteQueue;
use miaosha::domain::shared::trace::{Mark, Trace};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::sale::attempts::Attempts;
use miaosha::ports::sale::deadlines::Deadlines;
use miaosha::ports::sale::notices::Notices;

use crate::contract::attempts::{batch, patiently};
use crate::contract::signals::{self, deadline, notice};
use crate::support::servers::{rabbit_url, unique_name};

async fn rabbit() -> RabbitBroker {
    let config = RabbitConfig {
        at: rabbit_url().as_str().into(),
        namespace: unique_name(),
        partitions: 1,
        queue_messages_max: 1_000,
        confirm_ms: 10_000,
    };
    RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap()
}

fn trace(number: u64) -> Trace {
    Trace { id: u128::from(number) << 64 | 7, span: number }
}

async fn with_attempts(queue: &impl Attempts) {
    let plain = batch(0, 1);
    let mut traced = batch(0, 2);
    traced.traced =
        (0..2).map(|index| Mark { of: traced.attempt_id(index).into(), trace: trace(index as u64 + 1) }).collect();
    for batch in [&plain, &traced] {
        queue.submit(batch.clone()).await.unwrap();
    }
    let mut subscription = queue.attempts(0).await.unwrap();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        for delivery in patiently(subscription.next(2)).await.unwrap() {
            seen.push(delivery.body().clone());
            delivery.ack().await.unwrap();
        }
    }
    assert_eq!(seen, [plain, traced]);
}

async fn with_signals(signals: &(impl Deadlines + Notices)) {
    let mut stream = signals.notices().await.unwrap();
    let mut told = [notice(1), notice(2), notice(3)];
    told[1].trace = Some(trace(5));
    signals.tell(&told).await.unwrap();
    assert_eq!(patiently(signals::told(&mut stream)).await.unwrap(), told);

    let mut alarm = deadline(1);
    alarm.traced = vec![Mark { of: alarm.reservations[0].into(), trace: trace(9) }];
    signals.schedule(alarm.clone(), 1).await.unwrap();
    let mut subscription = signals.deadlines().await.unwrap();
    let delivery = patiently(subscription.next(1)).await.unwrap().remove(0);
    assert_eq!(delivery.body(), &alarm);
    delivery.ack().await.unwrap();
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn in_the_fleet() {
    let broker = rabbit().await;
    with_attempts(&broker).await;
    with_signals(&broker).await;
}

#[tokio::test]
async fn in_one_process() {
    let folder = tempfile::tempdir().unwrap();
    with_attempts(&SqliteQueue::open(&folder.path().join("queue.db"), 1, 100, Lifecycle::new().tasks()).await.unwrap())
        .await;
    with_signals(&MemorySignals::new()).await;
}

/// A body says nothing of traces: an older binary reads it as it always did.
#[test]
fn bodies_are_as_they_were() {
    let mut told = notice(1);
    let before = serde_json::to_string(&told).unwrap();
    told.trace = Some(trace(1));
    assert_eq!(serde_json::to_string(&told).unwrap(), before);
    let mut alarm = deadline(1);
    let before = serde_json::to_string(&alarm).unwrap();
    alarm.traced = vec![Mark { of: alarm.reservations[0].into(), trace: trace(1) }];
    assert_eq!(serde_json::to_string(&alarm).unwrap(), before);
    let mut many = batch(1, 1);
    let before = many.encode();
    many.traced = vec![Mark { of: many.attempt_id(0).into(), trace: trace(1) }];
    assert_eq!(many.encode(), before);
}
