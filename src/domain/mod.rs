//! The kernel: a scarce unit is claimed by one buyer, held for a while, paid or let go, given to the next in line.
//!
//! Pure: callers bring the time and the ids. Nothing here waits, fails for want of a server, or asks for randomness.

pub mod audit;
pub mod fleet;
pub mod money;
pub mod people;
pub mod receipts;
pub mod sale;
pub mod seating;
pub mod shared;
