//! What everybody may see of sales: perhaps from a copy of the ledger, which is late by a moment, and decides nothing.

use async_trait::async_trait;

use crate::domain::sale::Sale;
use crate::domain::shared::id::{ItemId, SaleId};
use crate::ports::Result;
use crate::ports::sale::catalogue::Item;
use crate::ports::sale::restoring::SaleTotals;

#[async_trait]
pub trait Showcase: Send + Sync + 'static {
    /// `None` says only that the copy has not heard of it.
    async fn sale_shown(&self, id: SaleId) -> Result<Option<Sale>>;

    /// Newest first, those that come after this one in that order.
    async fn sales_shown(&self, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>>;

    /// `None` as for a sale.
    async fn item_shown(&self, id: ItemId) -> Result<Option<Item>>;

    async fn standing_shown(&self, id: SaleId) -> Result<Option<SaleTotals>>;
}
