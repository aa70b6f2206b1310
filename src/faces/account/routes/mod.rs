//! The routes of accounts.

pub mod own;
pub mod people;
pub mod welcome;
