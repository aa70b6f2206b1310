//! Redis keeps the turnstiles of all sales. It gates, and may be lost or fall back to an older state at any moment: callers
//! notice by generation and revision, and the ledger puts things right.
//!
//! Nothing is decided here: `lua/` mirrors the state machine of the domain, and this only carries arguments and answers.

pub mod keys;
mod reply;
pub mod scripts;
mod turnstile;

pub use turnstile::RedisTurnstile;

use std::time::Duration;

use fred::prelude::{Builder, Client, ClientLike, Config, ReconnectPolicy};
use fred::types::config::{TcpConfig, UnresponsiveConfig};

use crate::ports::{Fault, Result};

/// The part of the world that this is.
const PART: &str = "turnstile";

/// After this the outcome of a call is unknown; asked again, a verb repeats its answer.
const CALL_MS_MAX: u64 = 3_000;
/// The same for a whole state.
const STATE_MS_MAX: u64 = 60_000;
const CONNECT_MS_MAX: u64 = 2_000;
const RECONNECT_MS_MIN: u32 = 50;
const RECONNECT_MS_MAX: u32 = 1_000;
/// Calls on their way; one more is a fault at once.
const CALLS_MAX: usize = 1_000;
/// Sendings of one call whose connection was lost meanwhile. All verbs may be sent again.
const SENDINGS_MAX: u32 = 3;

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::new(PART, error)
}

/// One client: a socket to each primary, and every caller's commands pipelined on it in the order in which they were sent.
/// Fails when Redis is away now; once connected, it reconnects for ever.
async fn connect(url: &str, ms_max: u64) -> Result<Client> {
    let config = Config::from_url(url).map_err(fault)?;
    let client = Builder::from_config(config)
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_millis(CONNECT_MS_MAX);
            connection.internal_command_timeout = Duration::from_millis(CALL_MS_MAX);
            connection.max_command_attempts = SENDINGS_MAX;
            connection.max_command_buffer_len = CALLS_MAX;
            // A connection whose other end is gone without a word is given up only after its callers have gone.
            connection.unresponsive = UnresponsiveConfig {
                max_timeout: Some(Duration::from_millis(ms_max + CALL_MS_MAX)),
                interval: Duration::from_millis(CALL_MS_MAX / 3),
            };
            // Left alone, small calls would wait for the acknowledgement of the ones before.
            connection.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
        })
        .with_performance_config(|performance| {
            performance.default_command_timeout = Duration::from_millis(ms_max);
        })
        .set_policy(ReconnectPolicy::new_exponential(0, RECONNECT_MS_MIN, RECONNECT_MS_MAX, 2))
        .build()
        .map_err(fault)?;
    client.init().await.map_err(fault)?;
    Ok(client)
}
