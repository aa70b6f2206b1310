//! Attempts on their way from publishers to consumers: durable, bounded, partitioned by sale, in order within a partition.

use async_trait::async_trait;

use crate::domain::sale::attempt::Batch;
use crate::domain::shared::id::SaleId;
use crate::ports::{Result, Subscription};

/// Why a batch was not taken. Nothing was promised; the buyer may come again, and a second try is harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Shed {
    #[error("the queue is full")]
    Full,
    #[error("the broker does not answer: {0}")]
    Away(String),
    /// It may or may not have been taken.
    #[error("the broker was too slow to confirm")]
    Slow,
}

impl Shed {
    pub fn name(&self) -> &'static str {
        match self {
            Shed::Full => "full",
            Shed::Away(_) => "away",
            Shed::Slow => "slow",
        }
    }
}

#[async_trait]
pub trait Attempts: Send + Sync + 'static {
    /// Durable when this returns.
    async fn submit(&self, batch: Batch) -> Result<(), Shed>;

    fn partitions(&self) -> u16;

    /// One subscriber of a partition is active at a time; others wait behind it. What cannot be decoded is parked on the way.
    async fn attempts(&self, partition: u16) -> Result<Box<dyn Subscription<Batch>>>;

    /// Whether attempts can be submitted at this moment.
    fn is_up(&self) -> bool;
}

/// Which partition a sale's attempts travel in.
pub fn partition_of(sale: SaleId, partitions: u16) -> u16 {
    (sale.0 % u64::from(partitions)) as u16
}
