//! The journal, as it is read; and written for what has no transaction of its own. What lies in the ledger is written down by the port
//! that changes it, in the same transaction: its methods take the [`Author`](crate::domain::people::author::Author) beside what they
//! are asked, and without one write nothing down. Absent: any way to change an entry, or to remove one.

use async_trait::async_trait;

use crate::domain::audit::journal::{Entry, Head, Recorded};
use crate::domain::people::author::Actor;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Which entries are looked for: all that this says nothing of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    pub actor: Option<Actor>,
    pub action: Option<String>,
    pub subject: Option<String>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
}

#[async_trait]
pub trait Journal: Send + Sync + 'static {
    /// At the end of the chain, in a transaction of its own; its number. Written again, it is another entry.
    async fn write_down(&self, entry: &Entry) -> Result<u64>;

    /// Newest first: those with a lower number than this, at most `max`.
    async fn entries_before(&self, wanted: &Wanted, number: Option<u64>, max: u32) -> Result<Vec<Recorded>>;

    /// All, oldest first: those with a higher number than this, at most `max`.
    async fn entries_after(&self, number: u64, max: u32) -> Result<Vec<Recorded>>;

    async fn journal_head(&self) -> Result<Head>;
}
