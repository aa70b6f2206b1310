//! The ledger in SQL. The text is written once, under `text`, and compiled into each dialect beside its `dialect.rs`; what differs
//! between the two is named there and nowhere else. How a value lies in a column is in `stored` and `codes`, once for both.

mod codes;
pub mod mysql;
pub mod sqlite;
mod stored;
