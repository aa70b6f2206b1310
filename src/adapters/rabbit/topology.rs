//! Every queue and exchange, and why each of their options is not the default. Declaring what is there already changes
//! nothing; declaring it with other options is refused by the broker, and so is the process that tries.
//!
//! Work travels in quorum queues: replicated, and on the disk before they confirm. They have no delivery limit, neither here
//! nor by default before RabbitMQ 4 (there a policy must lift it): whatever outage makes a message come again and again, it
//! must not be dropped in the end.

use lapin::options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, ExchangeKind};

use super::{RabbitConfig, fault};
use crate::ports::Result;
use crate::ports::platform::events::Listener;

/// A queue's name is at most 255 bytes long; this leaves room for our part.
const NAMESPACE_BYTES_MAX: usize = 128;
/// Batches of notices or news that wait for one subscriber.
const BROADCASTS_MAX: i64 = 1_024;
/// Holds of these lengths at most share a queue; the last one takes what is longer. They are few and the same for ever: a queue
/// that is young when its broker crashes may come back without a leader.
pub(super) const HOLD_CLASSES_MS: [i64; 5] = [60_000, 300_000, 600_000, 1_800_000, 86_400_000];
/// Deadlines in one queue: some thousands make a big sale.
const DEADLINES_MAX: i64 = 1_000_000;
/// Messages of events that wait for one listener. When they are more, none is published, and the outbox keeps them.
const EVENTS_MAX: i64 = 1_000_000;
/// Requests of publishers that wait for a payment-consumer, and how long: a publisher that is not answered asks again.
const REQUESTS_MAX: i64 = 10_000;
const REQUEST_MS_MAX: i64 = 10_000;
/// Parked messages. When they are more, the queue they come from stands still until an operator acts.
const PARKED_MAX: i64 = 100_000;

pub(super) struct Topology {
    namespace: String,
    pub(super) partitions: u16,
    queue_messages_max: i64,
}

impl Topology {
    pub(super) fn new(config: &RabbitConfig) -> Result<Self> {
        if config.namespace.len() > NAMESPACE_BYTES_MAX {
            return Err(fault(format!("the namespace is longer than {NAMESPACE_BYTES_MAX} bytes")));
        }
        if config.partitions == 0 {
            return Err(fault("there must be at least one partition"));
        }
        let queue_messages_max = i64::try_from(config.queue_messages_max).map_err(fault)?;
        Ok(Self { namespace: config.namespace.clone(), partitions: config.partitions, queue_messages_max })
    }

    fn name(&self, rest: impl std::fmt::Display) -> ShortString {
        format!("{}.{rest}", self.namespace).into()
    }

    pub(super) fn attempts(&self, partition: u16) -> ShortString {
        self.name(format_args!("attempts.{partition}"))
    }

    /// `class` is one of the hold classes, by its place.
    pub(super) fn deadlines(&self, class: usize) -> ShortString {
        self.name(format_args!("deadlines.{}s", HOLD_CLASSES_MS[class] / 1_000))
    }

    pub(super) fn lapses(&self) -> ShortString {
        self.name("lapses")
    }

    pub(super) fn parked(&self) -> ShortString {
        self.name("parked")
    }

    pub(super) fn notices(&self) -> ShortString {
        self.name("notices")
    }

    pub(super) fn news(&self) -> ShortString {
        self.name("news")
    }

    pub(super) fn news_requests(&self) -> ShortString {
        self.name("news_requests")
    }

    pub(super) fn events(&self) -> ShortString {
        self.name("events")
    }

    pub(super) fn events_of(&self, listener: Listener) -> ShortString {
        self.name(format_args!("events.{}", listener.name()))
    }

    /// The queues that `declare` makes, by their names within the namespace and by their whole ones. Where deadlines wait is none
    /// of them: nothing is late there, and a connection does not depend on it.
    pub(super) fn lasting(&self) -> Vec<(String, ShortString)> {
        let attempts = (0..self.partitions).map(|partition| format!("attempts.{partition}"));
        let events = Listener::ALL.iter().map(|listener| format!("events.{}", listener.name()));
        let others = ["lapses", "news_requests", "parked"].map(str::to_owned);
        let within = attempts.chain(events).chain(others);
        within.map(|name| (name.clone(), self.name(name))).collect()
    }

    /// Everything that does not depend on a sale.
    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        for partition in 0..self.partitions {
            // One consumer at a time: order is per queue, and so are decisions.
            let arguments = [("x-single-active-consumer", AMQPValue::Boolean(true))];
            quorum(channel, self.attempts(partition), self.queue_messages_max, arguments).await?;
        }
        quorum(channel, self.lapses(), DEADLINES_MAX, []).await?;
        quorum(channel, self.parked(), PARKED_MAX, []).await?;
        let short_lived = [("x-message-ttl", AMQPValue::LongLongInt(REQUEST_MS_MAX))];
        quorum(channel, self.news_requests(), REQUESTS_MAX, short_lived).await?;
        for exchange in [self.notices(), self.news()] {
            declare_exchange(channel, exchange, ExchangeKind::Fanout).await?;
        }
        self.declare_events(channel).await
    }

    /// Every publisher declares every listener's queue: what happened before a listener first ran waits for it.
    async fn declare_events(&self, channel: &Channel) -> lapin::Result<()> {
        declare_exchange(channel, self.events(), ExchangeKind::Topic).await?;
        for listener in Listener::ALL {
            let queue = self.events_of(listener);
            quorum(channel, queue.clone(), EVENTS_MAX, []).await?;
            for topic in listener.topics() {
                let (options, arguments) = (QueueBindOptions::default(), FieldTable::default());
                channel.queue_bind(queue.clone(), self.events(), (*topic).into(), options, arguments).await?;
            }
        }
        Ok(())
    }

    /// Where deadlines of one class of holds wait. Only the first message of a queue can expire: holds of one length ring in time,
    /// and a shorter one behind a longer one rings late, when the sweeper was there.
    pub(super) async fn declare_deadlines(&self, channel: &Channel, class: usize) -> lapin::Result<()> {
        let arguments = [
            // The default exchange, which leads to a queue by its name.
            ("x-dead-letter-exchange", AMQPValue::LongString("".into())),
            ("x-dead-letter-routing-key", AMQPValue::LongString(self.lapses().as_str().into())),
            // A message leaves only when the other queue has it. Asks for overflow by reject-publish, which `quorum` sets, and
            // for the feature flag that `check` looks for: else the broker would fall back to losing some, silently.
            ("x-dead-letter-strategy", AMQPValue::LongString("at-least-once".into())),
        ];
        quorum(channel, self.deadlines(class), DEADLINES_MAX, arguments).await
    }

    /// A queue of one subscriber's own.
    pub(super) async fn declare_broadcast(
        &self,
        channel: &Channel,
        exchange: ShortString,
    ) -> lapin::Result<ShortString> {
        // Gone with its subscriber, which reads the truth when it comes back.
        let options = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
        // The oldest is dropped when a subscriber does not keep up: newer messages replace older ones.
        let arguments = table([("x-max-length", AMQPValue::LongLongInt(BROADCASTS_MAX))]);
        let queue = channel.queue_declare("".into(), options, arguments).await?.name().clone();
        let key = ShortString::default();
        channel.queue_bind(queue.clone(), exchange, key, QueueBindOptions::default(), FieldTable::default()).await?;
        Ok(queue)
    }

    /// What the arguments of a declaration cannot say: at-least-once dead lettering needs the feature flag `stream_queue`,
    /// and without it the broker refuses a stream.
    pub(super) async fn check(&self, channel: &Channel) -> Result<()> {
        let name = self.name(format_args!("check.{:016x}", fastrand::u64(..)));
        let arguments = table([("x-queue-type", AMQPValue::LongString("stream".into()))]);
        let declared = channel.queue_declare(name.clone(), QueueDeclareOptions::durable(), arguments).await;
        declared.map_err(|error| fault(format!("the broker has no streams, so deadlines could get lost: {error}")))?;
        channel.queue_delete(name, QueueDeleteOptions::default()).await.map(drop).map_err(fault)
    }
}

/// Durable, so that publishers find it before anything is subscribed, also after the broker's restart.
async fn declare_exchange(channel: &Channel, name: ShortString, kind: ExchangeKind) -> lapin::Result<()> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    channel.exchange_declare(name, kind, options, FieldTable::default()).await
}

async fn quorum<const N: usize>(
    channel: &Channel,
    name: ShortString,
    length_max: i64,
    more: [(&str, AMQPValue); N],
) -> lapin::Result<()> {
    let mut arguments = table(more);
    for (key, value) in [
        ("x-queue-type", AMQPValue::LongString("quorum".into())),
        ("x-max-length", AMQPValue::LongLongInt(length_max)),
        // A full queue refuses what comes; by default it would drop what it has.
        ("x-overflow", AMQPValue::LongString("reject-publish".into())),
    ] {
        arguments.insert(key.into(), value);
    }
    channel.queue_declare(name, QueueDeclareOptions::durable(), arguments).await.map(drop)
}

fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (key, value) in entries {
        table.insert(key.into(), value);
    }
    table
}
