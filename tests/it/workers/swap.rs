//! A turnstile that a test can empty, set back, or take away.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock};

use miaosha::domain::attempt::Batch;
use miaosha::domain::id::SaleId;
use miaosha::domain::sale::Allotment;
use miaosha::domain::turn::{Known, Raised, Released, Reserved};
use miaosha::domain::turnstile::{Ended, Level, Reply, Snapshot};
use miaosha::ports::turnstile::Turnstile;
use miaosha::ports::{Fault, Result};

/// Delegates to the turnstile it has at the moment. Clones share it.
pub struct Swap<T>(Arc<Shared<T>>);

struct Shared<T> {
    current: RwLock<Arc<T>>,
    away: AtomicBool,
}

impl<T> Clone for Swap<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Swap<T> {
    pub fn new(turnstile: T) -> Self {
        Self(Arc::new(Shared { current: RwLock::new(Arc::new(turnstile)), away: AtomicBool::new(false) }))
    }

    /// Everything it knew is lost, or it is the one of another time.
    pub fn replace(&self, turnstile: T) {
        *self.0.current.write().unwrap() = Arc::new(turnstile);
    }

    pub fn set_away(&self, away: bool) {
        self.0.away.store(away, Ordering::SeqCst);
    }

    fn now(&self) -> Result<Arc<T>> {
        if self.0.away.load(Ordering::SeqCst) {
            return Err(Fault::new("turnstile", "taken away by the test"));
        }
        Ok(self.0.current.read().unwrap().clone())
    }
}

impl<T: Turnstile> Turnstile for Swap<T> {
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

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>> {
        self.now()?.snapshot(sale).await
    }

    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool> {
        self.now()?.restore(sale, snapshot).await
    }

    async fn ping(&self) -> Result<()> {
        self.now()?.ping().await
    }
}
