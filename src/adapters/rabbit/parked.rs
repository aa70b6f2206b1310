//! Parked messages are taken and not acknowledged; closing the channel puts them back.
//!
//! What a consumer of a quorum queue gives back goes behind what others gave back before, so each look takes as many as it
//! can: then all of them come back in their order.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::time::timeout;

use super::publish::Message;
use super::{CALL, RabbitBroker, fault};
use crate::ports::Result;
use crate::ports::platform::parked::{Parked, ParkedMessage};

/// Nothing more came for this long: there is no more. A count would be no better, for what was put back a moment ago is not
/// in it yet.
const QUIET: Duration = Duration::from_millis(500);

/// Messages that one look takes, at most.
const LOOK_MAX: u16 = 10_000;

/// Those at the head of the queue, held until the channel is closed.
struct Held {
    channel: Channel,
    deliveries: Vec<Delivery>,
    /// Dropped after the channel is closed; before, that would cancel it.
    consumer: Consumer,
}

impl Held {
    async fn put_back(self) -> Result<()> {
        let closed = timeout(CALL, self.channel.close(200, "done".into())).await.map_err(fault)?;
        drop(self.consumer);
        closed.map_err(fault)
    }
}

impl RabbitBroker {
    async fn hold(&self) -> Result<Held> {
        let queue = self.0.topology.parked();
        let consume = async |channel: &Channel| {
            channel.basic_qos(LOOK_MAX, BasicQosOptions::default()).await?;
            let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
            channel.basic_consume(queue, tag, options, FieldTable::default()).await
        };
        let (channel, mut consumer) = self.0.consuming.line()?.call(consume).await?;
        let mut deliveries = Vec::new();
        while deliveries.len() < usize::from(LOOK_MAX) {
            match timeout(QUIET, consumer.next()).await {
                Ok(Some(delivery)) => deliveries.push(delivery.map_err(fault)?),
                Ok(None) => return Err(fault("the broker ended the subscription")),
                Err(_) => break,
            }
        }
        Ok(Held { channel, deliveries, consumer })
    }
}

#[async_trait]
impl Parked for RabbitBroker {
    /// A place is where it stands in the queue; those beyond one look come nearer when others are sent back.
    async fn parked_after(&self, after: u64, max: u32) -> Result<Vec<(u64, ParkedMessage)>> {
        let held = self.hold().await?;
        let message = |delivery: &Delivery| ParkedMessage {
            queue: header(delivery, "queue"),
            why: header(delivery, "why"),
            body: delivery.data.clone(),
        };
        let placed = (1..).zip(&held.deliveries).skip_while(|(place, _)| *place <= after).take(max as usize);
        let parked = placed.map(|(place, delivery)| (place, message(delivery))).collect();
        held.put_back().await?;
        Ok(parked)
    }

    async fn replay(&self, max: u32) -> Result<u32> {
        let mut held = self.hold().await?;
        let mut replayed = 0;
        for delivery in held.deliveries.drain(..).take(max as usize) {
            let queue = ShortString::try_new(header(&delivery, "queue")).map_err(fault)?;
            self.0.lanes.publish(Message::to_queue(queue, delivery.data)).await.map_err(fault)?;
            held.channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await.map_err(fault)?;
            replayed += 1;
        }
        held.put_back().await?;
        Ok(replayed)
    }
}

fn header(delivery: &Delivery, name: &str) -> String {
    let headers = delivery.properties.headers().as_ref();
    match headers.and_then(|headers| headers.inner().get(name)) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        _ => String::new(),
    }
}
