//! Items and sales, as operators write them and everybody reads them. What changes one takes who answers for it, and is in the journal
//! with its effect; without an author nothing is written down.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::sale::{Allotment, Question, QuestionKey, Sale, SaleState, StandbyUntil};
use crate::domain::shared::id::{ItemId, RequestId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub id: ItemId,
    pub title: String,
    pub description: String,
}

#[derive(Debug, Clone)]
pub struct NewItem {
    pub title: String,
    pub description: String,
}

#[derive(Debug, Clone)]
pub struct NewSale {
    pub item: ItemId,
    pub price: Money,
    pub allotment: Allotment,
    pub standby_until: StandbyUntil,
    pub hold_ms: i64,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub questions: Vec<Question>,
    pub question_key: QuestionKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    Sale(Sale),
    /// There is no such sale.
    Missing,
    /// A closed sale stays closed, and capacity only grows.
    Refused {
        why: &'static str,
    },
}

/// Where a round of sales goes on: behind this one, in the order in which they close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoundPlace {
    pub closes_at: Timestamp,
    pub sale: SaleId,
}

/// What moved a sale of late; each is 0 where it was not that. Compared with an earlier one it says whether something new did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moved {
    /// It was made or changed by an operator, or restored: its version and generation.
    pub version: u64,
    pub generation: u64,
    /// The highest turn that was recorded, and its generation.
    pub turn: (u64, u64),
    /// Orders that were placed, and the last one's time.
    pub orders: (u64, u64),
    /// Its time to close came.
    pub closed: bool,
}

#[async_trait]
pub trait Catalogue: Send + Sync + 'static {
    async fn create_item(&self, item: &NewItem) -> Result<Item> {
        self.create_item_once(item, None, None).await
    }

    /// The item that this request made, now or before.
    async fn create_item_once(&self, item: &NewItem, request: Option<RequestId>, by: Option<&Author>) -> Result<Item>;

    async fn item(&self, id: ItemId) -> Result<Option<Item>>;

    /// `None` when there is no such item. The sale starts with generation 1 and state Active.
    async fn create_sale(&self, sale: &NewSale) -> Result<Option<Sale>> {
        self.create_sale_once(sale, None, None).await
    }

    /// The sale that this request made, now or before.
    async fn create_sale_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> Result<Option<Sale>>;

    async fn sale(&self, id: SaleId) -> Result<Option<Sale>>;

    /// Newest first.
    async fn sales(&self, max: u32) -> Result<Vec<Sale>> {
        self.sales_after(None, max).await
    }

    /// Newest first, those that come after this one in that order.
    async fn sales_after(&self, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>>;

    /// What is sold in each, of those that there are.
    async fn titles(&self, sales: &[SaleId]) -> Result<HashMap<SaleId, String>>;

    /// Sales for which something can still happen: not over, or with a row that is on standby, held, paying or unfreed.
    async fn sales_that_matter(&self, now: Timestamp) -> Result<Vec<Sale>>;

    /// These sales, of those that there are, by id.
    async fn sales_of(&self, ids: &[SaleId]) -> Result<Vec<Sale>>;

    /// Sales that something moved within this time, and what. It costs what was moved, and no more.
    async fn sales_moved(&self, now: Timestamp, within_ms: i64) -> Result<BTreeMap<SaleId, Moved>>;

    /// Of the next `max` sales in the order in which they close, those that matter; and where the next ones are, if there are any.
    /// Those that closed before the round's beginning are not looked for.
    async fn sales_round(
        &self,
        after: RoundPlace,
        now: Timestamp,
        max: u32,
    ) -> Result<(Vec<SaleId>, Option<RoundPlace>)>;

    /// Sales that close later than this, whether they matter or not.
    async fn sales_in_round(&self, after: Timestamp) -> Result<u64>;

    /// Lists know by now which sales have opened and which are over; of at most so many, and of how many it was.
    async fn keep_lists(&self, now: Timestamp, max: u32) -> Result<u32>;

    async fn set_state(&self, id: SaleId, state: SaleState) -> Result<Changed> {
        self.set_state_by(id, state, None).await
    }

    async fn set_state_by(&self, id: SaleId, state: SaleState, by: Option<&Author>) -> Result<Changed>;

    async fn raise(&self, id: SaleId, capacity: u32) -> Result<Changed> {
        self.raise_by(id, capacity, None).await
    }

    /// Capacity is raised here first: a turnstile that lags is too strict, never too generous; the sweeper raises it.
    async fn raise_by(&self, id: SaleId, capacity: u32, by: Option<&Author>) -> Result<Changed>;
}
