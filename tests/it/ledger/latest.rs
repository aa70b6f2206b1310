//! What a look costs, as each database says itself: one row of a buyer, however many have ended.

use std::collections::BTreeSet;

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, SqliteConnection};

use super::lists::rows_read;
use super::{database, sqlite};
use crate::contract::ledger::counter::{Counter, NOW, Store};

const BUYER: BuyerId = BuyerId(1);

/// As many holds that were cancelled, and as many parties that were, of one buyer, each older than the one before.
fn ended(sale: SaleId, rows: i64) -> String {
    let row = |number: i64| {
        let lapses_at = if number % 2 == 0 { "NULL".to_owned() } else { NOW.0.to_string() };
        let at = NOW.0 - number;
        format!("(X'{number:032x}', {sale}, {}, 1, 6, X'', {lapses_at}, 2, 1, {at}, {at})", BUYER.0)
    };
    let rows: Vec<String> = (1..=rows).map(row).collect();
    format!(
        "INSERT INTO reservations (id, sale, buyer, quantity, state, units, lapses_at, version, freed, created_at, updated_at) \
         VALUES {}",
        rows.join(", ")
    )
}

/// What the buyer sees, and another one beside.
async fn looks<S: Store>(store: &S, sale: SaleId) -> (String, String, String) {
    let asked = [BUYER, BuyerId(2)];
    let mut places = store.places(sale, &asked).await.unwrap();
    places.sort_by_key(|place| place.row.buyer);
    let past = store.past(sale, BUYER, 3).await.unwrap();
    (format!("{places:?}"), format!("{:?}", store.reservation_of(sale, BUYER).await.unwrap()), format!("{past:?}"))
}

/// A sale in which one buyer cancelled a hold and another one has it.
async fn with_one_ended<S: Store>(store: S) -> SaleId {
    let mut counter = Counter::open(store, 1, 1).await;
    let first = counter.reserved(&[(BUYER.0, 1)]).await.remove(0);
    counter.store.cancel(first.id, first.buyer, NOW.plus_ms(9_000)).await.unwrap();
    let turn = counter.release(first.id);
    counter.recorded(&[turn]).await;
    counter.reserved(&[(2, 1)]).await;
    counter.sale.id
}

#[tokio::test]
async fn what_has_ended_costs_no_look_in_sqlite() {
    let fresh = sqlite().await;
    let sale = with_one_ended(fresh.store.clone()).await;
    let before = looks(&fresh.store, sale).await;
    let url = format!("sqlite://{}", fresh.keep.path().join("ledger.db").display());
    let mut conn = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(ended(sale, 2_000))).execute(&mut conn).await.unwrap();
    let (places, own, past) = looks(&fresh.store, sale).await;
    assert_eq!((&places, &own), (&before.0, &before.1), "the newest is what is read");
    assert_eq!(past.matches("EndedHold").count(), 3, "{past}");
    let plan: BTreeSet<String> = fresh.store.explain_looks(sale, &[BUYER]).await.unwrap().into_iter().collect();
    let along = "INDEX reservations_latest (sale=? AND buyer=? AND split_of=?)";
    assert!(plan.iter().any(|step| step.starts_with("SEARCH r USING") && step.ends_with(along)), "{plan:?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE") || step.contains("SCAN reservations")), "{plan:?}");
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn what_has_ended_costs_no_look_in_mysql() {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 4).await.unwrap();
    store.migrate().await.unwrap();
    let sale = with_one_ended(store.clone()).await;
    let read = async || {
        let mut read = 0.0;
        for plan in store.explain_looks(sale, &[BUYER, BuyerId(2)]).await.unwrap() {
            rows_read(&serde_json::from_str(&plan).unwrap(), &mut read);
        }
        read
    };
    let (before, read_before) = (looks(&store, sale).await, read().await);
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(ended(sale, 2_000))).execute(&mut conn).await.unwrap();
    let (places, own, past) = looks(&store, sale).await;
    assert_eq!((&places, &own), (&before.0, &before.1), "the newest is what is read");
    assert_eq!(past.matches("EndedHold").count(), 3, "{past}");
    assert!(read().await <= read_before + 2.0, "{read_before} rows before, {} after", read().await);
    database.drop().await;
}
