//! The turnstile of every sale, wherever its state is kept. `domain::turnstile` says what each verb does.
//!
//! It may be lost or fall back to an older state at any moment; callers notice by the generation and revision they carry.

use async_trait::async_trait;

use crate::domain::sale::Allotment;
use crate::domain::sale::attempt::Batch;
use crate::domain::sale::turn::{Known, Raised, Released, Reserved};
use crate::domain::sale::turnstile::{Ended, Level, Reply, Snapshot};
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::sale::fallback::SaleLease;

#[async_trait]
pub trait Turnstile: Send + Sync + 'static {
    /// Makes the turnstile of a new sale. Where there is one of this or a newer generation, nothing happens.
    async fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> Result<()>;

    /// Idempotent per batch, all of them `sale`'s; one turn for each, in the order given. At most `TURNS_MAX` at once, and no
    /// more attempts in all than one batch may have.
    async fn reserve(&self, sale: SaleId, known: Known, batches: &[&Batch]) -> Result<Reply<Vec<Reserved>>>;

    /// Idempotent per ended reservation; one turn for each, in the order given. At most `TURNS_MAX` at once.
    async fn release(&self, sale: SaleId, known: Known, ended: &[Ended]) -> Result<Reply<Vec<Released>>>;

    /// Idempotent per capacity.
    async fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> Result<Reply<Raised>>;

    /// The few figures others want often; `None` when the sale is missing.
    async fn look(&self, sale: SaleId) -> Result<Option<Level>>;

    /// The same of many, in their order. One that cannot be looked at says nothing of the others.
    async fn look_at(&self, sales: &[SaleId]) -> Vec<Result<Option<Level>>>;

    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>>;

    /// Replaces the whole state if it is missing or of an older generation; says whether it did. Kept answers start empty.
    async fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> Result<bool>;

    /// Forgets the sale: whoever asks then finds it missing, and restores it from the ledger. What is not there is no fault.
    async fn remove(&self, sale: SaleId) -> Result<()>;

    /// Whether it answers at all.
    async fn ping(&self) -> Result<()>;

    /// What a restore of this sale asks for: a lease where the state is to be in this process's memory.
    fn lease(&self, _sale: SaleId) -> SaleLease {
        SaleLease::default()
    }
}

/// Turns of one call, at most: other callers wait meanwhile.
pub const TURNS_MAX: usize = 512;
