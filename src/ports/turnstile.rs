//! The turnstile of every sale, wherever its state is kept. `domain::turnstile` says what each verb does.
//!
//! It may be lost or fall back to an older state at any moment; callers notice by the generation and revision they carry.

use crate::domain::attempt::Batch;
use crate::domain::id::SaleId;
use crate::domain::sale::Allotment;
use crate::domain::turn::{Known, Raised, Released, Reserved};
use crate::domain::turnstile::{Ended, Level, Reply, Snapshot};
use crate::ports::Result;

pub trait Turnstile: Send + Sync + 'static {
    /// Makes the turnstile of a new sale. Where there is one of this or a newer generation, nothing happens.
    fn open(&self, sale: SaleId, generation: u64, allotment: Allotment) -> impl Future<Output = Result<()>> + Send;

    /// Idempotent per batch, all of them `sale`'s; one turn for each, in the order given. At most `TURNS_MAX` at once, and no
    /// more attempts in all than one batch may have.
    fn reserve(
        &self,
        sale: SaleId,
        known: Known,
        batches: &[&Batch],
    ) -> impl Future<Output = Result<Reply<Vec<Reserved>>>> + Send;

    /// Idempotent per ended reservation; one turn for each, in the order given. At most `TURNS_MAX` at once.
    fn release(
        &self,
        sale: SaleId,
        known: Known,
        ended: &[Ended],
    ) -> impl Future<Output = Result<Reply<Vec<Released>>>> + Send;

    /// Idempotent per capacity.
    fn raise(&self, sale: SaleId, known: Known, capacity: u32) -> impl Future<Output = Result<Reply<Raised>>> + Send;

    /// The few figures others want often; `None` when the sale is missing.
    fn look(&self, sale: SaleId) -> impl Future<Output = Result<Option<Level>>> + Send;

    fn snapshot(&self, sale: SaleId) -> impl Future<Output = Result<Option<Snapshot>>> + Send;

    /// Replaces the whole state if it is missing or of an older generation; says whether it did. Kept answers start empty.
    fn restore(&self, sale: SaleId, snapshot: &Snapshot) -> impl Future<Output = Result<bool>> + Send;

    /// Whether it answers at all.
    fn ping(&self) -> impl Future<Output = Result<()>> + Send;
}

/// Turns of one call, at most: whoever else asks waits meanwhile.
pub const TURNS_MAX: usize = 512;
