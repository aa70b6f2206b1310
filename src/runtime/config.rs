//! Configuration: typed, nested and closed. A file in TOML, and over it the environment: `MIAOSHA__A__B` is key `b` of table `a`.
//!
//! A key nobody knows is refused, wherever it comes from. Secrets are a type that does not print itself.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::runtime::telemetry::TracingSettings;

#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// For contradictions that a service finds in what it was given.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

pub fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<T, ConfigError> {
    load_with(file, std::env::vars())
}

/// Like [`load`], with this environment.
pub fn load_with<T: DeserializeOwned>(
    file: Option<&Path>,
    env: impl IntoIterator<Item = (String, String)>,
) -> Result<T, ConfigError> {
    let mut builder = config::Config::builder();
    if let Some(file) = file {
        builder = builder.add_source(config::File::from(file).format(config::FileFormat::Toml));
    }
    let environment = config::Environment::with_prefix("MIAOSHA")
        .prefix_separator("__")
        .separator("__")
        .source(Some(env.into_iter().collect()));
    let merged = builder.add_source(environment).build().map_err(ConfigError::new)?;
    merged.try_deserialize().map_err(ConfigError::new)
}

/// A text that never appears in a log: a URL with a password, a list of keys.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Where it is used, and nowhere else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "(empty)" } else { "(secret)" })
    }
}

/// What every binary's configuration has, under `process`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessSettings {
    /// Where `/livez`, `/readyz` and `/metrics` are served. Never open to the public. Port 0 takes a free one; the log says which.
    pub inner_listen: SocketAddr,
    /// How long a soft stop may take before what is left is dropped.
    pub drain_ms_max: u64,
    /// Threads of the runtime beside those that serve HTTP; 0 means one for each core.
    pub threads: usize,
    pub tracing: TracingSettings,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            inner_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            drain_ms_max: 25_000,
            threads: 0,
            tracing: TracingSettings::default(),
        }
    }
}
