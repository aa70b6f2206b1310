//! Things that were made once and are kept: receipts. A folder, or a bucket. What is lost here can be made again.

use std::future::Future;
use std::pin::Pin;

use crate::domain::time::Timestamp;
use crate::ports::Result;

pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Lower-case words, digits, `-`, `.` and `/`.
    pub key: String,
    pub bytes: u64,
    pub kept_at: Timestamp,
}

pub trait Archive: Send + Sync + 'static {
    /// Whole or not at all; what was there under the key is replaced.
    fn put<'a>(&'a self, key: &'a str, bytes: Vec<u8>) -> Boxed<'a, ()>;

    fn get<'a>(&'a self, key: &'a str) -> Boxed<'a, Option<Vec<u8>>>;

    /// What is not there is no fault.
    fn delete<'a>(&'a self, key: &'a str) -> Boxed<'a, ()>;

    /// Everything whose key begins so, a page at a time, in the order of keys: those after `after`, at most `max`.
    fn list<'a>(&'a self, prefix: &'a str, after: Option<&'a str>, max: u32) -> Boxed<'a, Vec<Kept>>;
}
