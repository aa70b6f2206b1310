//! What everybody may see of sales: perhaps from a copy of the ledger, which is late by a moment, and decides nothing.

use crate::domain::id::{ItemId, SaleId};
use crate::domain::sale::Sale;
use crate::ports::Result;
use crate::ports::catalogue::Item;
use crate::ports::ledger::Standing;

pub trait Showcase: Send + Sync + 'static {
    /// `None` says only that the copy has not heard of it.
    fn sale_shown(&self, id: SaleId) -> impl Future<Output = Result<Option<Sale>>> + Send;

    /// Newest first, those that come after this one in that order.
    fn sales_shown(&self, after: Option<SaleId>, max: u32) -> impl Future<Output = Result<Vec<Sale>>> + Send;

    /// `None` as for a sale.
    fn item_shown(&self, id: ItemId) -> impl Future<Output = Result<Option<Item>>> + Send;

    fn standing_shown(&self, id: SaleId) -> impl Future<Output = Result<Option<Standing>>> + Send;
}
