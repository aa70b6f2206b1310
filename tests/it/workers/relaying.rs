//! The relay stopped at each of its points, asleep there, doubled, and without a broker: in the end every listener has every
//! event, and none that was not committed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use miaosha::domain::sale::turn::Turn;
use miaosha::domain::shared::event::Event;
use miaosha::domain::shared::id::EventId;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::platform::events::Listener;
use miaosha::ports::platform::fault::Point;
use miaosha::workers::relay::{self, Relayed};

use super::fixture::{Fixture, HOLD_MS, allotment, relay_settings};
use super::points::First;
use crate::contract::attempts::patiently;
use crate::contract::turnstile::only;
use crate::support::proxy::Proxy;

pub const RELAY: [Point; 2] = [relay::AFTER_READ, relay::AFTER_PUBLISH];

/// An order, a cancel and the promotion it makes, and a cancel whose unit is not taken yet.
async fn four_events(fixture: Fixture) -> Arc<Fixture> {
    let fixture = fixture.with_sale(allotment(3, 3)).await;
    fixture.decide([fixture.batch(1..=6)]).await;
    fixture.pay(1).await;
    let cancelled = fixture.cancel(2).await;
    fixture.alarms().handle(vec![fixture.alarm([cancelled])]).await.unwrap();
    fixture.clock.advance_ms(1);
    fixture.cancel(3).await;
    Arc::new(fixture)
}

/// An order and a cancel, without anything that needs the broker.
async fn two_events(fixture: Fixture) -> Arc<Fixture> {
    let fixture = fixture.with_sale(allotment(3, 0)).await;
    let batch = fixture.batch(1..=2);
    let known = fixture.knowing().await;
    let reply = fixture.world.turnstile.reserve(fixture.sale, known, &[&batch]).await.unwrap();
    let turn = Turn::Batch { batch, reserved: only(reply) };
    fixture.world.recording.record(fixture.sale, &[turn], fixture.clock.now()).await.unwrap();
    fixture.pay(1).await;
    fixture.cancel(2).await;
    Arc::new(fixture)
}

async fn committed(fixture: &Fixture) -> Vec<Event> {
    fixture.world.outbox.unpublished(1_000).await.unwrap()
}

/// All events that mail gets, and how often.
async fn heard(fixture: &Fixture, at_least: &[Event]) -> BTreeMap<EventId, u32> {
    // A broker that is back is there for who publishes and for who listens at different moments.
    let listens = async {
        loop {
            match fixture.world.events.events(Listener::Mail).await {
                Ok(subscription) => return subscription,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    let mut subscription = patiently(listens).await;
    let mut heard = BTreeMap::new();
    loop {
        let all = at_least.iter().all(|event| heard.contains_key(&event.id));
        // What was published twice comes a moment later.
        let wait = if all { Duration::from_millis(300) } else { Duration::from_secs(20) };
        let Ok(deliveries) = tokio::time::timeout(wait, subscription.next(64)).await else {
            assert!(all, "an event that was committed did not come");
            return heard;
        };
        for delivery in deliveries.unwrap() {
            *heard.entry(delivery.body().id).or_insert(0) += 1;
            delivery.ack().await.unwrap();
        }
    }
}

async fn assert_told(fixture: &Fixture, events: &[Event]) {
    let heard = heard(fixture, events).await;
    let known: Vec<EventId> = events.iter().map(|event| event.id).collect();
    assert!(heard.keys().all(|id| known.contains(id)), "something was told that was not committed");
    assert_eq!(committed(fixture).await, []);
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
}

/// A relay stopped at the point; another finishes.
pub async fn stopped(fixture: Fixture, point: Point, first: First) {
    let fixture = four_events(fixture).await;
    let events = committed(&fixture).await;
    let topics: Vec<_> = events.iter().map(|event| event.fact.topic()).collect();
    let (cancelled, promoted) = ("reservation.cancelled", "reservation.promoted");
    assert_eq!(topics, ["order.paid", cancelled, promoted, cancelled]);
    let stop = fixture.stops.arm(point);
    let relay = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.relay().step().await.unwrap() }
    });
    stop.reached().await;
    match first {
        First::Dropped => {
            relay.abort();
            let _ = relay.await;
            fixture.relay().drain().await.unwrap();
        }
        First::Asleep => {
            assert_eq!(fixture.relay().step().await.unwrap(), Relayed { read: 4, first: 4 });
            stop.go_on();
            assert_eq!(relay.await.unwrap(), Relayed { read: 4, first: 0 }, "another was first");
        }
    }
    assert_told(&fixture, &events).await;
}

/// Two that run, more events than one batch, and one that is stopped for good in the middle.
pub async fn two_relays(fixture: Fixture) {
    let fixture = Arc::new(fixture.with_sale(allotment(60, 0)).await);
    fixture.decide([fixture.batch(1..=60)]).await;
    let stop = fixture.stops.arm(relay::AFTER_PUBLISH);
    let start = || {
        let lifecycle = Lifecycle::new();
        let settings = relay::Settings { events_max: 8, relay_ms: 20, ..relay_settings() };
        lifecycle.supervise("relay", relay::run(fixture.world.needs(), settings, lifecycle.clone()));
        lifecycle
    };
    let (one, other) = (start(), start());
    for buyer in 1..=60 {
        match buyer % 2 {
            0 => fixture.pay(buyer).await,
            _ => drop(fixture.cancel(buyer).await),
        }
    }
    stop.reached().await;
    let drained = async {
        // The one that sleeps has published its batch, and the other publishes and marks it again.
        while !committed(&fixture).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), drained).await.expect("one relay is enough");
    for lifecycle in [one, other] {
        lifecycle.hard.cancel();
        lifecycle.drain().await;
    }
    assert_eq!(heard(&fixture, &[]).await.len(), 60, "each that was committed, and no other");
}

/// Nothing counts as published that the broker did not confirm; when it is back, everything is.
pub async fn broker_away(fixture: Fixture, way: &Proxy) {
    way.close();
    let fixture = two_events(fixture).await;
    let events = committed(&fixture).await;
    assert_eq!(events.len(), 2);
    while fixture.world.attempts.is_up() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    fixture.relay().step().await.unwrap_err();
    let lifecycle = Lifecycle::new();
    lifecycle.supervise("relay", relay::run(fixture.world.needs(), relay_settings(), lifecycle.clone()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(committed(&fixture).await, events, "they wait");
    way.open();
    let told = async {
        while !committed(&fixture).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("it goes on when the broker is back");
    assert!(lifecycle.drain().await);
    let known: Vec<EventId> = events.iter().map(|event| event.id).collect();
    let mut heard: Vec<EventId> = heard(&fixture, &events).await.into_keys().collect();
    heard.retain(|id| !known.contains(id));
    assert_eq!(heard, []);
}

/// A commit wakes the relay of its own process: without waiting for the next look.
pub async fn woken(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 0)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    let lifecycle = Lifecycle::new();
    let settings = relay::Settings { relay_ms: 3_600_000, ..relay_settings() };
    lifecycle.supervise("relay", relay::run(fixture.world.needs(), settings, lifecycle.clone()));
    for buyer in 1..=2 {
        fixture.pay(buyer).await;
        let told = async {
            while !committed(&fixture).await.is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), told).await.expect("it is woken");
    }
    assert!(lifecycle.drain().await, "it ends while it waits");
}

/// Kept for as long as is wished, and then removed; what is not published is kept for ever.
pub async fn tended(fixture: Fixture) {
    let fixture = four_events(fixture).await;
    let keep = relay_settings().keep_published_ms;
    fixture.relay().drain().await.unwrap();
    fixture.pay(4).await;
    let late = committed(&fixture).await;
    fixture.relay().tend().await.unwrap();
    let far = fixture.clock.now().plus_ms(1);
    assert_eq!(fixture.world.outbox.remove_published(far, 1).await.unwrap(), 1, "they are kept");
    fixture.clock.advance_ms(keep + 1);
    fixture.relay().tend().await.unwrap();
    assert_eq!(
        fixture.world.outbox.remove_published(fixture.clock.now(), 99).await.unwrap(),
        0,
        "nothing is left of them"
    );
    assert_eq!(committed(&fixture).await, late);
}

/// The audit says that the world is not told, and goes on to say what else is so.
pub async fn audit_waits(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 0)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    fixture.pay(1).await;
    fixture.clock.advance_ms(10_000);
    let verdict = fixture.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "{verdict}");
    assert_eq!(verdict.figures.outbox, 1);
    fixture.clock.advance_ms(1);
    assert_eq!(fixture.audit().await.divergence.unwrap().invariant, 10);
    fixture.relay().drain().await.unwrap();
    assert_eq!(fixture.audit().await.figures.outbox, 0);
    fixture.assert_sound().await;
    const { assert!(10_000 < HOLD_MS) };
}
