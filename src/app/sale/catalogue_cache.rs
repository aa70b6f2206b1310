//! What everybody may see of sales, at most some 200 ms old: a crowd that reloads a page must not reach the ledger. A draft is none of it:
//! to everybody but operators there is no such sale.
//!
//! Each figure is fetched by one request at a time; the others wait for it. A fault is not kept: the next one tries again.
//!
//! Ids can be made up faster than they can be remembered. Sales are numbered in the order of their making and none goes away, so
//! that the newest one's number tells what is made up; it is asked for once in the time that a figure may be old.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::sale::{Sale, StandbyUntil};
use crate::domain::shared::id::{ItemId, SaleId};
use crate::ports::Result;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::restoring::{Restoring, SaleTotals};
use crate::ports::sale::showcase::{ListedSale, SaleList, Showcase};

/// Sales remembered at once, at most; beyond that the stale ones go.
pub const REMEMBERED_MAX: usize = 4096;
/// Pages of their list.
const PAGES_MAX: usize = 64;

/// A sale as it is shown.
#[derive(Debug, Clone)]
pub struct CachedSale {
    pub sale: Sale,
    /// Units that are paid for.
    pub sold: u32,
    /// Units neither sold, held nor blocked.
    pub left: u32,
    /// Everything is sold: nothing is left, held or being paid for.
    pub all_paid: bool,
    /// Parties that wait.
    pub standby: u32,
    /// What was looked at later is newer.
    pub looked_at: Instant,
}

impl CachedSale {
    pub fn listed(ListedSale { sale, sold, taken, standby }: ListedSale, looked_at: Instant) -> Self {
        let capacity = sale.allotment.capacity;
        Self { sold, left: capacity.saturating_sub(taken), all_paid: sold >= capacity, standby, looked_at, sale }
    }

    /// Nothing is left, and nobody more may wait for what comes back.
    pub fn is_exhausted(&self) -> bool {
        let ends_with_that = self.sale.standby_until == StandbyUntil::Paid;
        let is_full = self.standby >= self.sale.allotment.standby_max;
        self.left == 0 && (is_full || (self.all_paid && ends_with_that))
    }
}

#[derive(Clone)]
pub struct Needs {
    pub catalogue: Arc<dyn Catalogue>,
    pub restoring: Arc<dyn Restoring>,
    pub showcase: Arc<dyn Showcase>,
    pub clock: Arc<dyn Clock>,
}

pub struct CatalogueCache {
    needs: Needs,
    kept: Kept,
    /// The highest number that a sale was seen to have.
    newest: AtomicU64,
}

/// What is remembered.
struct Kept {
    /// As the ledger has them.
    sales: TtlCache<SaleId, Option<Arc<CachedSale>>>,
    /// As they may be shown.
    seen: TtlCache<SaleId, Option<Arc<CachedSale>>>,
    /// By what was asked.
    pages: TtlCache<SaleList, Arc<Vec<Arc<CachedSale>>>>,
    descriptions: TtlCache<ItemId, Arc<str>>,
    /// The highest number that a sale has, asked for where one is higher than any that was seen.
    newest: TtlCache<(), u64>,
}

impl Kept {
    fn new(age_ms_max: u64) -> Self {
        let age_max = Duration::from_millis(age_ms_max);
        Self {
            sales: TtlCache::new(age_max, REMEMBERED_MAX),
            seen: TtlCache::new(age_max, REMEMBERED_MAX),
            pages: TtlCache::new(age_max, PAGES_MAX),
            descriptions: TtlCache::new(age_max, REMEMBERED_MAX),
            newest: TtlCache::new(age_max, 1),
        }
    }
}

impl CatalogueCache {
    pub fn new(needs: Needs, age_ms_max: u64) -> Self {
        Self { needs, kept: Kept::new(age_ms_max), newest: AtomicU64::new(0) }
    }

    /// Whether there may be a sale of this number. Who made it up costs one question for all who do, and the stores nothing.
    async fn may_be(&self, id: SaleId) -> Result<bool> {
        if id.0 <= self.newest.load(Ordering::Acquire) {
            return Ok(true);
        }
        let fetch = async {
            let newest = self.needs.catalogue.sales(1).await?;
            Ok(newest.first().map_or(0, |sale| sale.id.0))
        };
        let newest = self.kept.newest.get((), fetch).await?;
        self.newest.fetch_max(newest, Ordering::AcqRel);
        Ok(id.0 <= newest)
    }

    /// As it is now, a draft as well: for operators.
    pub async fn as_it_is(&self, id: SaleId) -> Result<Option<Arc<CachedSale>>> {
        let looked_at = Instant::now();
        let Some(sale) = self.needs.catalogue.sale(id).await? else { return Ok(None) };
        let standing = self.needs.restoring.standing(id).await?;
        Ok(Some(shown(sale, standing, looked_at)))
    }

    /// As the ledger has it: for what acts on it, or is told of it.
    pub async fn sale(&self, id: SaleId) -> Result<Option<Arc<CachedSale>>> {
        if !self.may_be(id).await? {
            return Ok(None);
        }
        let fetch = async { Ok(self.as_it_is(id).await?.filter(|shown| !shown.sale.draft)) };
        self.kept.sales.get(id, fetch).await
    }

    /// For who only looks. A copy that has not heard of it cannot say that there is no such sale.
    pub async fn seen(&self, id: SaleId) -> Result<Option<Arc<CachedSale>>> {
        // A ledger that does not answer leaves it to the copy.
        if let Ok(false) = self.may_be(id).await {
            return Ok(None);
        }
        let fetch = async {
            let looked_at = Instant::now();
            // A copy may have as a draft what is published by now.
            match self.needs.showcase.sale_shown(id).await?.filter(|sale| !sale.draft) {
                Some(sale) => {
                    let standing = self.needs.showcase.standing_shown(id).await?;
                    Ok(Some(shown(sale, standing, looked_at)))
                }
                None => self.sale(id).await,
            }
        };
        self.kept.seen.get(id, fetch).await
    }

    /// For who only looks. An item's text stays what it is: a sale that is told otherwise is of another item.
    pub async fn description(&self, item: ItemId) -> Result<Arc<str>> {
        let fetch = async {
            let found = match self.needs.showcase.item_shown(item).await? {
                Some(item) => Some(item),
                None => self.needs.catalogue.item(item).await?,
            };
            Ok(found.map(|item| item.description.into()).unwrap_or_default())
        };
        self.kept.descriptions.get(item, fetch).await
    }

    /// For who only looks. `max` is always the same.
    pub async fn list(&self, list: SaleList, max: u32) -> Result<Arc<Vec<Arc<CachedSale>>>> {
        let fetch = async {
            let looked_at = Instant::now();
            let sales = self.needs.showcase.sales_shown(&list, self.needs.clock.now(), max).await?;
            Ok(Arc::new(sales.into_iter().map(|sale| Arc::new(CachedSale::listed(sale, looked_at))).collect()))
        };
        self.kept.pages.get(list.clone(), fetch).await
    }

    /// An operator who changed a sale sees the change.
    pub fn forget(&self, id: SaleId) {
        self.kept.sales.forget(&id);
        self.kept.seen.forget(&id);
        self.kept.pages.clear();
        self.kept.newest.clear();
    }
}

fn shown(sale: Sale, standing: Option<SaleTotals>, looked_at: Instant) -> Arc<CachedSale> {
    let (standby, sold) = standing.as_ref().map_or((0, 0), |standing| (standing.standby, standing.sold));
    let all_paid = standing.as_ref().is_some_and(SaleTotals::all_paid);
    let gone = standing.map_or(0, |standing| standing.sold + standing.pending + standing.blocked);
    let left = sale.allotment.capacity.saturating_sub(gone);
    Arc::new(CachedSale { sale, sold, left, all_paid, standby, looked_at })
}

type Cell<T> = Arc<tokio::sync::Mutex<Option<(Instant, T)>>>;

/// Values that are fetched anew when they are too old, one fetch of each at a time.
pub struct TtlCache<K, T> {
    age_max: Duration,
    max: usize,
    cells: Mutex<HashMap<K, Cell<T>>>,
}

impl<K: Eq + Hash + Clone, T: Clone> TtlCache<K, T> {
    pub fn new(age_max: Duration, max: usize) -> Self {
        Self { age_max, max, cells: Mutex::default() }
    }

    pub async fn get(&self, key: K, fetch: impl Future<Output = Result<T>>) -> Result<T> {
        let cell = self.cell(key);
        let mut kept = cell.lock().await;
        if let Some((at, value)) = &*kept
            && at.elapsed() < self.age_max
        {
            return Ok(value.clone());
        }
        let at = Instant::now();
        let value = fetch.await?;
        *kept = Some((at, value.clone()));
        Ok(value)
    }

    fn cell(&self, key: K) -> Cell<T> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= self.max && !cells.contains_key(&key) {
            // One that is being fetched is locked, and in use.
            cells.retain(|_, cell| match cell.try_lock() {
                Ok(kept) => kept.as_ref().is_some_and(|(at, _)| at.elapsed() < self.age_max),
                Err(_) => true,
            });
            // So many are wanted at once: this one is fetched and not kept.
            if cells.len() >= self.max {
                return Cell::default();
            }
        }
        cells.entry(key).or_default().clone()
    }

    fn clear(&self) {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn forget(&self, key: &K) {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::sale::showcase::SaleOrder;

    #[tokio::test]
    async fn no_more_are_remembered_than_may_be() {
        let fresh = TtlCache::new(Duration::from_secs(3_600), 3);
        for key in 0..9 {
            assert_eq!(fresh.get(key, async { Ok(key) }).await, Ok(key));
        }
        assert_eq!(fresh.cells.lock().unwrap().len(), 3);
        assert_eq!(fresh.get(2, async { Ok(77) }).await, Ok(2), "what is remembered is not fetched again");
        assert_eq!(fresh.get(8, async { Ok(77) }).await, Ok(77), "what is not, is");
    }

    #[tokio::test]
    async fn so_many_sales_are_remembered() {
        let board = Kept::new(3_600_000);
        for cache in [&board.sales, &board.seen] {
            for id in 0..4_097 {
                cache.get(SaleId(id), async { Ok(None) }).await.unwrap();
            }
            let cells = cache.cells.lock().unwrap();
            assert_eq!(cells.len(), 4_096);
            assert!(!cells.contains_key(&SaleId(4_096)));
        }
    }

    #[tokio::test]
    async fn so_many_pages_are_remembered() {
        let pages = Kept::new(3_600_000).pages;
        let list = |after| SaleList { words: Vec::new(), state: None, order: SaleOrder::Newest { after } };
        for id in 0..65 {
            pages.get(list(Some(SaleId(id))), async { Ok(Arc::default()) }).await.unwrap();
        }
        let cells = pages.cells.lock().unwrap();
        assert_eq!(cells.len(), 64);
        assert!(!cells.contains_key(&list(Some(SaleId(64)))));
    }

    #[tokio::test(start_paused = true)]
    async fn figures_are_shown_until_they_are_too_old() {
        let board = Kept::new(200);
        for cache in [&board.sales, &board.seen] {
            let mut fetches = Vec::new();
            for ms in [0, 199, 1] {
                tokio::time::advance(Duration::from_millis(ms)).await;
                let mut fetched = false;
                let fetch = async {
                    fetched = true;
                    Ok(None)
                };
                cache.get(SaleId(1), fetch).await.unwrap();
                fetches.push(fetched);
            }
            assert_eq!(fetches, [true, false, true]);
        }
    }

    #[tokio::test]
    async fn what_is_stale_makes_room() {
        let fresh = TtlCache::new(Duration::ZERO, 3);
        for key in 0..9 {
            fresh.get(key, async { Ok(()) }).await.unwrap();
        }
        assert!(fresh.cells.lock().unwrap().contains_key(&8));
    }
}
