//! Items and sales, as operators write them and everybody reads them.

use std::collections::HashMap;

use async_trait::async_trait;

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

#[async_trait]
pub trait Catalogue: Send + Sync + 'static {
    async fn create_item(&self, item: &NewItem) -> Result<Item> {
        self.create_item_once(item, None).await
    }

    /// The item that this request made, now or before.
    async fn create_item_once(&self, item: &NewItem, request: Option<RequestId>) -> Result<Item>;

    async fn item(&self, id: ItemId) -> Result<Option<Item>>;

    /// `None` when there is no such item. The sale starts with generation 1 and state Active.
    async fn create_sale(&self, sale: &NewSale) -> Result<Option<Sale>> {
        self.create_sale_once(sale, None).await
    }

    /// The sale that this request made, now or before.
    async fn create_sale_once(&self, sale: &NewSale, request: Option<RequestId>) -> Result<Option<Sale>>;

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

    async fn set_state(&self, id: SaleId, state: SaleState) -> Result<Changed>;

    /// Capacity is raised here first: a turnstile that lags is too strict, never too generous; the sweeper raises it.
    async fn raise(&self, id: SaleId, capacity: u32) -> Result<Changed>;
}
