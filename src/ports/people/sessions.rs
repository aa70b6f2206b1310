//! Log-ins. A token names its own; one that is ended is refused everywhere, while the account's others go on.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::people::session::Session;
use crate::domain::shared::id::{BuyerId, SessionId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Where an end stands among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndPlace {
    pub at: Timestamp,
    pub session: SessionId,
}

impl EndPlace {
    /// Before whatever happened at that time.
    pub fn before(at: Timestamp) -> Self {
        Self { at, session: SessionId(0) }
    }
}

/// One that was ended, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    pub session: SessionId,
    pub account: BuyerId,
}

#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// `epoch`: of its tokens; with the account's next one it is over.
    async fn begin_session(&self, account: BuyerId, epoch: u64, session: &Session) -> Result<()>;

    /// Those whose tokens may still be good, newest first.
    async fn sessions(&self, account: BuyerId, now: Timestamp, max: u32) -> Result<Vec<Session>>;

    /// `false` where the account has no such session that goes on. In the journal, where it is an operator's.
    async fn end_session(&self, account: BuyerId, id: SessionId, now: Timestamp, by: Option<&Author>) -> Result<bool>;

    /// The next ones after this place, oldest first.
    async fn sessions_ended_after(&self, after: EndPlace, max: u32) -> Result<Vec<(EndPlace, Ended)>>;

    /// Removes those that were over before: how many.
    async fn forget_sessions(&self, over_before: Timestamp, max: u32) -> Result<u64>;
}
