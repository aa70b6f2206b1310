//! The way in: durable, bounded, in order, one active subscriber, nothing lost by one that stops in the middle.

use std::future::Future;
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::ports::platform::lag::Depths;
use miaosha::ports::platform::parked::Parked;
use miaosha::ports::sale::attempts::{Attempts, Shed, partition_of};
use miaosha::ports::{Delivery, Result, Subscription};

pub const PARTITIONS: u16 = 3;
/// Nothing here takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// One broker, or one file, of which a test opens queues.
pub trait Fixture {
    type Queue: Attempts + Depths + Parked;

    /// A process that starts, or starts again.
    fn open(&self, messages_max: u64) -> impl Future<Output = Self::Queue>;

    /// Puts bytes into a partition that no publisher would send.
    fn plant(&self, partition: u16, body: &[u8]) -> impl Future<Output = ()>;
}

pub fn batch(sale: u64, number: u64) -> Batch {
    let attempt = |buyer| Attempt { buyer: BuyerId(buyer), quantity: 1, waits: true };
    Batch {
        id: BatchId::new(1, number),
        sale: SaleId(sale),
        attempts: vec![attempt(number), attempt(number + 1)],
        traced: vec![],
    }
}

fn numbers(batches: &[Batch]) -> Vec<u64> {
    batches.iter().map(|batch| batch.attempts[0].buyer.0).collect()
}

pub async fn patiently<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("it comes in time")
}

/// Waits until `check` says yes: for what a server does a moment after it was asked.
pub async fn until(check: impl AsyncFn() -> bool) {
    let poll = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    patiently(poll).await;
}

/// Subscribes as soon as the broker is there.
pub async fn subscribe(queue: &impl Attempts, partition: u16) -> Box<dyn Subscription<Batch>> {
    let poll = async {
        loop {
            match queue.attempts(partition).await {
                Ok(subscription) => return subscription,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    patiently(poll).await
}

pub type Deliveries = Vec<Box<dyn Delivery<Batch>>>;

/// Takes exactly `count` deliveries, however they are split.
pub async fn take(subscription: &mut Box<dyn Subscription<Batch>>, count: usize) -> Deliveries {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = patiently(subscription.next(count - taken.len())).await.unwrap();
        assert!(!more.is_empty(), "next waits for at least one");
        taken.extend(more);
    }
    taken
}

pub fn seen(deliveries: &[Box<dyn Delivery<Batch>>]) -> Vec<u64> {
    numbers(&deliveries.iter().map(|delivery| delivery.body().clone()).collect::<Vec<_>>())
}

async fn ack_all(deliveries: Deliveries) {
    for delivery in deliveries {
        delivery.ack().await.unwrap();
    }
}

async fn submit(queue: &impl Attempts, sale: u64, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        patiently(queue.submit(batch(sale, number))).await.unwrap();
    }
}

/// Row order is queue order, a partition sees its own sales only, and a batch arrives as it was sent.
pub async fn keeps_order(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    assert!(queue.is_up());
    assert_eq!(queue.partitions(), PARTITIONS);
    for number in 0..60 {
        submit(&queue, 1 + number % 2, [number]).await;
    }
    for sale in [1, 2] {
        let mut subscription = queue.attempts(partition_of(SaleId(sale), PARTITIONS)).await.unwrap();
        let deliveries = take(&mut subscription, 30).await;
        assert_eq!(seen(&deliveries), (0..60).filter(|number| 1 + number % 2 == sale).collect::<Vec<_>>());
        assert_eq!(deliveries[0].body(), &batch(sale, sale - 1));
        ack_all(deliveries).await;
    }
}

/// Many at once: each is answered, none is lost, none comes twice.
pub async fn takes_a_crowd(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let submitted = patiently(join_all((0..2_000).map(|number| queue.submit(batch(1, number))))).await;
    assert!(submitted.iter().all(Result::is_ok), "{:?}", submitted.iter().find(|done| done.is_err()));
    let mut subscription = queue.attempts(partition_of(SaleId(1), PARTITIONS)).await.unwrap();
    let mut arrived = Vec::new();
    while arrived.len() < 2_000 {
        // As they come: how many may be unacknowledged at once is the queue's affair.
        let deliveries = patiently(subscription.next(100)).await.unwrap();
        arrived.extend(seen(&deliveries));
        ack_all(deliveries).await;
    }
    arrived.sort_unstable();
    assert_eq!(arrived, (0..2_000).collect::<Vec<_>>());
}

/// A dropped delivery ends its subscription: it comes again before everything after it.
pub async fn dropped_comes_again_in_order(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let partition = partition_of(SaleId(1), PARTITIONS);
    submit(&queue, 1, 0..6).await;
    let mut subscription = queue.attempts(partition).await.unwrap();
    let mut deliveries = take(&mut subscription, 4).await;
    let kept = deliveries.pop().unwrap();
    let dropped = deliveries.pop();
    ack_all(deliveries).await;
    drop(dropped);
    assert!(patiently(subscription.next(1)).await.is_err(), "reading on would lose the order");
    drop(subscription);
    let mut subscription = queue.attempts(partition).await.unwrap();
    let deliveries = take(&mut subscription, 4).await;
    assert_eq!(seen(&deliveries), [2, 3, 4, 5]);
    drop(kept);
    ack_all(deliveries).await;
}

/// However often one goes and the next one comes, nothing is passed over and nothing comes out of its turn.
pub async fn order_outlives_many_subscribers(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let partition = partition_of(SaleId(1), PARTITIONS);
    let count = 700;
    submit(&queue, 1, 0..count).await;
    let mut first = 0;
    let mut chance = fastrand::Rng::with_seed(7);
    while first < count {
        let mut subscription = queue.attempts(partition).await.unwrap();
        let wanted = chance.u64(1..=300).min(count - first).min(200);
        let mut deliveries = take(&mut subscription, wanted as usize).await;
        assert_eq!(seen(&deliveries), (first..first + wanted).collect::<Vec<_>>());
        let acknowledged = chance.u64(0..=wanted);
        let left = deliveries.split_off(acknowledged as usize);
        ack_all(deliveries).await;
        first += acknowledged;
        drop((subscription, left));
    }
}

/// While one is active the other waits; when it goes, everything it left comes to the other.
pub async fn one_subscriber_is_active(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let partition = partition_of(SaleId(2), PARTITIONS);
    let mut active = queue.attempts(partition).await.unwrap();
    submit(&queue, 2, [0]).await;
    let first = take(&mut active, 1).await;
    let mut waiting = queue.attempts(partition).await.unwrap();
    for number in 1..20 {
        let (mine, theirs) = (std::pin::pin!(active.next(1)), std::pin::pin!(waiting.next(1)));
        let turn = select(mine, theirs);
        let (turn, ()) = patiently(futures_util::future::join(turn, submit(&queue, 2, [number]))).await;
        match turn {
            Either::Left((deliveries, _)) => ack_all(deliveries.unwrap()).await,
            Either::Right(_) => panic!("two are active at once"),
        }
    }
    drop((active, first));
    submit(&queue, 2, [20]).await;
    let deliveries = take(&mut waiting, 2).await;
    assert_eq!(seen(&deliveries), [0, 20]);
    ack_all(deliveries).await;
}

/// A full queue says so, and takes more as soon as it has room. (A broker may let a few more pass than it was told.)
pub async fn is_bounded(fixture: &impl Fixture) {
    let queue = fixture.open(5).await;
    let mut accepted = 0;
    loop {
        match patiently(queue.submit(batch(1, accepted))).await {
            Ok(()) => accepted += 1,
            Err(shed) => break assert_eq!(shed, Shed::Full),
        }
        assert!(accepted < 500, "it is never full");
    }
    assert!(accepted >= 5);
    let mut subscription = queue.attempts(partition_of(SaleId(1), PARTITIONS)).await.unwrap();
    let deliveries = take(&mut subscription, accepted as usize).await;
    assert_eq!(seen(&deliveries), (0..accepted).collect::<Vec<_>>());
    ack_all(deliveries).await;
    let room = async {
        while queue.submit(batch(1, 7_000)).await == Err(Shed::Full) {
            tokio::task::yield_now().await;
        }
    };
    patiently(room).await;
    let deliveries = take(&mut subscription, 1).await;
    assert_eq!(seen(&deliveries), [7_000]);
    ack_all(deliveries).await;
}

/// What was accepted outlives the process; what was acknowledged is gone.
pub async fn outlives_a_restart(fixture: &impl Fixture) {
    let partition = partition_of(SaleId(1), PARTITIONS);
    let queue = fixture.open(10_000).await;
    submit(&queue, 1, 0..5).await;
    let mut subscription = queue.attempts(partition).await.unwrap();
    let mut deliveries = take(&mut subscription, 4).await;
    let unacknowledged = deliveries.split_off(2);
    ack_all(deliveries).await;
    // The next subscriber sees what is settled; the one after it, what is left.
    drop((unacknowledged, subscription));
    let mut subscription = queue.attempts(partition).await.unwrap();
    assert_eq!(seen(&take(&mut subscription, 3).await), [2, 3, 4]);
    drop((subscription, queue));
    let queue = fixture.open(10_000).await;
    submit(&queue, 1, [5]).await;
    let mut subscription = queue.attempts(partition).await.unwrap();
    let deliveries = take(&mut subscription, 4).await;
    assert_eq!(seen(&deliveries), [2, 3, 4, 5]);
    ack_all(deliveries).await;
}

/// What cannot be decoded holds up no consumer: an operator finds it, and sends it back.
/// What waits in one queue; a broker may count what it has just taken a moment later.
async fn waits(queue: &impl Depths, name: &str, messages: u64) {
    let is_it = async || {
        let depths = queue.depths().await.unwrap();
        let of_it: Vec<u64> = depths.iter().filter(|depth| depth.queue == name).map(|depth| depth.messages).collect();
        assert_eq!(of_it.len(), 1, "{name} once among {depths:?}");
        of_it[0] == messages
    };
    until(is_it).await;
}

pub async fn says_how_many_wait(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let partition = partition_of(SaleId(1), PARTITIONS);
    let name = format!("attempts.{partition}");
    waits(&queue, &name, 0).await;
    submit(&queue, 1, 0..3).await;
    waits(&queue, &name, 3).await;
    let mut subscription = queue.attempts(partition).await.unwrap();
    ack_all(take(&mut subscription, 3).await).await;
    waits(&queue, &name, 0).await;
    waits(&queue, "parked", 0).await;
    fixture.plant(partition, b"nonsense").await;
    submit(&queue, 1, [3]).await;
    ack_all(take(&mut subscription, 1).await).await;
    waits(&queue, "parked", 1).await;
    waits(&queue, "events.mail", 0).await;
}

pub async fn parks_what_it_cannot_read(fixture: &impl Fixture) {
    let queue = fixture.open(10_000).await;
    let partition = partition_of(SaleId(1), PARTITIONS);
    submit(&queue, 1, [0]).await;
    fixture.plant(partition, b"nonsense").await;
    fixture.plant(partition, b"").await;
    submit(&queue, 1, [1]).await;
    let mut subscription = queue.attempts(partition).await.unwrap();
    let deliveries = take(&mut subscription, 2).await;
    assert_eq!(seen(&deliveries), [0, 1]);
    ack_all(deliveries).await;
    let parked = queue.parked(10).await.unwrap();
    assert_eq!(parked.len(), 2);
    assert_eq!(queue.parked(1).await.unwrap(), parked[..1]);
    assert_eq!(queue.parked(10).await.unwrap(), parked, "looking leaves them where they are");
    let placed = queue.parked_after(0, 10).await.unwrap();
    assert_eq!(placed.iter().map(|(_, message)| message.clone()).collect::<Vec<_>>(), parked);
    let (first, second) = (placed[0].0, placed[1].0);
    assert!(0 < first && first < second);
    assert_eq!(queue.parked_after(0, 1).await.unwrap(), placed[..1]);
    assert_eq!(queue.parked_after(first, 10).await.unwrap(), placed[1..]);
    assert_eq!(queue.parked_after(second, 10).await.unwrap(), []);
    assert_eq!((parked[0].body.as_slice(), parked[1].body.as_slice()), (b"nonsense".as_slice(), b"".as_slice()));
    assert!(parked[0].queue.ends_with(&format!("attempts.{partition}")), "{:?}", parked[0]);
    assert!(parked[0].why.contains("version"), "{:?}", parked[0]);
    assert_eq!(queue.replay(1).await.unwrap(), 1);
    submit(&queue, 1, [2]).await;
    let deliveries = take(&mut subscription, 1).await;
    assert_eq!(seen(&deliveries), [2]);
    ack_all(deliveries).await;
    let again = queue.parked(10).await.unwrap();
    assert_eq!(again.len(), 2, "it is as unreadable as before");
    assert_eq!(again[1].queue, parked[0].queue);
    assert_eq!(again[1].body, parked[0].body);
}
