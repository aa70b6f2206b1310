//! What publishers know of sales: everything they decide by comes from here, once a second and on change.
//!
//! A publisher reads over fields that it does not know: in a deploy others may say more than it understands.

use serde::{Deserialize, Serialize};

use crate::domain::sale::Sale;
use crate::domain::time::Timestamp;
use crate::ports::Result;
use crate::ports::accounts::Revoked;

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
pub struct Bulletin {
    /// The ledger's time.
    pub sent_at: Timestamp,
    pub sales: Vec<SaleNews>,
    /// Whose tokens are refused although they have not expired: all of them, or nothing about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Vec<Revoked>>,
}

pub trait NewsStream: Send + 'static {
    /// A fault means: subscribe again.
    fn next(&mut self) -> impl Future<Output = Result<Bulletin>> + Send;
}

pub trait News: Send + Sync + 'static {
    type NewsStream: NewsStream;

    fn publish(&self, bulletin: &Bulletin) -> impl Future<Output = Result<()>> + Send;

    fn news(&self) -> impl Future<Output = Result<Self::NewsStream>> + Send;
}
