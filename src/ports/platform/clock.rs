//! The ledger primary's time, as this process knows it, and as the ledger says it.

use async_trait::async_trait;

use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Whether the offset to the ledger's time is known and has not just jumped. A process whose clock is not sure is not ready.
    fn is_sure(&self) -> bool;
}

#[async_trait]
pub trait LedgerTime: Send + Sync + 'static {
    /// The ledger's own time, for the clock's offset.
    async fn time(&self) -> Result<Timestamp>;
}
