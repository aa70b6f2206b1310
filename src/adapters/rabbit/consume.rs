//! Consuming: a channel for each subscription, which ends with it. Acknowledgements are gathered and sent by a task that
//! also closes the channel; closing is the only way in which anything is given back.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Consumer};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::codec::{Traced, Unreadable};
use super::metric::Metric;
use super::publish::{Message, TRACES, TRACES_BYTES_MAX};
use super::{CALL, Shared, fault};
use crate::domain::shared::trace::{Mark, read_marks};
use crate::ports::{Delivery, Fault, Result, Subscription};

/// Acknowledgements sent together, at most.
const ACKS_MAX: usize = 1_024;

pub(super) enum Source {
    /// Work, shared with others. What cannot be decoded is parked.
    Queue(ShortString),
    /// Word to everybody. What cannot be decoded is dropped, and counted.
    Broadcast(ShortString),
}

pub struct RabbitSubscription<B> {
    broker: Arc<Shared>,
    queue: ShortString,
    parks: bool,
    decode: fn(&[u8]) -> Result<B, Unreadable>,
    consumer: Consumer,
    /// Received, and neither handed out nor settled.
    held: Option<lapin::message::Delivery>,
    lease: Arc<Lease>,
}

/// What a subscription shares with its deliveries.
struct Lease {
    /// Not bounded by itself: the prefetch bounds what can be acknowledged.
    acks: UnboundedSender<u64>,
    over: CancellationToken,
}

impl<B: Traced + Send + Sync + 'static> RabbitSubscription<B> {
    pub(super) async fn open(
        broker: Arc<Shared>,
        source: Source,
        prefetch: u16,
        decode: fn(&[u8]) -> Result<B, Unreadable>,
    ) -> Result<Self> {
        let line = broker.consuming.line()?;
        let parks = matches!(source, Source::Queue(_));
        let consume = async |channel: &Channel| {
            let queue = match source {
                Source::Queue(queue) => queue,
                Source::Broadcast(exchange) => broker.topology.declare_broadcast(channel, exchange).await?,
            };
            channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
            let (tag, options) = (ShortString::default(), BasicConsumeOptions::default());
            let consumer = channel.basic_consume(queue.clone(), tag, options, FieldTable::default()).await?;
            Ok((queue, consumer))
        };
        let (channel, (queue, consumer)) = line.call(consume).await?;
        let (acks, tags) = unbounded_channel();
        let over = CancellationToken::new();
        let settles = settle(channel, consumer.clone(), tags, over.clone());
        broker.tasks.detach("broker.acks", Box::pin(settles));
        Ok(Self { broker, queue, parks, decode, consumer, held: None, lease: Arc::new(Lease { acks, over }) })
    }

    /// The next message, or `None` when none is ready and we need not wait.
    async fn receive(&mut self, wait: bool) -> Result<Option<lapin::message::Delivery>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let received = if wait {
            tokio::select! {
                biased;
                () = self.lease.over.cancelled() => return Err(over()),
                received = self.consumer.next() => received,
            }
        } else {
            match self.consumer.next().now_or_never() {
                Some(received) => received,
                None => return Ok(None),
            }
        };
        match received {
            Some(Ok(delivery)) => Ok(Some(delivery)),
            Some(Err(error)) => Err(fault(error)),
            None => Err(fault("the broker ended the subscription")),
        }
    }

    /// Out of the way of the others. Nothing is lost when this fails or is given up half-way: it is done again.
    async fn set_aside(&mut self, delivery: lapin::message::Delivery, why: &str) -> Result<()> {
        let (tag, body) = (delivery.delivery_tag, delivery.data.clone());
        self.held = Some(delivery);
        if self.parks {
            let message = Message::to_queue(self.broker.topology.parked(), body);
            let message = message.with_headers([("queue", self.queue.as_str()), ("why", why)]);
            self.broker.lanes.publish(message).await.map_err(fault)?;
        }
        self.held = None;
        tracing::error!(queue = self.queue.as_str(), parked = self.parks, why, "a message cannot be decoded");
        metrics::counter!(Metric::Undecodable.name(), "parked" => self.parks.to_string()).increment(1);
        self.lease.acks.send(tag).map_err(|_| over())
    }

    async fn take(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<B>>>> {
        let mut taken: Vec<Box<dyn Delivery<B>>> = Vec::new();
        while taken.len() < max.max(1) {
            let received = match self.receive(taken.is_empty()).await {
                Ok(received) => received,
                // What was taken before it is handed out; the next call finds the same end.
                Err(_) if !taken.is_empty() => break,
                Err(error) => return Err(error),
            };
            let Some(delivery) = received else { break };
            match (self.decode)(&delivery.data) {
                Ok(mut body) => {
                    if let Some(marks) = marks(&delivery.properties) {
                        body.trace(marks);
                    }
                    let (tag, lease) = (delivery.delivery_tag, self.lease.clone());
                    taken.push(Box::new(RabbitDelivery { body, tag, lease, done: false }));
                }
                Err(_) if !taken.is_empty() => {
                    self.held = Some(delivery);
                    break;
                }
                Err(why) => self.set_aside(delivery, &why).await?,
            }
        }
        Ok(taken)
    }
}

#[async_trait]
impl<B: Traced + Send + Sync + 'static> Subscription<B> for RabbitSubscription<B> {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<B>>>> {
        if self.lease.over.is_cancelled() {
            return Err(over());
        }
        let taken = self.take(max).await;
        if taken.is_err() {
            self.lease.over.cancel();
        }
        taken
    }
}

impl<B> Drop for RabbitSubscription<B> {
    fn drop(&mut self) {
        self.lease.over.cancel();
    }
}

pub struct RabbitDelivery<B> {
    body: B,
    tag: u64,
    lease: Arc<Lease>,
    done: bool,
}

#[async_trait]
impl<B: Send + Sync + 'static> Delivery<B> for RabbitDelivery<B> {
    fn body(&self) -> &B {
        &self.body
    }

    /// On its way to the broker when this returns; where it gets lost, the message comes again.
    async fn ack(mut self: Box<Self>) -> Result<()> {
        self.done = true;
        self.lease.acks.send(self.tag).map_err(|_| over())
    }
}

impl<B> Drop for RabbitDelivery<B> {
    fn drop(&mut self) {
        if !self.done {
            self.lease.over.cancel();
        }
    }
}

/// What is traced of a message's body, if anything is.
fn marks(properties: &BasicProperties) -> Option<Vec<Mark>> {
    match properties.headers().as_ref()?.inner().get(TRACES)? {
        AMQPValue::LongString(text) if text.len() <= TRACES_BYTES_MAX => {
            Some(read_marks(std::str::from_utf8(text.as_bytes()).ok()?))
        }
        _ => None,
    }
}

fn over() -> Fault {
    fault("the subscription is over: what was not acknowledged comes again")
}

/// Sends acknowledgements until the subscription is over, and closes its channel. When this breaks, the subscription is over, too.
async fn settle(channel: Channel, consumer: Consumer, mut tags: UnboundedReceiver<u64>, over: CancellationToken) {
    let _ends = over.clone().drop_guard();
    let mut settled = Settled::default();
    let mut acks = Vec::with_capacity(ACKS_MAX);
    loop {
        tokio::select! {
            () = over.cancelled() => break,
            count = take(&mut tags, &mut acks) => {
                if count == 0 || send(&channel, settled.add(&mut acks)).await.is_err() {
                    break;
                }
            }
        }
    }
    over.cancel();
    tags.close();
    while take(&mut tags, &mut acks).await > 0 {}
    let _ = send(&channel, settled.add(&mut acks)).await;
    let _ = timeout(CALL, channel.close(200, "done".into())).await;
    // Last: a consumer that is dropped while its channel is open is cancelled, and the queue would go on to the next one
    // while we still hold messages.
    drop(consumer);
}

/// How many came; none when no more will.
async fn take(tags: &mut UnboundedReceiver<u64>, acks: &mut Vec<u64>) -> usize {
    tags.recv_many(acks, ACKS_MAX).await
}

async fn send(channel: &Channel, (all_to, each): (Option<u64>, Vec<u64>)) -> lapin::Result<()> {
    if let Some(tag) = all_to {
        channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
    }
    for tag in each {
        channel.basic_ack(tag, BasicAckOptions { multiple: false }).await?;
    }
    Ok(())
}

/// Which tags are settled: all up to one, and some beyond it.
#[derive(Default)]
struct Settled {
    all_to: u64,
    beyond: BTreeSet<u64>,
}

impl Settled {
    /// What to tell the broker of these: all up to a tag at once, and the others each. Leaves `tags` empty. The tag named is
    /// always a new one, for the broker does not know those it was told of.
    fn add(&mut self, tags: &mut Vec<u64>) -> (Option<u64>, Vec<u64>) {
        self.beyond.extend(tags.iter());
        while self.beyond.remove(&(self.all_to + 1)) {
            self.all_to += 1;
        }
        let (upto, each): (Vec<u64>, Vec<u64>) = tags.drain(..).partition(|tag| *tag <= self.all_to);
        (upto.into_iter().max(), each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_up_to_their_length() {
        let is_read = |bytes: usize| {
            let mut table = FieldTable::default();
            table.insert(TRACES.into(), AMQPValue::LongString("x".repeat(bytes).into()));
            marks(&BasicProperties::default().with_headers(table)).is_some()
        };
        assert!(is_read(6_400));
        assert!(!is_read(6_401));
    }

    #[tokio::test]
    async fn so_many_acknowledgements_are_sent_together() {
        for (come, taken) in [(1_024, vec![1_024]), (1_025, vec![1_024, 1])] {
            let (sender, mut tags) = tokio::sync::mpsc::unbounded_channel();
            (0..come).for_each(|tag| sender.send(tag).unwrap());
            for count in taken {
                assert_eq!(take(&mut tags, &mut Vec::new()).await, count, "of {come}");
            }
        }
    }

    #[test]
    fn runs_are_told_at_once_and_gaps_are_waited_for() {
        let mut settled = Settled::default();
        assert_eq!(settled.add(&mut vec![2, 1]), (Some(2), vec![]));
        assert_eq!(settled.add(&mut vec![5, 4]), (None, vec![5, 4]));
        assert_eq!(settled.add(&mut vec![3]), (Some(3), vec![]), "4 and 5 are told, and must not be named again");
        assert_eq!(settled.add(&mut vec![8, 6]), (Some(6), vec![8]));
        assert_eq!(settled.add(&mut vec![]), (None, vec![]));
        assert_eq!(settled.add(&mut vec![7, 9]), (Some(9), vec![]));
    }
}
