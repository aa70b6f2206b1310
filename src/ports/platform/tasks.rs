//! Who looks after the tasks that an adapter lives by, such as the one writer of a file. An adapter begins none by itself: one
//! that broke would be missed by nobody.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;
pub type AnyTasks = Arc<dyn Tasks>;

pub trait Tasks: Send + Sync + 'static {
    /// Until it ends by itself, because nobody needs it any more. Its panic ends the process.
    fn attend(&self, name: &'static str, task: Task);

    /// Something small that nobody waits for. Its panic is counted, and ends nothing else.
    fn detach(&self, name: &'static str, task: Task);
}
