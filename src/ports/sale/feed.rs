//! What publishers know of sales: everything they decide by comes from here, once a second and on change.
//!
//! A publisher reads over fields that it does not know: in a deploy others may say more than it understands.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::people::Revoked;
use crate::domain::sale::Sale;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleNews {
    pub sale: Sale,
    /// Nothing is free and standby is full, or over because everything is paid for.
    pub exhausted: bool,
    /// Of the turnstile that was looked at: the highest pair is the newest word on `exhausted`.
    pub generation: u64,
    pub revision: u64,
    /// The ledger's time when it was looked at.
    pub sent_at: Timestamp,
}

/// What is sent at once. Without a sale that matters it still tells the time, and that somebody is there to tell it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleSnapshot {
    /// The ledger's time.
    pub sent_at: Timestamp,
    pub sales: Vec<SaleNews>,
    /// Whose tokens are refused although they have not expired: all of them, or nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Vec<Revoked>>,
}

#[async_trait]
pub trait NewsStream: Send + 'static {
    /// A fault means: subscribe again.
    async fn next(&mut self) -> Result<SaleSnapshot>;
}

#[async_trait]
pub trait SaleFeed: Send + Sync + 'static {
    async fn publish(&self, bulletin: &SaleSnapshot) -> Result<()>;

    async fn news(&self) -> Result<Box<dyn NewsStream>>;
}
