//! What the ledger knows of a sale as a whole: compared with its turnstile, and the turnstile is rebuilt from it.

use async_trait::async_trait;

use crate::domain::sale::Allotment;
use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::Chain;
use crate::domain::sale::turnstile::Snapshot;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::sale::fallback::SaleLease;

/// What the sweeper compares with the turnstile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleTotals {
    pub sale: SaleId,
    pub generation: u64,
    pub allotment: Allotment,
    pub hold_ms: i64,
    /// Of the highest turn of this generation; 0 and the empty chain when there is none.
    pub revision: u64,
    pub chain: Chain,
    /// Units of confirmed reservations.
    pub sold: u32,
    /// Units held or being paid for.
    pub pending: u32,
    /// Units that the house took out of sale.
    pub blocked: u32,
    /// Parties waiting.
    pub standby: u32,
    /// Ended rows not freed yet.
    pub unfreed: u32,
    /// Who has a valid lease on the sale's turnstile; 0 is nobody.
    pub leased_by: u64,
}

impl SaleTotals {
    /// Nothing of the sale is free, held, being paid for or out of sale: only what is given back or added can be had.
    pub fn all_paid(&self) -> bool {
        self.sold >= self.allotment.capacity
    }
}

/// How far the ledger is with a sale: what a turnstile that lost nothing has, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTurn {
    pub sale: SaleId,
    pub generation: u64,
    /// Of the highest turn of this generation; 0 and the empty chain when there is none.
    pub revision: u64,
    pub chain: Chain,
    pub capacity: u32,
    /// Who has a valid lease on the sale's turnstile; 0 is nobody.
    pub leased_by: u64,
}

#[async_trait]
pub trait Restoring: Send + Sync + 'static {
    /// Of these sales, of those that there are.
    async fn last_turns(&self, sales: &[SaleId]) -> Result<Vec<LastTurn>>;

    async fn standing(&self, sale: SaleId) -> Result<Option<SaleTotals>>;

    /// The lowest revision above `after` that has no turn in this generation.
    async fn first_gap(&self, sale: SaleId, generation: u64, after: u64) -> Result<u64>;

    /// Live reservations in canonical form, as a turnstile of the sale's generation would have them; its revision and chain
    /// are those of the highest turn.
    async fn snapshot(&self, sale: SaleId) -> Result<Option<Snapshot>>;

    /// One restore at a time for each sale: the lock ends with its connection. `None` when another process has it.
    async fn lock_restore(&self, sale: SaleId) -> Result<Option<Box<dyn RestoreLock>>>;

    /// The first half of a restore: the sale's generation + 1, the parties that fit promoted by the state machine and written
    /// as holds, ended rows marked freed, and the lease written or given back. `None` when the generation is no longer `from`, or
    /// another process has a valid lease. Returns the state to put into the turnstile and the rows that were promoted.
    async fn restore_under(
        &self,
        sale: SaleId,
        from: u64,
        lease: &SaleLease,
        now: Timestamp,
    ) -> Result<Option<(Snapshot, Vec<Reservation>)>>;

    /// The same by a process that keeps no turnstile in its memory.
    async fn restore(&self, sale: SaleId, from: u64, now: Timestamp) -> Result<Option<(Snapshot, Vec<Reservation>)>> {
        self.restore_under(sale, from, &SaleLease::default(), now).await
    }
}

/// Held while a turnstile is restored. Dropping it, or losing the connection, lets the next one in.
pub trait RestoreLock: Send {}
