//! The tasks that an adapter lives by, such as the one writer of a file. An adapter begins none by itself: one that broke would
//! not be noticed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
pub type AnyTasks = Arc<dyn Tasks>;

pub trait Tasks: Send + Sync + 'static {
    /// Runs a task that ends by itself when the adapter is dropped. Its panic ends the process.
    fn attend(&self, name: &'static str, task: Task);

    /// Runs something small that is not waited for. Its panic is counted, and ends nothing else.
    fn detach(&self, name: &'static str, task: Task);
}
