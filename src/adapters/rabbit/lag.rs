//! How many messages wait: asked by declaring passively, which changes nothing and needs no other right than ours.

use async_trait::async_trait;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use super::RabbitBroker;
use crate::ports::Result;
use crate::ports::platform::lag::{Depth, Depths};

#[async_trait]
impl Depths for RabbitBroker {
    async fn depths(&self) -> Result<Vec<Depth>> {
        let queues = self.0.topology.lasting();
        let ask = async |channel: &lapin::Channel| {
            let mut depths = Vec::with_capacity(queues.len());
            for (queue, name) in queues {
                let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
                let found = channel.queue_declare(name, options, FieldTable::default()).await?;
                depths.push(Depth { queue, messages: u64::from(found.message_count()) });
            }
            Ok(depths)
        };
        // Publishers may be kept waiting by the broker; consumers are not.
        Ok(self.0.consuming.line()?.call(ask).await?.1)
    }
}
