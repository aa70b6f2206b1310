//! Events that were committed and that nobody has published yet. The ledger writes them, in the transaction they speak of.

use crate::domain::event::Event;
use crate::domain::id::EventId;
use crate::domain::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    pub events: u64,
    pub oldest: Option<Timestamp>,
}

pub trait Outbox: Send + Sync + 'static {
    /// Oldest first.
    fn unpublished(&self, max: u32) -> impl Future<Output = Result<Vec<Event>>> + Send;

    /// They are where they belong, durably.
    fn mark_published(&self, ids: &[EventId], now: Timestamp) -> impl Future<Output = Result<()>> + Send;

    fn backlog(&self) -> impl Future<Output = Result<Backlog>> + Send;
}
