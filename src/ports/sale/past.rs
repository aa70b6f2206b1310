//! What a buyer did in a sale so far, as an admission is judged by it. Read from the ledger itself and never from a copy: a copy that
//! is late would admit whoever came a moment before.

use async_trait::async_trait;

use crate::domain::sale::admission::EndedHold;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports::Result;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BuyerPast {
    /// A reservation that is held, waits, is being paid or was.
    pub has_live: bool,
    /// The newest first. Standby that came to nothing was no hold.
    pub ended: Vec<EndedHold>,
}

#[async_trait]
pub trait Past: Send + Sync + 'static {
    /// Of ended holds, the newest so many.
    async fn past(&self, sale: SaleId, buyer: BuyerId, max: u32) -> Result<BuyerPast>;

    /// Whether he has an order of any sale that he paid something for, and has not had all of it back.
    async fn has_bought(&self, buyer: BuyerId) -> Result<bool>;
}
