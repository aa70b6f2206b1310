//! One technology each. An adapter names neither a sibling nor a service.

pub mod folder;
pub mod memory;
pub mod mysql;
pub mod rabbit;
pub mod redis;
pub mod sqlite;
pub mod stripe;
pub mod system;
