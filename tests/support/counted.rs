//! A catalogue that counts what it is asked for one sale, and for the newest ones.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use miaosha::domain::people::author::Author;
use miaosha::domain::sale::{Sale, SaleState};
use miaosha::domain::shared::id::{ItemId, RequestId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::Result;
use miaosha::ports::sale::catalogue::{Catalogue, Changed, Item, Moved, NewItem, NewSale, RoundPlace};
use miaosha::ports::sale::restoring::SaleTotals;
use miaosha::ports::sale::showcase::{ListedSale, SaleList, Showcase};
use miaosha::wire::world::World;

pub struct Counted {
    catalogue: Arc<dyn Catalogue>,
    showcase: Arc<dyn Showcase>,
    sales: AtomicU64,
    newest: AtomicU64,
}

impl Counted {
    /// Takes the place of the world's own.
    pub fn within(world: World) -> (World, Arc<Self>) {
        let (catalogue, showcase) = (world.catalogue.clone(), world.showcase.clone());
        let counted = Arc::new(Self { catalogue, showcase, sales: AtomicU64::new(0), newest: AtomicU64::new(0) });
        (World { catalogue: counted.clone(), showcase: counted.clone(), ..world }, counted)
    }

    /// Questions for one sale, at the primary or the copy, and questions for the newest, since the last look.
    pub fn taken(&self) -> (u64, u64) {
        (self.sales.swap(0, Ordering::SeqCst), self.newest.swap(0, Ordering::SeqCst))
    }
}

#[async_trait]
impl Catalogue for Counted {
    async fn create_item_once(&self, item: &NewItem, request: Option<RequestId>, by: Option<&Author>) -> Result<Item> {
        self.catalogue.create_item_once(item, request, by).await
    }

    async fn item(&self, id: ItemId) -> Result<Option<Item>> {
        self.catalogue.item(id).await
    }

    async fn create_sale_once(
        &self,
        sale: &NewSale,
        request: Option<RequestId>,
        by: Option<&Author>,
    ) -> Result<Option<Sale>> {
        self.catalogue.create_sale_once(sale, request, by).await
    }

    async fn sale(&self, id: SaleId) -> Result<Option<Sale>> {
        self.sales.fetch_add(1, Ordering::SeqCst);
        self.catalogue.sale(id).await
    }

    async fn sales_after(&self, after: Option<SaleId>, max: u32) -> Result<Vec<Sale>> {
        self.newest.fetch_add(1, Ordering::SeqCst);
        self.catalogue.sales_after(after, max).await
    }

    async fn titles(&self, sales: &[SaleId]) -> Result<HashMap<SaleId, String>> {
        self.catalogue.titles(sales).await
    }

    async fn sales_that_matter(&self, now: Timestamp) -> Result<Vec<Sale>> {
        self.catalogue.sales_that_matter(now).await
    }

    async fn sales_of(&self, ids: &[SaleId]) -> Result<Vec<Sale>> {
        self.catalogue.sales_of(ids).await
    }

    async fn sales_moved(&self, now: Timestamp, within_ms: i64) -> Result<BTreeMap<SaleId, Moved>> {
        self.catalogue.sales_moved(now, within_ms).await
    }

    async fn sales_round(
        &self,
        after: RoundPlace,
        now: Timestamp,
        max: u32,
    ) -> Result<(Vec<SaleId>, Option<RoundPlace>)> {
        self.catalogue.sales_round(after, now, max).await
    }

    async fn sales_in_round(&self, after: Timestamp) -> Result<u64> {
        self.catalogue.sales_in_round(after).await
    }

    async fn keep_lists(&self, now: Timestamp, max: u32) -> Result<u32> {
        self.catalogue.keep_lists(now, max).await
    }

    async fn set_state_by(&self, id: SaleId, state: SaleState, by: Option<&Author>) -> Result<Changed> {
        self.catalogue.set_state_by(id, state, by).await
    }

    async fn raise_by(&self, id: SaleId, capacity: u32, by: Option<&Author>) -> Result<Changed> {
        self.catalogue.raise_by(id, capacity, by).await
    }
}

#[async_trait]
impl Showcase for Counted {
    async fn sale_shown(&self, id: SaleId) -> Result<Option<Sale>> {
        self.sales.fetch_add(1, Ordering::SeqCst);
        self.showcase.sale_shown(id).await
    }

    async fn sales_shown(&self, list: &SaleList, now: Timestamp, max: u32) -> Result<Vec<ListedSale>> {
        self.showcase.sales_shown(list, now, max).await
    }

    async fn item_shown(&self, id: ItemId) -> Result<Option<Item>> {
        self.showcase.item_shown(id).await
    }

    async fn standing_shown(&self, id: SaleId) -> Result<Option<SaleTotals>> {
        self.showcase.standing_shown(id).await
    }
}
