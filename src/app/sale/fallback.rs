//! Two turnstiles behind one port: the store that keeps those of all sales, and this process's memory for those that it decides
//! itself while the store is away.
//!
//! Where a sale is, is a choice of this process and says nothing about who may decide it: that is the generation's alone. A memory
//! of an older generation than its caller has read is dropped, for the sale went on without it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::domain::sale::Allotment;
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::turn::{Known, Raised, Released, Reserved};
use crate::domain::sale::turnstile::{Ended, Level, Reply, Snapshot};
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::sale::fallback::SaleLease;
use crate::ports::sale::turnstile::Turnstile;

pub struct FallbackTurnstile {
    store: Arc<dyn Turnstile>,
    memory: Arc<dyn Turnstile>,
    lease: SaleLease,
    /// Sales that are decided from the memory, and since when the store has answered for each without a fault.
    here: Mutex<HashMap<SaleId, Option<Instant>>>,
}

impl FallbackTurnstile {
    /// `lease` is what this process asks for. The memory is its own.
    pub fn new(store: Arc<dyn Turnstile>, memory: Arc<dyn Turnstile>, lease: SaleLease) -> Self {
        Self { store, memory, lease, here: Mutex::default() }
    }

    /// The next restore of this sale goes into the memory; until then it is missing there.
    pub fn take(&self, sale: SaleId) {
        self.here().insert(sale, None);
    }

    /// From now on the store is asked again, and what the memory knew is gone.
    pub async fn forget(&self, sale: SaleId) {
        self.here().remove(&sale);
        // There is no fault that a memory could have.
        let _ = self.memory.remove(sale).await;
    }

    pub fn sales(&self) -> Vec<SaleId> {
        self.here().keys().copied().collect()
    }

    /// Of the memory's turnstile.
    pub async fn generation(&self, sale: SaleId) -> Option<u64> {
        self.memory.look(sale).await.ok().flatten().map(|level| level.generation)
    }

    /// Asks the store for the sale: for how long it has answered by now, each time that it was asked.
    pub async fn store_is_well_for(&self, sale: SaleId) -> Option<Duration> {
        let answers = self.store.look(sale).await.is_ok();
        let mut here = self.here();
        let since = here.get_mut(&sale)?;
        *since = answers.then(|| since.unwrap_or_else(Instant::now));
        since.map(|since| since.elapsed())
    }

    fn here(&self) -> MutexGuard<'_, HashMap<SaleId, Option<Instant>>> {
        self.here.lock().expect("no holder of the sales that are here panics")
    }

    fn of(&self, sale: SaleId) -> &dyn Turnstile {
        if self.here().contains_key(&sale) { &*self.memory } else { &*self.store }
    }

    async fn knowing(&self, sale: SaleId, known: Known) -> &dyn Turnstile {
        if self.generation(sale).await.is_some_and(|generation| generation < known.generation) {
            tracing::warn!(sale.id = %sale, sale.generation = known.generation, "the sale went on without this memory");
            self.forget(sale).await;
        }
        self.of(sale)
    }
}

#[async_trait]
impl Turnstile for FallbackTurnstile {
    async fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> Result<()> {
        self.of(sale).open(sale, generation, allotment).await
    }

    async fn reserve(&self, sale: SaleId, known: Known, batches: &[&Batch]) -> Result<Reply<Vec<Reserved>>> {
        self.knowing(sale, known).await.reserve(sale, known, batches).await
    }

    async fn release(&self, sale: SaleId, known: Known, ended: &[Ended]) -> Result<Reply<Vec<Released>>> {
        self.knowing(sale, known).await.release(sale, known, ended).await
    }

    async fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> Result<Reply<Raised>> {
        self.knowing(sale, known).await.raise(sale, known, capacity).await
    }

    async fn look(&self, sale: SaleId) -> Result<Option<Level>> {
        self.of(sale).look(sale).await
    }

    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>> {
        join_all(sales.iter().map(|sale| self.look(*sale))).await
    }

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        self.of(sale).snapshot(sale).await
    }

    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool> {
        self.of(sale).restore(sale, snapshot).await
    }

    async fn remove(&self, sale: SaleId) -> Result<()> {
        self.forget(sale).await;
        self.store.remove(sale).await
    }

    async fn ping(&self) -> Result<()> {
        self.store.ping().await
    }

    fn lease(&self, sale: SaleId) -> SaleLease {
        let ms = if self.here().contains_key(&sale) { self.lease.ms } else { 0 };
        SaleLease { ms, ..self.lease }
    }
}
