//! How far the shop is behind: what alerts an operator. Nothing is decided by it.

use async_trait::async_trait;

use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// The oldest of each kind of work that the ledger knows to be left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lags {
    /// When the first hold ends, or ended.
    pub lapses_at: Option<Timestamp>,
    /// Since when units of an ended reservation wait to be given on.
    pub unfreed_since: Option<Timestamp>,
    /// Since when the oldest payment is under way.
    pub paying_since: Option<Timestamp>,
    /// Since when money is to go back that the provider does not have in hand.
    pub refund_due_since: Option<Timestamp>,
    /// Refunds that failed, and that no operator settled.
    pub refunds_failed: u64,
}

#[async_trait]
pub trait Lagging: Send + Sync + 'static {
    async fn lags(&self) -> Result<Lags>;
}

/// One queue, by its name within the namespace, and the messages that wait in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Depth {
    pub queue: String,
    pub messages: u64,
}

#[async_trait]
pub trait Depths: Send + Sync + 'static {
    /// Of attempts by partition, of events by listener, and of what is parked; a broker may know of more.
    async fn depths(&self) -> Result<Vec<Depth>>;
}
