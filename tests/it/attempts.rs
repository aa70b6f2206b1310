//! The way in, over every adapter.

mod sqlite {
    use std::path::PathBuf;

    use miaosha::adapters::sqlite_queue::SqliteQueue;
    use miaosha::kit::work::lifecycle::Lifecycle;
    use miaosha::ports::sale::attempts::Attempts;
    use sqlx::Connection;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use tempfile::TempDir;

    use crate::contract::attempts::{self, Fixture, PARTITIONS};

    struct File(TempDir);

    impl File {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("attempts.db")
        }
    }

    impl Fixture for File {
        type Queue = SqliteQueue;

        async fn open(&self, messages_max: u64) -> SqliteQueue {
            SqliteQueue::open(&self.path(), PARTITIONS, messages_max, Lifecycle::new().tasks()).await.unwrap()
        }

        async fn plant(&self, partition: u16, body: &[u8]) {
            let options = SqliteConnectOptions::new().filename(self.path());
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            let query = sqlx::query("INSERT INTO attempts (part, body) VALUES (?, ?)").bind(partition).bind(body);
            query.execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    }

    #[tokio::test]
    async fn keeps_order() {
        attempts::keeps_order(&File::new()).await;
    }

    #[tokio::test]
    async fn takes_a_crowd() {
        attempts::takes_a_crowd(&File::new()).await;
    }

    #[tokio::test]
    async fn dropped_comes_again_in_order() {
        attempts::dropped_comes_again_in_order(&File::new()).await;
    }

    #[tokio::test]
    async fn order_outlives_many_subscribers() {
        attempts::order_outlives_many_subscribers(&File::new()).await;
    }

    #[tokio::test]
    async fn one_subscriber_is_active() {
        attempts::one_subscriber_is_active(&File::new()).await;
    }

    #[tokio::test]
    async fn is_bounded() {
        attempts::is_bounded(&File::new()).await;
    }

    #[tokio::test]
    async fn outlives_a_restart() {
        attempts::outlives_a_restart(&File::new()).await;
    }

    #[tokio::test]
    async fn parks_what_it_cannot_read() {
        attempts::parks_what_it_cannot_read(&File::new()).await;
    }

    #[tokio::test]
    async fn says_how_many_wait() {
        attempts::says_how_many_wait(&File::new()).await;
    }

    /// Rows dealt to other partitions would lose their order.
    #[tokio::test]
    async fn other_partitions_are_refused_while_attempts_wait() {
        let file = File::new();
        let queue = file.open(10).await;
        queue.submit(attempts::batch(1, 1)).await.unwrap();
        drop(queue);
        assert!(SqliteQueue::open(&file.path(), PARTITIONS + 1, 10, Lifecycle::new().tasks()).await.is_err());
    }

    /// The bound holds over a restart: it counts rows, not what this process took.
    #[tokio::test]
    async fn rows_that_were_there_count() {
        let file = File::new();
        let queue = file.open(1).await;
        queue.submit(attempts::batch(1, 1)).await.unwrap();
        drop(queue);
        assert!(file.open(1).await.submit(attempts::batch(1, 2)).await.is_err());
    }
}

#[cfg(feature = "servers")]
mod rabbit {
    use lapin::options::BasicPublishOptions;
    use lapin::{BasicProperties, Connection, ConnectionProperties};
    use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
    use miaosha::domain::shared::id::SaleId;
    use miaosha::kit::work::lifecycle::Lifecycle;
    use miaosha::ports::sale::attempts::{Attempts, Shed, partition_of};
    use miaosha::ports::sale::notices::Notices;

    use crate::contract::attempts::{self, Fixture, PARTITIONS, batch, patiently, until};
    use crate::contract::signals::{notice, told};
    use crate::support::proxy::Proxy;
    use crate::support::servers::{rabbit_url, unique_name};

    struct Namespace(String);

    impl Namespace {
        fn new() -> Self {
            Self(unique_name())
        }

        /// A broker at the far end of a proxy, which is given up after two seconds of silence.
        async fn far(&self, confirm_ms: u64) -> (Proxy, RabbitBroker) {
            let url = rabbit_url();
            let (before, rest) = url.split_once('@').unwrap();
            let (server, vhost) = rest.split_once('/').unwrap();
            let proxy = Proxy::to(server.to_owned()).await;
            let config = RabbitConfig {
                at: format!("{before}@127.0.0.1:{}/{vhost}?heartbeat=1", proxy.port).into(),
                namespace: self.0.clone(),
                partitions: PARTITIONS,
                queue_messages_max: 1_000,
                confirm_ms,
            };
            (proxy, RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap())
        }
    }

    impl Fixture for Namespace {
        type Queue = RabbitBroker;

        async fn open(&self, messages_max: u64) -> RabbitBroker {
            let config = RabbitConfig {
                at: rabbit_url().into(),
                namespace: self.0.clone(),
                partitions: PARTITIONS,
                queue_messages_max: messages_max,
                confirm_ms: 10_000,
            };
            RabbitBroker::connect(config, Lifecycle::new().tasks()).await.unwrap()
        }

        async fn plant(&self, partition: u16, body: &[u8]) {
            let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(Default::default()).await.unwrap();
            let queue = format!("{}.attempts.{partition}", self.0);
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            let confirm = channel.basic_publish("".into(), queue.into(), options, body, properties).await.unwrap();
            assert!(confirm.await.unwrap().is_ack());
            connection.close(200, "planted".into()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn keeps_order() {
        attempts::keeps_order(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn takes_a_crowd() {
        attempts::takes_a_crowd(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn dropped_comes_again_in_order() {
        attempts::dropped_comes_again_in_order(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn order_outlives_many_subscribers() {
        attempts::order_outlives_many_subscribers(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn one_subscriber_is_active() {
        attempts::one_subscriber_is_active(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn is_bounded() {
        attempts::is_bounded(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn outlives_a_restart() {
        attempts::outlives_a_restart(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn parks_what_it_cannot_read() {
        attempts::parks_what_it_cannot_read(&Namespace::new()).await;
    }

    #[tokio::test]
    async fn says_how_many_wait() {
        attempts::says_how_many_wait(&Namespace::new()).await;
    }

    /// A cut connection: subscribers are told, submits are refused at once or taken, and afterwards everything goes on with
    /// what was not acknowledged, in order.
    #[tokio::test]
    async fn outlives_a_cut() {
        let (proxy, queue) = Namespace::new().far(10_000).await;
        let partition = partition_of(SaleId(1), PARTITIONS);
        for number in 0..4 {
            queue.submit(batch(1, number)).await.unwrap();
        }
        let mut subscription = queue.attempts(partition).await.unwrap();
        let mut stream = queue.notices().await.unwrap();
        let mut deliveries = attempts::take(&mut subscription, 3).await;
        deliveries.remove(0).ack().await.unwrap();
        // The acknowledgement is on its way; another subscriber's answer comes after it.
        queue.notices().await.unwrap();
        proxy.close();
        until(async || !queue.is_up()).await;
        assert!(matches!(queue.submit(batch(1, 9)).await, Err(Shed::Away(_))));
        assert!(patiently(stream.next()).await.is_err());
        while patiently(subscription.next(9)).await.is_ok() {}
        assert!(queue.attempts(partition).await.is_err());
        proxy.open();
        until(async || queue.is_up() && queue.tell(&[]).await.is_ok()).await;
        queue.submit(batch(1, 4)).await.unwrap();
        let mut subscription = attempts::subscribe(&queue, partition).await;
        let deliveries = attempts::take(&mut subscription, 4).await;
        assert_eq!(attempts::seen(&deliveries), [1, 2, 3, 4]);
        let mut stream = queue.notices().await.unwrap();
        queue.tell(&[notice(1)]).await.unwrap();
        assert_eq!(patiently(told(&mut stream)).await.unwrap(), [notice(1)]);
    }

    /// A connection that swallows everything: no caller waits for ever, and it is given up.
    #[tokio::test]
    async fn outlives_a_black_hole() {
        let (proxy, queue) = Namespace::new().far(200).await;
        queue.submit(batch(1, 0)).await.unwrap();
        let mut subscription = queue.attempts(partition_of(SaleId(1), PARTITIONS)).await.unwrap();
        proxy.hole(true);
        assert_eq!(patiently(queue.submit(batch(1, 1))).await, Err(Shed::Slow));
        until(async || !queue.is_up()).await;
        assert!(matches!(queue.submit(batch(1, 1)).await, Err(Shed::Away(_))));
        while patiently(subscription.next(9)).await.is_ok() {}
        drop(subscription);
        // What is still under way must not arrive when the way is free again.
        proxy.cut();
        proxy.hole(false);
        until(async || queue.submit(batch(1, 2)).await.is_ok()).await;
        let mut subscription = attempts::subscribe(&queue, partition_of(SaleId(1), PARTITIONS)).await;
        let deliveries = attempts::take(&mut subscription, 2).await;
        assert_eq!(attempts::seen(&deliveries), [0, 2]);
    }

    /// A queue that was deleted is an error, never a 202; then it is made again.
    #[tokio::test]
    async fn a_missing_queue_is_noticed_and_made_again() {
        let namespace = Namespace::new();
        let queue = namespace.open(10).await;
        queue.submit(batch(1, 0)).await.unwrap();
        let connection = Connection::connect(&rabbit_url(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let name = format!("{}.attempts.{}", namespace.0, partition_of(SaleId(1), PARTITIONS));
        channel.queue_delete(name.into(), Default::default()).await.unwrap();
        assert!(matches!(patiently(queue.submit(batch(1, 1))).await, Err(Shed::Away(_))));
        until(async || queue.submit(batch(1, 2)).await.is_ok()).await;
    }
}
