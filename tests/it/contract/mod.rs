//! What every adapter of a port must do, written once and run over each.

pub mod attempts;
pub mod events;
pub mod ledger;
pub mod payments;
pub mod places;
pub mod signals;
pub mod tries;
pub mod turnstile;
