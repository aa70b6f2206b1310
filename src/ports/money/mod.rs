//! Paying and giving back: what the ledger remembers of it, and the payment provider.

pub mod orders;
pub mod paying;
pub mod payments;
pub mod refunds;
pub mod sweeping;
pub mod trial;
