//! The ledger primary's time, as this process knows it.

use crate::domain::time::Timestamp;

pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// Whether the offset to the ledger's time is known and has not just jumped. A process whose clock is not sure is not ready.
    fn is_sure(&self) -> bool;
}
