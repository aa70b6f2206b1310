//! Accounts, the codes that prove an address, and how often somebody failed to get in.

pub mod accounts;
pub mod codes;
pub mod operators;
pub mod second_factors;
pub mod sessions;
pub mod tries;
