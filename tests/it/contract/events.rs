//! Events on their way out: durable for every listener when published, shared by a listener's subscribers, not lost by one that
//! stops in the middle, the same when published again.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use miaosha::domain::shared::event::{Cancelled, Event, Fact, Promoted, Purchase, Refunded, Returned};
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::platform::events::{Events, Listener};
use miaosha::ports::platform::parked::Parked;
use miaosha::ports::{Delivery, Subscription};

use super::attempts::patiently;

/// One broker, or one file, of which a test opens queues.
pub trait Fixture {
    type Queue: Events + Parked;

    /// A process that starts, or starts again.
    fn open(&self) -> impl Future<Output = Self::Queue>;

    /// Puts bytes into a listener's queue that no relay would send.
    fn plant(&self, listener: Listener, body: &[u8]) -> impl Future<Output = ()>;
}

fn money(minor: i64) -> Money {
    Money { minor, currency: "TWD".parse().unwrap() }
}

/// Each topic in turn, and each of a reservation of its own.
pub fn event(number: u64) -> Event {
    let (reservation, sale, buyer) =
        (ReservationId(u128::from(number) << 70 | 3), SaleId(1), BuyerId(u64::MAX - number));
    let (order, units) = (format!("N-{number}"), vec![1, 2]);
    let fact = match number % 5 {
        0 => Fact::OrderPaid(Purchase { order, reservation, sale, buyer, units, amount: money(i64::MAX) }),
        1 => Fact::OrderRefunded(Refunded { order, reservation, sale, buyer, units, amount: money(0), left: vec![3] }),
        2 => Fact::PaymentReturned(Returned {
            reservation,
            sale,
            buyer,
            payment: PaymentId(u128::MAX),
            amount: money(7),
        }),
        3 => Fact::Promoted(Promoted { reservation, sale, buyer, quantity: 2, lapses_at: Timestamp(9) }),
        _ => Fact::Cancelled(Cancelled { reservation, sale, buyer, quantity: 1 }),
    };
    Event::new(fact, 1, Timestamp(number as i64))
}

pub fn events(numbers: std::ops::Range<u64>) -> Vec<Event> {
    numbers.map(event).collect()
}

fn heard_by(listener: Listener, events: &[Event]) -> Vec<Event> {
    let of_orders = |event: &&Event| event.fact.topic().starts_with("order.");
    match listener {
        Listener::Receipts => events.iter().filter(of_orders).cloned().collect(),
        Listener::Mail => events.to_vec(),
    }
}

type Deliveries = Vec<Box<dyn Delivery<Event>>>;

/// Takes exactly `count` deliveries, and their bodies in the order of writing.
async fn take(subscription: &mut Box<dyn Subscription<Event>>, count: usize) -> (Deliveries, Vec<Event>) {
    let mut taken = Vec::new();
    while taken.len() < count {
        let more = patiently(subscription.next(count - taken.len())).await.unwrap();
        assert!(!more.is_empty(), "next waits for at least one");
        taken.extend(more);
    }
    let mut bodies: Vec<Event> = taken.iter().map(|delivery| delivery.body().clone()).collect();
    bodies.sort_by_key(|event| event.at);
    (taken, bodies)
}

async fn ack_all(deliveries: Deliveries) {
    for delivery in deliveries {
        delivery.ack().await.unwrap();
    }
}

async fn nothing_comes(subscription: &mut Box<dyn Subscription<Event>>) {
    let next = tokio::time::timeout(Duration::from_millis(300), subscription.next(9)).await;
    assert!(next.is_err(), "something came");
}

/// Also of what happened before it ever ran.
pub async fn each_listener_hears_its_topics(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    queue.publish_events(&[]).await.unwrap();
    queue.publish_events(&events(0..7)).await.unwrap();
    queue.publish_events(&events(7..10)).await.unwrap();
    for listener in Listener::ALL {
        let expected = heard_by(listener, &events(0..10));
        let mut subscription = queue.events(listener).await.unwrap();
        let (deliveries, bodies) = take(&mut subscription, expected.len()).await;
        assert_eq!(bodies, expected, "{listener:?}");
        ack_all(deliveries).await;
        nothing_comes(&mut subscription).await;
    }
}

pub async fn a_subscriber_who_waits_is_woken(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    for number in 0..3 {
        let publish = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            queue.publish_events(&[event(number)]).await.unwrap();
        };
        let ((deliveries, bodies), ()) = tokio::join!(take(&mut subscription, 1), publish);
        assert_eq!(bodies, [event(number)]);
        ack_all(deliveries).await;
    }
}

/// What is dropped comes again, on this subscription or on the next.
pub async fn dropped_comes_again(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    // Each of a topic of its own, so that none comes again for another's sake.
    queue.publish_events(&events(0..5)).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (mut deliveries, _) = take(&mut subscription, 5).await;
    let dropped: Vec<_> = deliveries.drain(1..3).collect();
    let again: Vec<Event> = dropped.iter().map(|delivery| delivery.body().clone()).collect();
    ack_all(deliveries).await;
    drop((dropped, subscription));
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (deliveries, mut bodies) = take(&mut subscription, 2).await;
    bodies.sort_by_key(|event| event.id);
    let mut expected = again;
    expected.sort_by_key(|event| event.id);
    assert_eq!(bodies, expected);
    ack_all(deliveries).await;
    nothing_comes(&mut subscription).await;
}

/// Of those that were published together, one is not acknowledged: it comes again, with others or without.
pub async fn one_of_many_that_is_dropped_comes_again(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let paid: Vec<Event> = (0..70).map(|number| event(5 * number)).collect();
    queue.publish_events(&paid).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (mut deliveries, bodies) = take(&mut subscription, paid.len()).await;
    assert_eq!(bodies, paid);
    let dropped = deliveries.remove(40);
    let missed = dropped.body().id;
    ack_all(deliveries).await;
    drop((dropped, subscription));
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let mut again = Vec::new();
    while !again.contains(&missed) {
        for delivery in patiently(subscription.next(99)).await.unwrap() {
            again.push(delivery.body().id);
            delivery.ack().await.unwrap();
        }
    }
    assert!(again.len() <= 32, "all of it came again");
    nothing_comes(&mut subscription).await;
}

/// Several subscribers of one listener: each event comes to one of them.
pub async fn subscribers_share(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let mut one = queue.events(Listener::Mail).await.unwrap();
    let mut other = queue.events(Listener::Mail).await.unwrap();
    queue.publish_events(&events(0..400)).await.unwrap();
    let mut seen = BTreeMap::new();
    while seen.len() < 400 {
        let next = async {
            tokio::select! {
                deliveries = one.next(3) => deliveries,
                deliveries = other.next(3) => deliveries,
            }
        };
        let deliveries = patiently(next).await.unwrap();
        for delivery in deliveries {
            *seen.entry(delivery.body().id).or_insert(0) += 1;
            delivery.ack().await.unwrap();
        }
    }
    assert!(seen.values().all(|&times| times == 1), "{seen:?}");
    nothing_comes(&mut one).await;
    nothing_comes(&mut other).await;
}

/// Under the same id, and nothing else is lost by it.
pub async fn published_again_is_the_same(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    queue.publish_events(&events(0..3)).await.unwrap();
    queue.publish_events(&events(0..5)).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let mut seen = BTreeMap::new();
    while seen.len() < 5 {
        for delivery in patiently(subscription.next(9)).await.unwrap() {
            seen.insert(delivery.body().id, delivery.body().clone());
            delivery.ack().await.unwrap();
        }
    }
    let mut bodies: Vec<Event> = seen.into_values().collect();
    bodies.sort_by_key(|event| event.at);
    assert_eq!(bodies, events(0..5));
}

/// One reservation's events arrive in their order, whatever is published around them.
pub async fn a_reservations_events_keep_their_order(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let of_one = |occasion: u128| {
        let fact = Fact::Cancelled(Cancelled {
            reservation: ReservationId(1),
            sale: SaleId(1),
            buyer: BuyerId(1),
            quantity: 1,
        });
        Event::new(fact, occasion, Timestamp(occasion as i64))
    };
    let mixed: Vec<Event> = (0..60).flat_map(|number| [event(1_000 + number as u64), of_one(number)]).collect();
    queue.publish_events(&mixed).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let mut order = Vec::new();
    let mut count = 0;
    while count < mixed.len() {
        for delivery in patiently(subscription.next(50)).await.unwrap() {
            count += 1;
            if delivery.body().fact.about() == 1 {
                order.push(delivery.body().at.0);
            }
            delivery.ack().await.unwrap();
        }
    }
    assert_eq!(order, (0..60).collect::<Vec<_>>());
}

/// What was published outlives the process, whether a subscriber had taken it or not.
pub async fn outlives_a_restart(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    queue.publish_events(&events(0..5)).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (deliveries, _) = take(&mut subscription, 2).await;
    drop((deliveries, subscription, queue));
    let queue = fixture.open().await;
    queue.publish_events(&[event(5)]).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (deliveries, bodies) = take(&mut subscription, 6).await;
    assert_eq!(bodies, events(0..6));
    ack_all(deliveries).await;
}

/// What cannot be decoded holds up no consumer: an operator finds it, and sends it back. So does an unknown version.
pub async fn parks_what_it_cannot_read(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let newer = serde_json::to_string(&event(4)).unwrap().replace("\"version\":1", "\"version\":2");
    fixture.plant(Listener::Mail, b"nonsense").await;
    fixture.plant(Listener::Mail, newer.as_bytes()).await;
    queue.publish_events(&[event(0)]).await.unwrap();
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (deliveries, bodies) = take(&mut subscription, 1).await;
    assert_eq!(bodies, [event(0)]);
    ack_all(deliveries).await;
    let parked = queue.parked(10).await.unwrap();
    assert_eq!(parked.len(), 2);
    assert!(parked.iter().all(|message| message.queue.ends_with("events.mail")), "{parked:?}");
    assert_eq!((parked[0].body.as_slice(), parked[1].body.as_slice()), (b"nonsense".as_slice(), newer.as_bytes()));
    assert!(parked[1].why.contains("version 2 of reservation.cancelled"), "{:?}", parked[1]);
    assert_eq!(queue.replay(1).await.unwrap(), 1);
    queue.publish_events(&[event(5)]).await.unwrap();
    let (deliveries, bodies) = take(&mut subscription, 1).await;
    assert_eq!(bodies, [event(5)]);
    ack_all(deliveries).await;
    assert_eq!(queue.parked(10).await.unwrap().len(), 2, "it is as unreadable as before");
}

/// Fields that a newer version added are passed over.
pub async fn more_than_we_know_is_read(fixture: &impl Fixture) {
    let queue = fixture.open().await;
    let more = serde_json::to_string(&event(4)).unwrap().replace("\"data\":{", "\"why\":1,\"data\":{\"since\":7,");
    fixture.plant(Listener::Mail, more.as_bytes()).await;
    let mut subscription = queue.events(Listener::Mail).await.unwrap();
    let (deliveries, bodies) = take(&mut subscription, 1).await;
    assert_eq!(bodies, [event(4)]);
    ack_all(deliveries).await;
}
