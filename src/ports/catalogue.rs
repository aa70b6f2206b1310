//! Items and sales, as operators write them and everybody reads them.

use std::collections::HashMap;

use crate::domain::id::{ItemId, RequestId, SaleId};
use crate::domain::money::Money;
use crate::domain::sale::{Allotment, Question, QuestionKey, Sale, SaleState, StandbyUntil};
use crate::domain::time::Timestamp;
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

pub trait Catalogue: Send + Sync + 'static {
    fn create_item(&self, item: &NewItem) -> impl Future<Output = Result<Item>> + Send {
        self.create_item_once(item, None)
    }

    /// The item that this request made, now or before.
    fn create_item_once(&self, item: &NewItem, request: Option<RequestId>)
    -> impl Future<Output = Result<Item>> + Send;

    fn item(&self, id: ItemId) -> impl Future<Output = Result<Option<Item>>> + Send;

    /// `None` when there is no such item. The sale starts with generation 1 and state Active.
    fn create_sale(&self, sale: &NewSale) -> impl Future<Output = Result<Option<Sale>>> + Send {
        self.create_sale_once(sale, None)
    }

    /// The sale that this request made, now or before.
    fn create_sale_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
    ) -> impl Future<Output = Result<Option<Sale>>> + Send;

    fn sale(&self, id: SaleId) -> impl Future<Output = Result<Option<Sale>>> + Send;

    /// Newest first.
    fn sales(&self, max: u32) -> impl Future<Output = Result<Vec<Sale>>> + Send {
        self.sales_after(None, max)
    }

    /// Newest first, those that come after this one in that order.
    fn sales_after(&self, after: Option<SaleId>, max: u32) -> impl Future<Output = Result<Vec<Sale>>> + Send;

    /// What is sold in each, of those that there are.
    fn titles(&self, sales: &[SaleId]) -> impl Future<Output = Result<HashMap<SaleId, String>>> + Send;

    /// Sales for which something can still happen: not over, or with a row that is on standby, held, paying or unfreed.
    fn sales_that_matter(&self, now: Timestamp) -> impl Future<Output = Result<Vec<Sale>>> + Send;

    fn set_state(&self, id: SaleId, state: SaleState) -> impl Future<Output = Result<Changed>> + Send;

    /// Capacity is raised here first: a turnstile that lags is too strict, never too generous; the sweeper raises it.
    fn raise(&self, id: SaleId, capacity: u32) -> impl Future<Output = Result<Changed>> + Send;
}
