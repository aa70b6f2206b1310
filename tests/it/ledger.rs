//! The durable stores, each on a database of its own: the same suite over every dialect.

use std::ops::Deref;

use miaosha::adapters::sqlite::SqliteStore;

use crate::contract::ledger as contract;

/// A store and what keeps it alive.
struct Fresh<S, K> {
    store: S,
    _keep: K,
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
    Fresh { store, _keep: folder }
}

macro_rules! suite {
    ($($test:ident)*) => {
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
