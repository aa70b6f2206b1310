//! Long work: loops over queues and ticks, how long to wait after a failure, chance, and how a process ends.

pub mod backoff;
pub mod chance;
pub mod groups;
pub mod lifecycle;
pub mod recent;
pub mod serve;
pub mod settings;
pub mod ticks;
pub mod window;
