//! Accounts.

pub mod accounts;
