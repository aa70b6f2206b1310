//! HTTP and sockets: a face reads what is asked, calls one use case, and says what came of it.

pub mod gateway;
pub mod publisher;
pub mod tokens;
