//! Events: a topic exchange, and behind it a durable queue for each listener. Those of one topic that are published together share
//! messages: what a durable message costs the broker, it costs once for all of them.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::domain::shared::event::Event;
use crate::ports::platform::events::{Events, Listener};
use crate::ports::{Delivery, Result, Subscription};

/// Events in one message.
const EVENTS_MAX: usize = 32;
/// Messages with one subscriber that are not acknowledged.
const PREFETCH: u16 = 16;

impl RabbitBroker {
    /// All at once, on their several channels.
    async fn publish_wave(&self, events: &[Event]) -> Result<()> {
        let mut topics: BTreeMap<&str, Vec<&Event>> = BTreeMap::new();
        for event in events {
            topics.entry(event.fact.topic()).or_default().push(event);
        }
        let publish =
            topics.iter().flat_map(|(topic, events)| events.chunks(EVENTS_MAX).map(move |part| (topic, part)));
        let publish = publish.map(|(topic, part)| {
            let message = Message::to_topic(self.0.topology.events(), topic, codec::encode(&part));
            self.0.lanes.publish(message)
        });
        try_join_all(publish).await.map(drop).map_err(fault)
    }
}

#[async_trait]
impl Events for RabbitBroker {
    async fn publish_events(&self, events: &[Event]) -> Result<()> {
        for wave in waves(events) {
            self.publish_wave(wave).await?;
        }
        Ok(())
    }

    async fn events(&self, listener: Listener) -> Result<Box<dyn Subscription<Event>>> {
        let queue = Source::Queue(self.0.topology.events_of(listener));
        let messages = RabbitSubscription::open(self.0.clone(), queue, PREFETCH, codec::events).await?;
        Ok(Box::new(OneByOne { messages: Box::new(messages), ready: VecDeque::new() }))
    }
}

/// The events of messages, each a delivery; a message is acknowledged with the last of its own.
struct OneByOne {
    messages: Box<dyn Subscription<Vec<Event>>>,
    ready: VecDeque<Part>,
}

#[async_trait]
impl Subscription<Event> for OneByOne {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<Event>>>> {
        // An empty message is acknowledged by nobody else.
        while self.ready.is_empty() {
            for message in self.messages.next(max).await? {
                let events = message.body().clone();
                let message = Arc::new(Mutex::new(Unsettled { left: events.len(), message: Some(message) }));
                self.ready.extend(events.into_iter().map(|event| Part { event, message: message.clone() }));
                settle(&message, 0).await?;
            }
        }
        let taken = self.ready.drain(..self.ready.len().min(max.max(1)));
        Ok(taken.map(|part| Box::new(part) as Box<dyn Delivery<Event>>).collect())
    }
}

/// Dropped before its last event is acknowledged, it comes again: its delivery is dropped with it.
struct Unsettled {
    left: usize,
    message: Option<Box<dyn Delivery<Vec<Event>>>>,
}

struct Part {
    event: Event,
    message: Arc<Mutex<Unsettled>>,
}

#[async_trait]
impl Delivery<Event> for Part {
    fn body(&self) -> &Event {
        &self.event
    }

    async fn ack(self: Box<Self>) -> Result<()> {
        settle(&self.message, 1).await
    }
}

async fn settle(message: &Mutex<Unsettled>, events: usize) -> Result<()> {
    let settled = {
        let mut message = message.lock().unwrap_or_else(PoisonError::into_inner);
        message.left -= events;
        if message.left == 0 { message.message.take() } else { None }
    };
    match settled {
        Some(message) => message.ack().await,
        None => Ok(()),
    }
}

/// Cut where a reservation comes again: its next event leaves when the one before is confirmed.
fn waves(mut events: &[Event]) -> impl Iterator<Item = &[Event]> {
    std::iter::from_fn(move || {
        let mut seen = HashSet::new();
        let size = events.iter().take_while(|event| seen.insert(event.fact.about())).count();
        let (wave, rest) = events.split_at(size);
        events = rest;
        (!wave.is_empty()).then_some(wave)
    })
}
