//! How many buyers of one network were admitted to a sale. It is kept for as long as the sale may go on, and may be lost: whoever is
//! counted anew costs nobody anything.

use async_trait::async_trait;

use crate::domain::shared::id::{BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacesTaken {
    pub count: u32,
    /// One of them is this buyer's.
    pub is_own: bool,
}

/// A buyer's, among those of a network in a sale.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub sale: SaleId,
    pub network: &'a str,
    pub buyer: BuyerId,
}

#[async_trait]
pub trait Places: Send + Sync + 'static {
    async fn taken(&self, place: Place<'_>) -> Result<PlacesTaken>;

    /// Takes a place, unless so many are others'; a buyer has one, however often it is taken. Forgotten after so long at most.
    async fn take(&self, place: Place<'_>, max: u32, until: Timestamp, now: Timestamp) -> Result<bool>;
}
