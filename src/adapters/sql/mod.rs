//! The ledger in SQL. The text is written once, under `text`, and compiled into each dialect beside its `dialect.rs`; what differs
//! between the two is named there and nowhere else.

pub mod mysql;
pub mod sqlite;
