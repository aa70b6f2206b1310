//! Sales for everybody's eyes. Where the reads go is the dialect's: to a copy, if it has one.

use async_trait::async_trait;

use super::dialect::Store;
use super::{catalogue, restore};
use crate::domain::sale::Sale;
use crate::domain::shared::id::{ItemId, SaleId};
use crate::ports::Result;
use crate::ports::sale::catalogue::Item;
use crate::ports::sale::restoring::SaleTotals;
use crate::ports::sale::showcase::Showcase;

#[async_trait]
impl Showcase for Store {
    async fn sale_shown(&self, id: SaleId) -> Result<Option<Sale>> {
        self.shown(id, |conn, id| Box::pin(catalogue::fetch(conn, *id))).await
    }

    async fn sales_shown(&self, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>> {
        self.shown((after, max), |conn, &(after, max)| Box::pin(catalogue::newest(conn, after, max))).await
    }

    async fn item_shown(&self, id: ItemId) -> Result<Option<Item>> {
        self.shown(id, |conn, id| Box::pin(catalogue::item(conn, *id))).await
    }

    async fn standing_shown(&self, id: SaleId) -> Result<Option<SaleTotals>> {
        self.shown(id, |conn, id| Box::pin(restore::standing(conn, *id))).await
    }
}
