//! Things that were made once and are kept: receipts. A folder, or a bucket. What is lost here can be made again.

use async_trait::async_trait;

use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Lower-case words, digits, `-`, `.` and `/`.
    pub key: String,
    pub bytes: u64,
    pub kept_at: Timestamp,
}

#[async_trait]
pub trait Archive: Send + Sync + 'static {
    /// Whole or not at all; what was there under the key is replaced.
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<()>;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;

    /// What is not there is no fault.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Everything whose key begins so, a page at a time, in the order of keys: those after `after`, at most `max`.
    async fn list(&self, prefix: &str, after: Option<&str>, max: u32) -> Result<Vec<Kept>>;
}
