//! Limits that only a server meets, each at its edge.

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::kit::work::lifecycle::Lifecycle;

use crate::support::servers::{rabbit_url, unique_name};

#[tokio::test]
async fn a_namespace_has_its_length() {
    let connect = async |bytes: usize| {
        let unique = unique_name();
        let namespace = format!("{unique}{}", "n".repeat(bytes - unique.len()));
        let config = RabbitConfig {
            at: rabbit_url().into(),
            namespace,
            partitions: 1,
            queue_messages_max: 10,
            confirm_ms: 10_000,
        };
        RabbitBroker::connect(config, Lifecycle::new().tasks()).await.map(|_| ())
    };
    connect(128).await.unwrap();
    assert!(connect(129).await.unwrap_err().to_string().contains("the namespace is longer than 128 bytes"));
}
