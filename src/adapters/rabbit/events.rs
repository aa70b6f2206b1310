//! Events: a topic exchange, and behind it a durable queue for each listener.

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::future::try_join_all;

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::domain::shared::event::Event;
use crate::ports::platform::events::{Events, Listener};
use crate::ports::{Result, Subscription};

/// Events with one subscriber that are not acknowledged.
const PREFETCH: u16 = 128;

impl RabbitBroker {
    /// All at once, on their several channels.
    async fn publish_wave(&self, events: &[Event]) -> Result<()> {
        let publish = events.iter().map(|event| {
            let message = Message::to_topic(self.0.topology.events(), event.fact.topic(), codec::encode(event));
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
        Ok(Box::new(RabbitSubscription::open(self.0.clone(), queue, PREFETCH, codec::event).await?))
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
