//! Mails that were put into a folder instead of being sent, for a while.

use async_trait::async_trait;

use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[async_trait]
pub trait KeptMails: Send + Sync + 'static {
    /// Of those that are about something before this time, at most so many; how many. With `dry_run` they are only counted.
    async fn remove_mails(&self, before: Timestamp, max: u32, dry_run: bool) -> Result<u64>;
}
