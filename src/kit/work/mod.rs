//! Long work: loops over queues and ticks, how long to wait after a failure, and how a process ends.

pub mod backoff;
pub mod lifecycle;
pub mod serve;
pub mod settings;
pub mod ticks;
pub mod window;
