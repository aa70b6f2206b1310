//! The kernel: a scarce unit is claimed by one buyer, held for a while, paid or let go, given to the next in line.
//!
//! Pure: callers bring the time and the ids. Nothing here waits, fails for want of a server, or asks for chance.

pub mod attempt;
pub mod block;
pub mod event;
pub mod fleet;
pub mod id;
pub mod locale;
pub mod money;
pub mod notice;
pub mod order;
pub mod payment;
pub mod receipt;
pub mod reservation;
pub mod sale;
pub mod time;
pub mod trace;
pub mod turn;
pub mod turnstile;
