//! One technology each. An adapter names neither a sibling nor a service; those that speak TLS share [`tls`].

#[cfg(feature = "aws")]
pub mod aws;
pub mod folder;
pub mod mail;
pub mod memory;
pub mod rabbit;
pub mod redis;
pub mod sql;
pub mod sqlite_queue;
pub mod stripe;
pub mod system;
pub mod tls;
