//! Events on their way out, over every adapter.

/// Every test of the suite over one adapter.
macro_rules! suite {
    ($fixture:ident: $($test:ident)*) => {
        $(#[tokio::test]
        async fn $test() {
            crate::contract::events::$test(&$fixture::new()).await;
        })*
    };
    ($fixture:ident) => {
        crate::events::suite! { $fixture:
            each_listener_hears_its_topics
            a_subscriber_who_waits_is_woken
            dropped_comes_again
            one_of_many_that_is_dropped_comes_again
            subscribers_share
            published_again_is_the_same
            a_reservations_events_keep_their_order
            outlives_a_restart
            parks_what_it_cannot_read
            more_than_we_know_is_read
        }
    };
}
use suite;

mod sqlite {
    use std::path::PathBuf;

    use miaosha::adapters::sqlite_queue::SqliteQueue;
    use miaosha::kit::work::lifecycle::Lifecycle;
    use miaosha::ports::platform::events::{Events, Listener};
    use sqlx::Connection;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use tempfile::TempDir;

    use crate::contract::attempts::{patiently, until};
    use crate::contract::events::{Fixture, event, events};

    struct File(TempDir);

    impl File {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("queue.db")
        }

        async fn connection(&self) -> SqliteConnection {
            SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(self.path())).await.unwrap()
        }

        async fn rows(&self) -> i64 {
            sqlx::query_scalar("SELECT count(*) FROM events").fetch_one(&mut self.connection().await).await.unwrap()
        }
    }

    impl Fixture for File {
        type Queue = SqliteQueue;

        async fn open(&self) -> SqliteQueue {
            SqliteQueue::open(&self.path(), 2, 100, Lifecycle::new().tasks()).await.unwrap()
        }

        async fn plant(&self, listener: Listener, body: &[u8]) {
            let mut connection = self.connection().await;
            let event = getrandom::u64().unwrap().to_be_bytes().to_vec();
            let query = sqlx::query("INSERT INTO events (listener, event, body) VALUES (?, ?, ?)");
            query.bind(listener.name()).bind(event).bind(body).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    super::suite!(File);

    /// While an event waits it is there once for each listener; acknowledged, its row is gone.
    #[tokio::test]
    async fn rows_are_one_for_each_listener_and_go() {
        let file = File::new();
        let queue = file.open().await;
        queue.publish_events(&events(0..10)).await.unwrap();
        queue.publish_events(&events(0..10)).await.unwrap();
        assert_eq!(file.rows().await, 10 + 4);
        for listener in Listener::ALL {
            let mut subscription = queue.events(listener).await.unwrap();
            let deliveries = patiently(subscription.next(99)).await.unwrap();
            for delivery in deliveries {
                delivery.ack().await.unwrap();
            }
        }
        until(async || file.rows().await == 0).await;
        queue.publish_events(&[event(3)]).await.unwrap();
        assert_eq!(
            file.rows().await,
            1,
            "published after it was done with, it comes again: who listens knows it by its id"
        );
    }
}

#[cfg(feature = "servers")]
mod rabbit {
    use lapin::options::{BasicPublishOptions, QueueDeclareOptions};
    use lapin::types::FieldTable;
    use lapin::{BasicProperties, Connection, ConnectionProperties};
    use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
    use miaosha::kit::work::lifecycle::Lifecycle;
    use miaosha::ports::platform::events::{Events, Listener};

    use crate::contract::attempts::{patiently, until};
    use crate::contract::events::{Fixture, event, events};
    use crate::support::proxy::Proxy;
    use crate::support::servers::{rabbit_url, unique_name};

    struct Namespace(String);

    impl Namespace {
        fn new() -> Self {
            Self(unique_name())
        }

        async fn at(&self, url: String) -> RabbitBroker {
            let config = RabbitConfig {
                at: url.into(),
                namespace: self.0.clone(),
                partitions: 1,
                queue_messages_max: 100,
                confirm_ms: 10_000,
            };
            RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap()
        }
    }

    impl Fixture for Namespace {
        type Queue = RabbitBroker;

        async fn open(&self) -> RabbitBroker {
            self.at(rabbit_url()).await
        }

        async fn plant(&self, listener: Listener, body: &[u8]) {
            let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(Default::default()).await.unwrap();
            let queue = format!("{}.events.{}", self.0, listener.name());
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            let confirm = channel.basic_publish("".into(), queue.into(), options, body, properties).await.unwrap();
            assert!(confirm.await.unwrap().is_ack());
            connection.close(200, "planted".into()).await.unwrap();
        }
    }

    super::suite!(Namespace);

    #[tokio::test]
    async fn so_many_events_of_a_topic_share_a_message() {
        let namespace = Namespace::new();
        let broker = namespace.open().await;
        let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let queue = format!("{}.events.{}", namespace.0, Listener::Mail.name());
        let mut expected = 0;
        // Of each topic in turn, and of one alone.
        for (events, messages) in [(events(0..5), 5), (events(0..160), 5), (events(0..165), 10)] {
            broker.publish_events(&events).await.unwrap();
            expected += messages;
            let is_there = async || {
                let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
                let found = channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await.unwrap();
                found.message_count() == expected
            };
            until(is_there).await;
        }
        connection.close(200, "counted".into()).await.unwrap();
    }

    /// While the broker is away nothing counts as published, and subscribers are told; then all goes on.
    #[tokio::test]
    async fn outlives_a_cut() {
        let url = rabbit_url();
        let (before, rest) = url.split_once('@').unwrap();
        let (server, vhost) = rest.split_once('/').unwrap();
        let proxy = Proxy::to(server.to_owned()).await;
        let broker = Namespace::new().at(format!("{before}@127.0.0.1:{}/{vhost}?heartbeat=1", proxy.port)).await;
        broker.publish_events(&events(0..3)).await.unwrap();
        let mut subscription = broker.events(Listener::Mail).await.unwrap();
        proxy.close();
        while patiently(subscription.next(9)).await.is_ok() {}
        until(async || broker.publish_events(&[event(3)]).await.is_err()).await;
        proxy.open();
        until(async || broker.publish_events(&[event(4)]).await.is_ok()).await;
        let mut subscription = None;
        until(async || broker.events(Listener::Mail).await.is_ok()).await;
        let subscription = subscription.insert(broker.events(Listener::Mail).await.unwrap());
        let mut seen = std::collections::BTreeSet::new();
        while ![0, 1, 2, 4].iter().all(|&number| seen.contains(&event(number).id)) {
            for delivery in patiently(subscription.next(9)).await.unwrap() {
                seen.insert(delivery.body().id);
                delivery.ack().await.unwrap();
            }
        }
    }

    /// Without its queues the exchange has nowhere to lead: that is no success.
    #[tokio::test]
    async fn what_reaches_no_queue_is_not_published() {
        let namespace = Namespace::new();
        let broker = namespace.open().await;
        let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        for listener in Listener::ALL {
            let queue = format!("{}.events.{}", namespace.0, listener.name());
            channel.queue_delete(queue.into(), Default::default()).await.unwrap();
        }
        patiently(broker.publish_events(&[event(0)])).await.unwrap_err();
        until(async || broker.publish_events(&[event(0)]).await.is_ok()).await;
    }
}
