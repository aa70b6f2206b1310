//! The turnstiles of all sales in this process: the specification itself behind one lock.
//!
//! Nothing is durable here. After a start every sale is missing, answers STALE, and is restored from the ledger.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use crate::domain::sale::Allotment;
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::turn::{Known, Raised, Released, Reserved};
use crate::domain::sale::turnstile::{Ended, Level, Reply, Snapshot, Turnstile};
use crate::domain::shared::id::SaleId;
use crate::ports::{self, Result};

/// Every verb is over before the lock is let go, so that calls are atomic as a script is.
#[derive(Debug, Default)]
pub struct MemoryTurnstile {
    sales: Mutex<HashMap<SaleId, Turnstile>>,
}

impl MemoryTurnstile {
    pub fn new() -> Self {
        Self::default()
    }

    fn sales(&self) -> MutexGuard<'_, HashMap<SaleId, Turnstile>> {
        self.sales.lock().expect("no verb of the state machine panics")
    }

    fn with<T>(&self, sale: SaleId, verb: impl FnOnce(&mut Turnstile) -> Reply<T>) -> Result<Reply<T>> {
        Ok(self.sales().get_mut(&sale).map_or(Reply::Stale, verb))
    }

    /// Puts a state in where there is none, or an older generation.
    fn put(&self, sale: SaleId, snapshot: &Snapshot) -> bool {
        match self.sales().entry(sale) {
            Entry::Occupied(there) if there.get().level().generation >= snapshot.generation => false,
            entry => {
                entry.insert_entry(Turnstile::restore(snapshot.clone()));
                true
            }
        }
    }
}

#[async_trait]
impl ports::sale::turnstile::Turnstile for MemoryTurnstile {
    async fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> Result<()> {
        self.put(sale, &Snapshot::empty(generation, allotment));
        Ok(())
    }

    async fn reserve(&self, sale: SaleId, known: Known, batches: &[&Batch]) -> Result<Reply<Vec<Reserved>>> {
        self.with(sale, |turnstile| turnstile.reserve(known, batches))
    }

    async fn release(&self, sale: SaleId, known: Known, ended: &[Ended]) -> Result<Reply<Vec<Released>>> {
        self.with(sale, |turnstile| turnstile.release(known, ended))
    }

    async fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> Result<Reply<Raised>> {
        self.with(sale, |turnstile| turnstile.raise(known, capacity))
    }

    async fn look(&self, sale: SaleId) -> Result<Option<Level>> {
        Ok(self.sales().get(&sale).map(Turnstile::level))
    }

    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>> {
        let there = self.sales();
        sales.iter().map(|sale| Ok(there.get(sale).map(Turnstile::level))).collect()
    }

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        Ok(self.sales().get(&sale).map(Turnstile::snapshot))
    }

    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool> {
        Ok(self.put(sale, snapshot))
    }

    async fn remove(&self, sale: SaleId) -> Result<()> {
        self.sales().remove(&sale);
        Ok(())
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}
