//! What publishers know of sales: everything they decide by comes from here, when it changes and, in rounds, when it does not.
//!
//! Any bulletin may get lost, come twice or come late. What one says is ordered by the sale's version and by its turnstile's
//! generation and revision, so that an older one replaces nothing; a publisher that cannot know what it missed asks.
//!
//! A publisher reads over fields that it does not know: in a deploy others may say more than it understands.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::domain::people::Revoked;
use crate::domain::sale::Sale;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Sales in one bulletin, and in one request, at most.
pub const SALES_MAX: usize = 64;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SaleNews {
    pub sale: Sale,
    /// Nothing is free and standby is full, or over because everything is paid for. `None` where no turnstile was looked at: what was said
    /// before holds as long as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted: Option<bool>,
    /// Of the turnstile that was looked at: the highest pair is the newest word on `exhausted`.
    pub generation: u64,
    pub revision: u64,
    /// The ledger's time when it was looked at.
    pub sent_at: Timestamp,
}

/// What is sent at once. Without a sale it still tells the time, and that a payment-consumer is there to tell it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SaleSnapshot {
    /// The ledger's time.
    pub sent_at: Timestamp,
    pub sales: Vec<SaleNews>,
    /// Whose tokens are refused although they have not expired: these, beside those of before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revoked: Vec<Revoked>,
    /// Of the requests for everything: the publishers that made them have been told all of it, with this and what came before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<u64>,
}

/// What a publisher wants to be told. The answer is for everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NewsRequest {
    /// Every sale that matters, and who is logged out; the answer says the number.
    Everything { number: u64 },
    /// Whether these are exhausted.
    Sales { sales: Vec<SaleId> },
}

#[async_trait]
pub trait NewsStream: Send + 'static {
    /// A fault means: subscribe again, and ask for everything, for something may be lost.
    async fn next(&mut self) -> Result<SaleSnapshot>;
}

#[async_trait]
pub trait RequestStream: Send + 'static {
    /// At least one, with whatever else waits. Each is given to one of the listeners, once: a publisher that gets no answer asks
    /// again. A fault means: subscribe again.
    async fn next(&mut self) -> Result<Vec<NewsRequest>>;
}

#[async_trait]
pub trait SaleFeed: Send + Sync + 'static {
    /// To every subscriber. Bulletins that are published one after the other arrive so.
    async fn publish(&self, bulletin: &SaleSnapshot) -> Result<()>;

    async fn news(&self) -> Result<Box<dyn NewsStream>>;

    /// Asks the payment-consumers. What waits too long for an answer is forgotten.
    async fn request(&self, request: &NewsRequest) -> Result<()>;

    async fn requests(&self) -> Result<Box<dyn RequestStream>>;
}
