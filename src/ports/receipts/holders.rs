//! Who holds what, by name, for who comes to a door without a code. Every look is in the journal, in its own transaction: it reads
//! persons. The words by which orders are found lie beside them; an order has them a moment after it was placed.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::people::author::Author;
use crate::domain::receipts::Admission;
use crate::domain::shared::id::SaleId;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub order: Order,
    /// As its owner wrote it; empty where the account is gone.
    pub name: String,
    pub email: String,
    /// Which of the order's units are in, and how they came.
    pub admitted: Vec<Admission>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    pub found: Vec<Holder>,
    /// There may be more than were read.
    pub more: bool,
}

#[async_trait]
pub trait HolderSearch: Send + Sync + 'static {
    /// Orders of the sale whose name and number have a word for each of these beginnings: at most `max`. Some of it given back or
    /// all of it, it is found all the same.
    async fn holders(&self, sale: SaleId, beginnings: &[String], max: u32, by: &Author) -> Result<Holders>;

    /// Gives words to orders that have none yet, at most so many: how many they were.
    async fn keep_holders(&self, max: u32) -> Result<u32>;
}
