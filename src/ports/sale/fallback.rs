//! Who decides a sale from its own memory while the turnstiles' store is away: a lease on the sale's row, valid by the ledger's time.
//!
//! While it is valid others leave that sale's turnstile to its holder; after that anybody may restore it. It keeps two of them from
//! restoring each other's turnstile for ever. What it is not is a fence: that is the generation's alone.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::shared::id::SaleId;
use crate::ports::Result;

/// What a process asks for when it restores a sale. One that keeps no turnstile in its memory asks for none, as nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SaleLease {
    /// The process; 0 is nobody.
    pub by: u64,
    /// How long from now; 0 gives it back.
    pub ms: i64,
    /// Over how many queues that process knows the attempts to be spread.
    pub partitions: u16,
}

impl SaleLease {
    /// Whether the sale's turnstile is this process's to work with, when that one has a valid lease.
    pub fn admits(&self, leased_by: u64) -> bool {
        leased_by == 0 || leased_by == self.by
    }
}

#[async_trait]
pub trait Fallbacks: Send + Sync + 'static {
    /// False when the lease is another's by now, or the sale of another generation.
    async fn renew(&self, sale: SaleId, generation: u64, lease: &SaleLease) -> Result<bool>;

    /// From now on anybody may restore it. Nothing happens when the lease is another's.
    async fn give_back(&self, sale: SaleId, by: u64) -> Result<()>;

    /// Whether an operator said that this sale may be decided from a memory.
    async fn is_wanted(&self, sale: SaleId) -> Result<bool>;

    /// Says so, or takes it back; false when there is no such sale. It is in the journal with its effect, if somebody answers for it.
    async fn want(&self, sale: SaleId, wanted: bool, by: Option<&Author>) -> Result<bool>;

    /// All sales with a valid lease.
    async fn leased(&self) -> Result<Vec<(SaleId, SaleLease)>>;
}
