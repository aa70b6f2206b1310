//! Limits every HTTP face has, and the checks of what people write.
//!
//! Each limit is a setting or a constant whose name ends in `_max`; what is over it is a problem that names the field.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;

use crate::http::problem::{Kind, Problem};

/// How a server listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    /// Where to listen. Port 0 takes a free one; the log says which.
    pub listen: SocketAddr,
    /// Threads that serve; 0 means one for each core.
    pub workers: usize,
    /// Open connections of one worker; beyond them nobody is accepted.
    pub connections_max: usize,
    /// Connections the system keeps waiting to be accepted.
    pub backlog_max: u32,
    /// How long an idle connection is kept. Longer than the proxy's in front, or its requests meet a closing door.
    pub keep_alive_ms: u64,
    /// How long the head of a request may take to arrive.
    pub head_ms_max: u64,
    /// Bytes of one request's body.
    pub body_bytes_max: usize,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            workers: 0,
            connections_max: 25_600,
            backlog_max: 4_096,
            keep_alive_ms: 75_000,
            head_ms_max: 5_000,
            body_bytes_max: 16 * 1024,
        }
    }
}

impl ServerSettings {
    pub fn workers(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            count => count,
        }
    }
}

/// Builds a server with these limits: `bound_server!(settings, drain_ms_max, || App::new()…)` is an `io::Result` of a bound
/// `HttpServer` that still listens to nobody's signals. A macro, since the type of an application has no name.
#[macro_export]
macro_rules! bound_server {
    ($settings:expr, $drain_ms_max:expr, $factory:expr) => {{
        let settings: &$crate::http::limits::ServerSettings = $settings;
        actix_web::HttpServer::new($factory)
            .workers(settings.workers())
            .max_connections(settings.connections_max)
            .backlog(settings.backlog_max)
            .keep_alive(settings.keep_alive())
            .client_request_timeout(settings.head_timeout())
            .tcp_nodelay(true)
            .disable_signals()
            .shutdown_timeout($crate::http::limits::whole_seconds($drain_ms_max))
            .bind(settings.listen)
    }};
}

impl ServerSettings {
    pub fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_ms)
    }

    pub fn head_timeout(&self) -> Duration {
        Duration::from_millis(self.head_ms_max)
    }
}

/// Rounded up: a drain is never cut short by the rounding.
pub fn whole_seconds(ms: u64) -> u64 {
    ms.div_ceil(1_000)
}

/// A text that people wrote: not blank, not too long, no control characters. Returned without space around it.
pub fn text<'a>(field: &'static str, value: &'a str, chars_max: usize) -> Result<&'a str, Problem> {
    let value = value.trim();
    if value.is_empty() {
        return Err(Problem::field(field, Kind::Invalid, "must not be empty"));
    }
    if value.chars().count() > chars_max {
        return Err(Problem::field(field, Kind::Invalid, format!("must be at most {chars_max} characters long")));
    }
    if value.chars().any(char::is_control) {
        return Err(Problem::field(field, Kind::Invalid, "must not hold control characters"));
    }
    Ok(value)
}

/// A number within its range.
pub fn within<N: PartialOrd + Copy + std::fmt::Display>(
    field: &'static str,
    value: N,
    range: RangeInclusive<N>,
) -> Result<N, Problem> {
    if range.contains(&value) {
        return Ok(value);
    }
    Err(Problem::field(field, Kind::Invalid, format!("must be from {} to {}", range.start(), range.end())))
}
