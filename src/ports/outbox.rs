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
    /// In the order of writing. One that only a newer version can read is left to it.
    fn unpublished(&self, max: u32) -> impl Future<Output = Result<Vec<Event>>> + Send;

    /// They are where they belong, durably. Says how many of them nobody had marked before.
    fn mark_published(&self, ids: &[EventId], now: Timestamp) -> impl Future<Output = Result<u64>> + Send;

    /// Forgets events that were published before then, at most `max`; says how many.
    fn remove_published(&self, before: Timestamp, max: u32) -> impl Future<Output = Result<u64>> + Send;

    fn backlog(&self) -> impl Future<Output = Result<Backlog>> + Send;

    /// Returns soon after this process committed some, and perhaps for nothing. What other processes commit it does not see.
    fn written(&self) -> impl Future<Output = ()> + Send;
}
