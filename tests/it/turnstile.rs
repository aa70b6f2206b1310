//! The turnstile over each adapter: the contract, random commands, and what only Redis can do to it.

use miaosha::adapters::memory::turnstile::MemoryTurnstile;
use miaosha::adapters::redis::RedisTurnstile;

use crate::contract::turnstile::over;
use crate::support::servers::{redis_url, unique_name};

mod commands;
#[cfg(feature = "servers")]
mod differential;
mod invariants;
#[cfg(feature = "servers")]
mod server;

async fn memory() -> MemoryTurnstile {
    MemoryTurnstile::new()
}

async fn redis() -> RedisTurnstile {
    RedisTurnstile::connect(&redis_url(), &unique_name()).await.unwrap()
}

over!(in_memory, super::memory());
#[cfg(feature = "servers")]
over!(in_redis, super::redis());
