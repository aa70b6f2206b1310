//! Redis keeps the turnstiles of all sales. It gates, and may be lost or fall back to an older state at any moment: callers
//! notice by generation and revision, and the ledger puts things right.
//!
//! Nothing is decided here: `lua/turnstile` mirrors the state machine of the domain, and this only carries arguments and answers.

pub mod keys;
mod places;
mod reply;
pub mod scripts;
mod tries;
mod turnstile;

pub use turnstile::RedisTurnstile;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use fred::prelude::{Builder, Client, ClientLike, Config, ReconnectPolicy};
use fred::types::config::{HostMapping, TcpConfig, TlsConfig, TlsHostMapping, UnresponsiveConfig};

use crate::adapters::tls::Endpoint;
use crate::ports::{Fault, Result, Source};

/// The part that this is.
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

fn fault(error: impl Into<Source>) -> Fault {
    Fault::new(PART, error)
}

/// A node that the cluster names by its address alone has to prove the name in the URL.
#[derive(Debug)]
struct Named(String);

impl HostMapping for Named {
    fn map(&self, _: &IpAddr, _: &str) -> Option<String> {
        Some(self.0.clone())
    }
}

/// `rediss` asks for TLS. The library is told so by hand: by itself it would trust the machine's certificates, and fail
/// where there are none.
fn config(at: &Endpoint) -> Result<Config> {
    let (scheme, rest) = at.url.split_once("://").ok_or_else(|| fault("its URL has no scheme"))?;
    let (clear, asks) = match scheme {
        "redis" | "redis-cluster" => (scheme, false),
        "rediss" => ("redis", true),
        "rediss-cluster" => ("redis-cluster", true),
        _ => return Err(fault("its URL begins with neither redis-cluster:// nor rediss-cluster://")),
    };
    let mut config = Config::from_url(&format!("{clear}://{rest}")).map_err(fault)?;
    if let Some(trust) = at.trust(PART, asks)? {
        let host = config.server.hosts().first().map(|server| server.host.to_string()).unwrap_or_default();
        let is_name = host.parse::<IpAddr>().is_err();
        let hostnames = if is_name { TlsHostMapping::Custom(Arc::new(Named(host))) } else { TlsHostMapping::None };
        config.tls = Some(TlsConfig { connector: trust.connector().into(), hostnames });
    }
    Ok(config)
}

/// One client: a socket to each primary, and every caller's commands pipelined on it in the order in which they were sent.
/// Fails when Redis is away `now`; once connected, or when that is not asked, it reconnects for ever.
async fn connect(at: &Endpoint, ms_max: u64, now: bool) -> Result<Client> {
    let config = Config { fail_fast: now, ..config(at)? };
    let client = Builder::from_config(config)
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_millis(CONNECT_MS_MAX);
            connection.internal_command_timeout = Duration::from_millis(CALL_MS_MAX);
            connection.max_command_attempts = SENDINGS_MAX;
            connection.max_command_buffer_len = CALLS_MAX;
            // A connection whose other end is silently gone is given up only after its callers have gone.
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
    if now {
        client.init().await.map_err(fault)?;
    } else {
        // It has a task of its own, which ends with the client.
        drop(client.connect());
    }
    Ok(client)
}
