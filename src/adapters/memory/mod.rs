//! This process's memory: gone with it, and needing nothing.

pub mod payments;
pub mod places;
pub mod signals;
pub mod tries;
pub mod turnstile;
