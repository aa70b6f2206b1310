//! The routes of accounts.

pub mod codes;
pub mod own;
pub mod people;
pub mod second_factor;
pub mod sessions;
pub mod welcome;
