//! The durable stores, each on a database of its own: the same suite over every dialect.

use std::ops::Deref;

use miaosha::adapters::mysql::MysqlStore;
use miaosha::adapters::sqlite::SqliteStore;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::contract::ledger as contract;
use crate::support::servers;

/// A store and what keeps it alive.
struct Fresh<S, K> {
    store: S,
    #[allow(dead_code)]
    keep: K,
}

impl<S, K> Deref for Fresh<S, K> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.store
    }
}

async fn sqlite() -> Fresh<SqliteStore, tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.db")).await.unwrap();
    store.migrate().await.unwrap();
    store.verify_schema().await.unwrap();
    Fresh { store, keep: folder }
}

/// Of a private server that goes away with its databases: one that a failed test leaves behind does no harm.
struct Database {
    name: String,
}

impl Database {
    async fn drop(self) {
        execute(format!("DROP DATABASE `{}`", self.name)).await;
    }
}

async fn execute(sql: String) {
    let mut conn = MySqlConnection::connect(&servers::mysql_url()).await.unwrap();
    sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
}

/// A database of its own, and its url.
async fn database() -> (Database, String) {
    let name = servers::unique_name();
    execute(format!("CREATE DATABASE `{name}`")).await;
    let url = servers::mysql_url();
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    (Database { name }, url)
}

async fn mysql() -> Fresh<MysqlStore, Database> {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 8).await.unwrap();
    store.migrate().await.unwrap();
    store.verify_schema().await.unwrap();
    Fresh { store, keep: database }
}

macro_rules! suite {
    ($($test:ident)*) => {
        mod over_mysql {
            $(#[tokio::test]
            async fn $test() {
                let fresh = super::mysql().await;
                super::contract::$test(fresh.store.clone()).await;
                fresh.keep.drop().await;
            })*
        }

        mod over_sqlite {
            $(#[tokio::test]
            async fn $test() {
                let fresh = super::sqlite().await;
                super::contract::$test(fresh.store.clone()).await;
            })*
        }
    };
}

suite! {
    a_batch_is_recorded_as_it_was_decided
}
