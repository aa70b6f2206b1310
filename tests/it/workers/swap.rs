//! A turnstile that a test can empty, set back, or take away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use async_trait::async_trait;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::attempt::Batch;
use miaosha::domain::sale::turn::{Known, Raised, Released, Reserved};
use miaosha::domain::sale::turnstile::{Ended, Level, Reply, Snapshot};
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::sale::turnstile::Turnstile;
use miaosha::ports::{Fault, Result};

/// Delegates to the turnstile it has at the moment. Clones share it.
#[derive(Clone)]
pub struct Swap(Arc<Shared>);

struct Shared {
    current: RwLock<Arc<dyn Turnstile>>,
    away: AtomicBool,
}

impl Swap {
    pub fn new(turnstile: Arc<dyn Turnstile>) -> Self {
        Self(Arc::new(Shared { current: RwLock::new(turnstile), away: AtomicBool::new(false) }))
    }

    /// Everything it knew is lost, or it is the one of another time.
    pub fn replace(&self, turnstile: Arc<dyn Turnstile>) {
        *self.0.current.write().unwrap() = turnstile;
    }

    pub fn set_away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    fn now(&self) -> Result<Arc<dyn Turnstile>> {
        if self.0.away.load(Ordering::SeqCst) {
            return Err(Fault::new("turnstile", "taken away by the test"));
        }
        Ok(self.0.current.read().unwrap().clone())
    }
}

#[async_trait]
impl Turnstile for Swap {
    async fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> Result<()> {
        self.now()?.open(sale, generation, allotment).await
    }

    async fn reserve(&self, sale: SaleId, known: Known, batches: &[&Batch]) -> Result<Reply<Vec<Reserved>>> {
        self.now()?.reserve(sale, known, batches).await
    }

    async fn release(&self, sale: SaleId, known: Known, ended: &[Ended]) -> Result<Reply<Vec<Released>>> {
        self.now()?.release(sale, known, ended).await
    }

    async fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> Result<Reply<Raised>> {
        self.now()?.raise(sale, known, capacity).await
    }

    async fn look(&self, sale: SaleId) -> Result<Option<Level>> {
        self.now()?.look(sale).await
    }

    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>> {
        match self.now() {
            Ok(turnstile) => turnstile.look_at(sales).await,
            Err(fault) => sales.iter().map(|_| Err(fault.clone())).collect(),
        }
    }

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        self.now()?.snapshot(sale).await
    }

    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool> {
        self.now()?.restore(sale, snapshot).await
    }

    async fn remove(&self, sale: SaleId) -> Result<()> {
        self.now()?.remove(sale).await
    }

    async fn ping(&self) -> Result<()> {
        self.now()?.ping().await
    }
}
