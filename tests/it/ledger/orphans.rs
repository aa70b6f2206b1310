//! Payments that no row names, in each database: what no process of ours leaves is written by hand.

use miaosha::adapters::sql::mysql::MysqlStore;
use sqlx::{Connection, MySqlConnection, SqliteConnection};

use super::{database, sqlite};
use crate::contract::ledger::counter::{Counter, NOW, Store};
use crate::support::checkout::{ORPHANED, begin};

async fn are_found<S: Store>(store: S, orphaned: impl AsyncFnOnce()) {
    let mut counter = Counter::open(store.clone(), 1, 0).await;
    let (row, after) = (counter.reserved(&[(1, 1)]).await.remove(0), NOW.plus_ms(1));
    let forgotten = counter.payment(&row, 1);
    begin(&store, &forgotten, row.buyer, NOW).await;
    store.payment_unopened(row.id, forgotten.id, NOW).await.unwrap();
    orphaned().await;
    counter.begin_paying(&row, 2).await;
    assert_eq!(store.orphans(NOW, 9).await.unwrap(), [], "too young");
    assert_eq!(store.orphans(after, 9).await.unwrap(), std::slice::from_ref(&forgotten), "a row names the other");
    store.payment_voided(row.id, forgotten.id, NOW).await.unwrap();
    assert_eq!(store.orphans(after, 9).await.unwrap(), []);
}

#[tokio::test]
async fn orphans_are_found_in_sqlite() {
    let fresh = sqlite().await;
    let url = format!("sqlite://{}", fresh.keep.path().join("ledger.db").display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    are_found(fresh.store, async || {
        sqlx::query(ORPHANED).execute(&mut conn).await.unwrap();
    })
    .await;
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn orphans_are_found_in_mysql() {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 4).await.unwrap();
    store.migrate().await.unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    are_found(store, async || {
        sqlx::query(ORPHANED).execute(&mut conn).await.unwrap();
    })
    .await;
    database.drop().await;
}
