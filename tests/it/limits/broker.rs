//! How much RabbitMQ keeps of what, and how much is said and looked at in one message or call: by a broker of ours.

use futures_util::future::join_all;
use lapin::options::{BasicPublishOptions, QueueBindOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::platform::parked::Parked;
use miaosha::ports::sale::attempts::Attempts;
use miaosha::ports::sale::notices::{NoticeItem, Notices};

use crate::contract::signals::notice;
use crate::support::held::settle;
use crate::support::proxy::by_proxy;
use crate::support::servers::{rabbit_url, unique_name};

struct Fixture {
    broker: RabbitBroker,
    namespace: String,
    connection: Connection,
}

impl Fixture {
    async fn new() -> Self {
        Self::at(rabbit_url()).await
    }

    async fn at(url: String) -> Self {
        let namespace = unique_name();
        let config = RabbitConfig {
            at: url.into(),
            namespace: namespace.clone(),
            partitions: 1,
            queue_messages_max: 10_000,
            confirm_ms: 60_000,
        };
        let broker = RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap();
        let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
        Self { broker, namespace, connection }
    }

    async fn channel(&self) -> Channel {
        self.connection.create_channel().await.unwrap()
    }

    fn name(&self, rest: &str) -> String {
        format!("{}.{rest}", self.namespace)
    }

    async fn count(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let found = self.channel().await.queue_declare(self.name(queue).into(), passive, FieldTable::default()).await;
        found.unwrap().message_count()
    }
}

/// A queue that is there is declared once more only as what it is.
#[tokio::test]
async fn queues_are_as_long_as_they_may_be() {
    let fixture = Fixture::new().await;
    let queues = [("attempts.0", 10_000), ("lapses", 1_000_000), ("parked", 100_000), ("events.mail", 1_000_000)];
    for (queue, length_max) in queues {
        for (more, is_it) in [(0, true), (1, false), (-1, false)] {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
            arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(length_max + more));
            if queue == "attempts.0" {
                arguments.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
            }
            let (channel, name) = (fixture.channel().await, fixture.name(queue));
            let declared = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await;
            assert_eq!(declared.is_ok(), is_it, "{queue}: {more}");
        }
    }
}

/// The broker refuses the same queue with other options.
#[tokio::test]
async fn so_many_requests_for_news_wait_so_long() {
    let fixture = Fixture::new().await;
    let limits = [(10_000, 10_000), (10_001, 10_000), (9_999, 10_000), (10_000, 10_001), (10_000, 9_999)];
    for (length_max, ms_max) in limits {
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
        arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
        arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(length_max));
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(ms_max));
        let (channel, name) = (fixture.channel().await, fixture.name("news_requests"));
        let declared = channel.queue_declare(name.into(), QueueDeclareOptions::durable(), arguments).await;
        assert_eq!(declared.is_ok(), (length_max, ms_max) == (10_000, 10_000), "{length_max}, {ms_max} ms");
    }
}

#[tokio::test]
async fn a_message_tells_so_many_notices() {
    for (notices, messages) in [(256, 1), (257, 2)] {
        let fixture = Fixture::new().await;
        let channel = fixture.channel().await;
        let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
        let queue = channel.queue_declare("".into(), options, FieldTable::default()).await.unwrap().name().clone();
        let (exchange, options) = (fixture.name("notices"), QueueBindOptions::default());
        channel.queue_bind(queue.clone(), exchange.into(), "".into(), options, FieldTable::default()).await.unwrap();
        let told: Vec<_> = (0..notices).map(notice).collect();
        fixture.broker.tell(&told).await.unwrap();
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let found = channel.queue_declare(queue, passive, FieldTable::default()).await.unwrap();
        assert_eq!(found.message_count(), messages, "{notices} notices");
    }
}

/// Of those that wait in the queue; as many as the listener was sent already are its own.
#[tokio::test]
async fn so_many_broadcasts_wait_for_a_listener() {
    const SENT: u64 = 64;
    for (waiting, kept) in [(1_024, 1_024), (1_025, 1_024)] {
        let fixture = Fixture::new().await;
        let mut stream = fixture.broker.notices().await.unwrap();
        for number in 0..SENT + waiting {
            fixture.broker.tell(&[notice(number)]).await.unwrap();
        }
        let mut heard = 0;
        while heard < SENT + kept {
            if let NoticeItem::Notices(notices) = stream.next().await.unwrap() {
                heard += notices.len() as u64;
            }
        }
        // After all of them, so that nothing more is on its way.
        fixture.broker.tell(&[notice(u64::MAX)]).await.unwrap();
        loop {
            if let NoticeItem::Notices(notices) = stream.next().await.unwrap() {
                assert_eq!(notices, [notice(u64::MAX)], "more were kept");
                break;
            }
        }
    }
}

#[tokio::test]
async fn so_many_parked_messages_are_looked_at() {
    let fixture = Fixture::new().await;
    let channel = fixture.channel().await;
    channel.confirm_select(Default::default()).await.unwrap();
    for (more, seen) in [(10_000, 10_000), (1, 10_000)] {
        let mut sent = Vec::new();
        for _ in 0..more {
            let (queue, options) = (fixture.name("parked"), BasicPublishOptions::default());
            sent.push(channel.basic_publish("".into(), queue.into(), options, b"x", BasicProperties::default()).await);
        }
        for confirm in sent {
            confirm.unwrap().await.unwrap();
        }
        assert_eq!(fixture.broker.parked(20_000).await.unwrap().len(), seen);
    }
}

/// On each of four lanes, while the broker's confirms are late.
#[tokio::test]
async fn so_many_messages_are_on_their_way_at_once() {
    let (url, proxy) = by_proxy(&rabbit_url()).await;
    let fixture = Fixture::at(url).await;
    proxy.mute(true);
    let submits = tokio::spawn({
        let broker = fixture.broker.clone();
        async move { join_all((0..4 * 513).map(|number| broker.submit(batch(number)))).await }
    });
    let all_come = async {
        while fixture.count("attempts.0").await < 4 * 512 {
            settle().await;
        }
    };
    all_come.await;
    for _ in 0..10 {
        settle().await;
    }
    assert_eq!(fixture.count("attempts.0").await, 4 * 512, "at once");
    proxy.mute(false);
    assert!(submits.await.unwrap().iter().all(Result::is_ok));
    assert_eq!(fixture.count("attempts.0").await, 4 * 513);
}

fn batch(number: u64) -> Batch {
    let attempts = vec![Attempt { buyer: BuyerId(number), quantity: 1, waits: true }];
    Batch { id: BatchId::new(1, number), sale: SaleId(1), attempts, traced: Vec::new() }
}
