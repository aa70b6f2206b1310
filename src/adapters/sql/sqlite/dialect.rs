//! What the shared SQL needs to know of SQLite.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use super::SqliteStore as Store;

pub type Db = sqlx::Sqlite;
pub type Connection = sqlx::SqliteConnection;
pub type Row = sqlx::sqlite::SqliteRow;

pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut steps = sqlx::migrate!("migrations/sqlite/shop");
    // A newer binary may have been here before.
    steps.set_ignore_missing(true);
    steps
});

pub fn inserted_id(done: &sqlx::sqlite::SqliteQueryResult) -> u64 {
    done.last_insert_rowid() as u64
}

/// There is one writer: what a transaction reads nobody changes before it ends.
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

macro_rules! ledger_time {
    () => {
        "CAST(ROUND(unixepoch('subsec') * 1000) AS INTEGER)"
    };
}

pub(super) use {by_index, for_update, insert_new, ledger_time};
