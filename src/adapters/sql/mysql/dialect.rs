//! What the shared SQL needs to know of MySQL and MariaDB.

use std::sync::LazyLock;

use sqlx::migrate::Migrator;

pub use super::MysqlStore as Store;

pub type Db = sqlx::MySql;
pub type Connection = sqlx::MySqlConnection;
pub type Row = sqlx::mysql::MySqlRow;

/// Carries a statement out and says what it read; MariaDB's.
pub const EXPLAIN: &str = "ANALYZE FORMAT=JSON";
pub const EXPLAIN_COLUMN: &str = "ANALYZE";

pub static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut steps = sqlx::migrate!("migrations/mysql/shop");
    // A newer binary may have been here before. The lock is taken by the caller, `migrate`.
    steps.set_ignore_missing(true).set_locking(false);
    steps
});

pub fn inserted_id(done: &sqlx::mysql::MySqlQueryResult) -> u64 {
    done.last_insert_id()
}

/// Also makes the read see what is committed now, not what the transaction's snapshot has.
macro_rules! for_update {
    () => {
        " FOR UPDATE"
    };
}

macro_rules! insert_new {
    () => {
        "INSERT IGNORE"
    };
}

/// A long list is read along this index, whatever the server thinks of it.
macro_rules! by_index {
    ($name:literal) => {
        concat!("FORCE INDEX (", $name, ")")
    };
}

/// As [`by_index`], along the primary key.
macro_rules! by_primary {
    () => {
        "FORCE INDEX (PRIMARY)"
    };
}

/// A join whose right side is looked up for each row of the left.
macro_rules! in_this_order {
    () => {
        "STRAIGHT_JOIN"
    };
}

macro_rules! ledger_time {
    () => {
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000"
    };
}

pub(super) use {by_index, by_primary, for_update, in_this_order, insert_new, ledger_time};
