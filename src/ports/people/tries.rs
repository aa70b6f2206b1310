//! How often somebody failed to get in, for the whole fleet. It may be lost: then counting begins anew.

use async_trait::async_trait;

use crate::domain::people::pace::Pace;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[async_trait]
pub trait Tries: Send + Sync + 'static {
    /// Counts a try as one that fails, before it is known: of many at once no more pass than of one after another. `Some` is how many
    /// milliseconds it came too soon; then it is not counted.
    async fn begin(&self, key: &str, pace: &Pace, now: Timestamp) -> Result<Option<i64>>;

    /// One of them did not fail.
    async fn take_back(&self, key: &str) -> Result<()>;

    /// Whoever has this key got in: nothing counts any more.
    async fn forget(&self, key: &str) -> Result<()>;
}
