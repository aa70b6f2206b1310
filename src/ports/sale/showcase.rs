//! What everybody may see of sales: perhaps from a copy of the ledger, which is late by a moment, and decides nothing.

use async_trait::async_trait;

use crate::domain::sale::Sale;
use crate::domain::shared::id::{ItemId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::catalogue::Item;
use crate::ports::sale::restoring::SaleTotals;

/// Which sales, in which order, from where on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SaleList {
    /// All of these words, as `domain::search` makes them; none asks for any sale.
    pub words: Vec<String>,
    /// Only these.
    pub state: Option<ListedState>,
    pub order: SaleOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ListedState {
    /// It has opened, and is not over; it may be paused.
    Open,
    /// It opens later.
    Upcoming,
}

/// With the place behind which the list begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SaleOrder {
    /// Made last, first.
    Newest { after: Option<SaleId> },
    /// Opens first, first.
    Opening { after: Option<(Timestamp, SaleId)> },
}

/// A sale with what is counted of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSale {
    pub sale: Sale,
    /// Units of confirmed reservations.
    pub sold: u32,
    /// Units that are sold, held, being paid for, or out of sale.
    pub taken: u32,
    /// Parties waiting.
    pub standby: u32,
}

#[async_trait]
pub trait Showcase: Send + Sync + 'static {
    /// `None` says only that the copy does not have it yet.
    async fn sale_shown(&self, id: SaleId) -> Result<Option<Sale>>;

    /// What is read is what is shown, however many there are; of several words, or words and a state, what has the longest word.
    async fn sales_shown(&self, list: &SaleList, now: Timestamp, max: u32) -> Result<Vec<ListedSale>>;

    /// `None` as for a sale.
    async fn item_shown(&self, id: ItemId) -> Result<Option<Item>>;

    async fn standing_shown(&self, id: SaleId) -> Result<Option<SaleTotals>>;
}
