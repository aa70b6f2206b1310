//! What is wrong with a configuration.

use std::fmt;

#[derive(Debug, thiserror::Error)]
#[error("configuration: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// For contradictions that a service finds in what it was given.
    pub fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}
