//! What lives and dies with the process.

pub mod signals;
