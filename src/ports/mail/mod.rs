//! Mail: the log of what is to be delivered, who delivers it, and what is kept of it in a folder.

pub mod kept;
pub mod log;
pub mod transport;
