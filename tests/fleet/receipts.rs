//! Receipts as other people's programs read them.

pub mod pages;
