//! Attempts: one queue for each partition, durable, bounded, one active consumer.

use async_trait::async_trait;

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::domain::sale::attempt::Batch;
use crate::ports::sale::attempts::{Attempts, Shed, partition_of};
use crate::ports::{Result, Subscription};

/// Batches with a consumer that are not acknowledged: enough to keep it busy, few enough (of at most 9 kB) to keep in memory.
///
/// The order depends on it. What a crashed consumer held is given back behind what another gave back before; the next one must
/// take all of it at once, so this may grow from one version to the next while attempts wait, and must not shrink.
const PREFETCH: u16 = 256;

#[async_trait]
impl Attempts for RabbitBroker {
    async fn submit(&self, batch: Batch) -> Result<(), Shed> {
        let queue = self.0.topology.attempts(partition_of(batch.sale, self.partitions()));
        self.0
            .lanes
            .publish(Message::to_queue(queue, batch.encode()).with_marks(&batch.traced))
            .await
            .map_err(Shed::from)
    }

    fn partitions(&self) -> u16 {
        self.0.topology.partitions
    }

    async fn attempts(&self, partition: u16) -> Result<Box<dyn Subscription<Batch>>> {
        if partition >= self.partitions() {
            return Err(fault(format!("there is no partition {partition}")));
        }
        let queue = Source::Queue(self.0.topology.attempts(partition));
        Ok(Box::new(RabbitSubscription::open(self.0.clone(), queue, PREFETCH, codec::batch).await?))
    }

    fn is_up(&self) -> bool {
        self.0.lanes.link.is_up()
    }
}
