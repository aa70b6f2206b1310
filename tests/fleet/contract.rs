//! What every adapter of a port must do, of those ports that are tried here.
#![allow(dead_code, reason = "each suite uses its part")]

#[path = "../it/contract/attempts.rs"]
pub mod attempts;
#[path = "../it/contract/ledger/counter.rs"]
pub mod counter;
#[path = "../it/contract/payments.rs"]
pub mod payments;
#[path = "../it/contract/turnstile/mod.rs"]
pub mod turnstile;
