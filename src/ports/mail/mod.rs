//! Mail: the log of what is to be delivered, and who delivers it.

pub mod log;
pub mod transport;
