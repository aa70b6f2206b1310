//! The embedded world's files.

pub mod queue;
