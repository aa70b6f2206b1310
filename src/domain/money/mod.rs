//! Paying and giving back: what was bought, how it was paid, and what is owed of it.

pub mod order;
pub mod payment;
