//! The log of letters: which were written, by whom they are being delivered, and what became of them.
//!
//! A letter is claimed by one conditional write before it is delivered and marked after it; the claim of a process that crashes
//! in between runs out. It names no person: what is to be said is found again from the event.

use async_trait::async_trait;

use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Until the lease ends. The number of the try is the claim's name; `kept_at` is when the letter was first recorded.
    Mine { tries: u32, kept_at: Timestamp },
    /// It was sent, or never will be.
    Done,
    /// Another process has it, or it is not due yet.
    Elsewhere,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Sent,
    /// It will never be taken.
    Refused {
        why: String,
    },
    /// It has no recipient.
    Nobody,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unsent {
    pub letters: u64,
    pub oldest: Option<Timestamp>,
    /// Those that will never be sent.
    pub refused: u64,
}

#[async_trait]
pub trait MailLog: Send + Sync + 'static {
    /// A letter is due about each of these. One that was kept before stays as it is.
    async fn keep(&self, events: &[Event], now: Timestamp) -> Result<()>;

    /// Letters that were kept and are due, oldest first.
    async fn due(&self, now: Timestamp, max: u32) -> Result<Vec<Event>>;

    /// For `lease_ms`. A letter that was not kept yet is kept by this, without its event.
    async fn claim(&self, id: EventId, kind: &'static str, now: Timestamp, lease_ms: i64) -> Result<Claimed>;

    /// Ends a claim: it may be claimed again from `due_at` on. Nothing happens when the claim is another's by now.
    async fn put_off(&self, id: EventId, tries: u32, due_at: Timestamp) -> Result<()>;

    /// What was sent is sent, even if another process has the claim by now; any other ending is for the claim's owner only.
    async fn end(&self, id: EventId, tries: u32, ending: Ending, now: Timestamp) -> Result<()>;

    /// Everything unsent is due now: for a caller that knows that every process with a claim has ended.
    async fn void_claims(&self, now: Timestamp) -> Result<()>;

    async fn unsent(&self) -> Result<Unsent>;
}
