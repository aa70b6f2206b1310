//! What everybody may see of sales, at most some 200 ms old: a crowd that reloads a page must not reach the ledger.
//!
//! Each figure is fetched by one request at a time; the others wait for it. A fault is not kept: the next one tries again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::SaleId;
use crate::domain::sale::Sale;
use crate::ports::catalogue::Catalogue;
use crate::ports::ledger::{Ledger, Standing};
use crate::ports::showcase::Showcase;
use crate::ports::{Result, World};

/// Sales remembered at once, at most; beyond that the stale ones go.
const REMEMBERED_MAX: usize = 4096;

/// A sale as it is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    pub sale: Sale,
    /// Units neither sold, held nor blocked.
    pub left: u32,
    /// Parties that wait.
    pub standby: u32,
    /// What was looked at later is newer.
    pub looked_at: Instant,
}

pub struct Board {
    /// As the ledger has them.
    sales: Fresh<SaleId, Option<Arc<Shown>>>,
    /// As they may be shown.
    seen: Fresh<SaleId, Option<Arc<Shown>>>,
    list: Fresh<(), Arc<Vec<Arc<Shown>>>>,
}

impl Board {
    pub fn new(age_ms_max: u64) -> Self {
        let age_max = Duration::from_millis(age_ms_max);
        Self { sales: Fresh::new(age_max), seen: Fresh::new(age_max), list: Fresh::new(age_max) }
    }

    /// As the ledger has it: for whoever does something with it, or is told of it.
    pub async fn sale<W: World>(&self, world: &W, id: SaleId) -> Result<Option<Arc<Shown>>> {
        let fetch = async {
            let looked_at = Instant::now();
            let Some(sale) = world.store().sale(id).await? else { return Ok(None) };
            let standing = world.store().standing(id).await?;
            Ok(Some(shown(sale, standing, looked_at)))
        };
        self.sales.get(id, fetch).await
    }

    /// For who only looks. A copy that has not heard of it cannot say that there is no such sale.
    pub async fn seen<W: World>(&self, world: &W, id: SaleId) -> Result<Option<Arc<Shown>>> {
        let fetch = async {
            let looked_at = Instant::now();
            match world.store().sale_shown(id).await? {
                Some(sale) => seen(world, sale, looked_at).await.map(Some),
                None => self.sale(world, id).await,
            }
        };
        self.seen.get(id, fetch).await
    }

    /// For who only looks; newest first.
    pub async fn list<W: World>(&self, world: &W, max: u32) -> Result<Arc<Vec<Arc<Shown>>>> {
        let fetch = async {
            let mut list = Vec::new();
            let looked_at = Instant::now();
            for sale in world.store().sales_shown(max).await? {
                let id = sale.id;
                list.extend(self.seen.get(id, async { seen(world, sale, looked_at).await.map(Some) }).await?);
            }
            Ok(Arc::new(list))
        };
        self.list.get((), fetch).await
    }

    /// An operator who changed a sale sees the change.
    pub fn forget(&self, id: SaleId) {
        self.sales.forget(&id);
        self.seen.forget(&id);
        self.list.forget(&());
    }
}

async fn seen<W: World>(world: &W, sale: Sale, looked_at: Instant) -> Result<Arc<Shown>> {
    let standing = world.store().standing_shown(sale.id).await?;
    Ok(shown(sale, standing, looked_at))
}

fn shown(sale: Sale, standing: Option<Standing>, looked_at: Instant) -> Arc<Shown> {
    let standby = standing.as_ref().map_or(0, |standing| standing.standby);
    let gone = standing.map_or(0, |standing| standing.sold + standing.pending + standing.blocked);
    let left = sale.allotment.capacity.saturating_sub(gone);
    Arc::new(Shown { sale, left, standby, looked_at })
}

type Cell<T> = Arc<tokio::sync::Mutex<Option<(Instant, T)>>>;

/// Values that are fetched anew when they are too old, one fetch of each at a time.
pub struct Fresh<K, T> {
    age_max: Duration,
    cells: Mutex<HashMap<K, Cell<T>>>,
}

impl<K: Eq + Hash + Clone, T: Clone> Fresh<K, T> {
    pub fn new(age_max: Duration) -> Self {
        Self { age_max, cells: Mutex::default() }
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
        if cells.len() >= REMEMBERED_MAX && !cells.contains_key(&key) {
            // One that is being fetched is locked, and in use.
            cells.retain(|_, cell| match cell.try_lock() {
                Ok(kept) => kept.as_ref().is_some_and(|(at, _)| at.elapsed() < self.age_max),
                Err(_) => true,
            });
        }
        cells.entry(key).or_default().clone()
    }

    fn forget(&self, key: &K) {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
