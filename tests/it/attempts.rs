//! The way in, over every adapter.

mod sqlite {
    use std::path::PathBuf;

    use miaosha::adapters::sqlite::queue::SqliteQueue;
    use miaosha::ports::attempts::Attempts;
    use sqlx::Connection;
    use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
    use tempfile::TempDir;

    use crate::contract::attempts::{self, Bench, PARTITIONS};

    struct File(TempDir);

    impl File {
        fn new() -> Self {
            Self(TempDir::new().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("attempts.db")
        }
    }

    impl Bench for File {
        type Queue = SqliteQueue;

        async fn open(&self, messages_max: u64) -> SqliteQueue {
            SqliteQueue::open(&self.path(), PARTITIONS, messages_max).await.unwrap()
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

    /// Rows dealt to other partitions would lose their order.
    #[tokio::test]
    async fn other_partitions_are_refused_while_attempts_wait() {
        let file = File::new();
        let queue = file.open(10).await;
        queue.submit(attempts::batch(1, 1)).await.unwrap();
        drop(queue);
        assert!(SqliteQueue::open(&file.path(), PARTITIONS + 1, 10).await.is_err());
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

mod rabbit {
    use lapin::options::BasicPublishOptions;
    use lapin::{BasicProperties, Connection, ConnectionProperties};
    use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};

    use crate::contract::attempts::{self, Bench, PARTITIONS};
    use crate::support::servers::{rabbit_url, unique_name};

    struct Namespace(String);

    impl Namespace {
        fn new() -> Self {
            Self(unique_name())
        }
    }

    impl Bench for Namespace {
        type Queue = RabbitBroker;

        async fn open(&self, messages_max: u64) -> RabbitBroker {
            let config = RabbitConfig {
                url: rabbit_url(),
                namespace: self.0.clone(),
                partitions: PARTITIONS,
                queue_messages_max: messages_max,
                confirm_ms: 10_000,
            };
            RabbitBroker::connect(config).await.unwrap()
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
}
