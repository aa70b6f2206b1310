//! Attempts: one queue for each partition, durable, bounded, one active consumer.

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::domain::attempt::Batch;
use crate::ports::Result;
use crate::ports::attempts::{Attempts, Shed, partition_of};

/// Batches with a consumer that are not acknowledged: enough to keep it busy, few enough (of at most 9 kB) to keep in memory.
///
/// The order depends on it. What a dead consumer held is given back behind what another gave back before; the next one must
/// take all of it at once, so this may grow from one version to the next while attempts wait, and must not shrink.
const PREFETCH: u16 = 256;

impl Attempts for RabbitBroker {
    type Attempts = RabbitSubscription<Batch>;

    async fn submit(&self, batch: Batch) -> Result<(), Shed> {
        let queue = self.0.topology.attempts(partition_of(batch.sale, self.partitions()));
        self.0.lanes.publish(Message::to_queue(queue, batch.encode()).with_marks(&batch.traced)).await
    }

    fn partitions(&self) -> u16 {
        self.0.topology.partitions
    }

    async fn attempts(&self, partition: u16) -> Result<RabbitSubscription<Batch>> {
        if partition >= self.partitions() {
            return Err(fault(format!("there is no partition {partition}")));
        }
        let queue = Source::Queue(self.0.topology.attempts(partition));
        RabbitSubscription::open(self.0.clone(), queue, PREFETCH, codec::batch).await
    }

    fn is_up(&self) -> bool {
        self.0.lanes.link.is_up()
    }
}
