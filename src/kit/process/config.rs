//! Configuration: typed, nested and closed. A file in TOML, and over it the environment: `MIAOSHA__A__B` is key `b` of table `a`.
//!
//! An unknown key is refused, wherever it comes from. Secrets are a type of their own, `secrecy`'s.

use std::net::SocketAddr;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::kit::telemetry::TracingSettings;
use crate::kit::work::settings::ConfigError;

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
    /// For tests alone: `POST /faults/TASK` on the inner server makes the tasks of that name panic.
    pub faults: bool,
    pub tracing: TracingSettings,
}

impl Default for ProcessSettings {
    fn default() -> Self {
        Self {
            inner_listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            drain_ms_max: 25_000,
            threads: 0,
            faults: false,
            tracing: TracingSettings::default(),
        }
    }
}
