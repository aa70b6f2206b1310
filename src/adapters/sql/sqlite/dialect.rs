//! What the shared SQL needs to know of SQLite.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use super::SqliteStore as Store;

pub type Db = sqlx::Sqlite;
pub type Connection = sqlx::SqliteConnection;
pub type Row = sqlx::sqlite::SqliteRow;

pub const EXPLAIN: &str = "EXPLAIN QUERY PLAN";
pub const EXPLAIN_COLUMN: &str = "detail";

pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut steps = sqlx::migrate!("migrations/sqlite/shop");
    // A newer binary may have been here before.
    steps.set_ignore_missing(true);
    steps
});

pub fn inserted_id(done: &sqlx::sqlite::SqliteQueryResult) -> u64 {
    done.last_insert_rowid() as u64
}

/// There is one writer: what a transaction reads does not change before it ends.
macro_rules! for_update {
    () => {
        ""
    };
}

macro_rules! insert_new {
    () => {
        "INSERT OR IGNORE"
    };
}

macro_rules! by_index {
    ($name:literal) => {
        concat!("INDEXED BY ", $name)
    };
}

/// The primary key of a table without row numbers has no name, and is taken where it is in order.
macro_rules! by_primary {
    () => {
        ""
    };
}

/// A join whose right side is looked up for each row of the left.
macro_rules! in_this_order {
    () => {
        "CROSS JOIN"
    };
}

macro_rules! ledger_time {
    () => {
        "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)"
    };
}

pub(super) use {by_index, by_primary, for_update, in_this_order, insert_new, ledger_time};
