//! Events that were committed and are not published yet. The ledger writes them, in the transaction they speak of.

use async_trait::async_trait;

use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub events: u64,
    pub oldest: Option<Timestamp>,
}

#[async_trait]
pub trait Outbox: Send + Sync + 'static {
    /// In the order of writing. One that only a newer version can read is left to it.
    async fn unpublished(&self, max: u32) -> Result<Vec<Event>>;

    /// They are where they belong, durably. Returns how many of them were not marked before.
    async fn mark_published(&self, ids: &[EventId], now: Timestamp) -> Result<u64>;

    /// Forgets events that were published before then, at most `max`; says how many.
    async fn remove_published(&self, before: Timestamp, max: u32) -> Result<u64>;

    async fn backlog(&self) -> Result<Backlog>;

    /// Returns soon after this process committed some, and perhaps for nothing. What other processes commit it does not see.
    async fn written(&self);
}
