//! What lists cost, as each database says itself; and sales that were made before there were any.

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::ports::sale::catalogue::Catalogue;
use miaosha::ports::sale::showcase::{ListedState, SaleList, SaleOrder, Showcase};
use sqlx::{Connection, SqliteConnection};

use super::{database, sqlite};
use crate::contract::ledger::{counter, every_list, many_for_lists};

/// A sale made by a binary that knows nothing of lists is in them as soon as a newer one sorts them.
#[tokio::test]
async fn a_sale_of_before_is_listed() {
    let fresh = sqlite().await;
    let store = &fresh.store;
    let sale = counter::new_sale(store, counter::allotment(1, 0)).await;
    let mut conn = SqliteConnection::connect(&format!("sqlite://{}", fresh.keep.path().join("ledger.db").display()))
        .await
        .unwrap();
    sqlx::query("UPDATE sales SET listing = 0").execute(&mut conn).await.unwrap();
    sqlx::query("DELETE FROM sale_words").execute(&mut conn).await.unwrap();
    let now = counter::NOW;
    let found = async |words: &[&str], state| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let list = SaleList { words, state, order: SaleOrder::Newest { after: None } };
        store.sales_shown(&list, now, 9).await.unwrap().len()
    };
    assert_eq!(found(&[], Some(ListedState::Open)).await, 0);
    assert_eq!(store.keep_lists(now, 9).await.unwrap(), 1);
    assert_eq!((found(&[], Some(ListedState::Open)).await, found(&["座位"], None).await), (1, 1));
    assert_eq!(store.keep_lists(now, 9).await.unwrap(), 1, "and it is open");
    assert_eq!(store.keep_lists(now, 9).await.unwrap(), 0);
    assert_eq!(found(&[], Some(ListedState::Open)).await, 1);
    assert_eq!(store.keep_lists(sale.closes_at, 9).await.unwrap(), 1, "and over");
    assert_eq!(store.keep_lists(sale.closes_at, 9).await.unwrap(), 0);
}

/// Pages of ten at the beginning, in the middle and at the end of a list, whatever it is of: they read as much.
#[tokio::test]
async fn the_last_page_costs_what_the_first_does() {
    let now = counter::NOW;
    let fresh = sqlite().await;
    let whole = many_for_lists(&fresh.store).await;
    for list in every_list(&whole) {
        for plan in fresh.store.explain_list(&list, now, 10).await.unwrap() {
            // Those that opened since the lists were last sorted are few, and put in order by themselves.
            let is_late = plan.contains("sales_listing_opens (listing=? AND opens_at<?)");
            let is_put_in_order = plan == "USE TEMP B-TREE FOR ORDER BY" && is_newest_open(&list);
            // Of all sales only drafts are passed over, from the beginning.
            let is_of_all = list.state.is_none() && plan == "SCAN sales USING INDEX sales_opens";
            let is_found = plan.starts_with("SEARCH ") || is_of_all;
            assert!(is_found || is_late || is_put_in_order, "{list:?}: {plan}");
        }
    }
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 4).await.unwrap();
    store.migrate().await.unwrap();
    let whole = many_for_lists(&store).await;
    for list in every_list(&whole) {
        let mut read = 0.0;
        for plan in store.explain_list(&list, now, 10).await.unwrap() {
            rows_read(&serde_json::from_str(&plan).unwrap(), &mut read);
        }
        // Of each table that is read, and the one behind the last.
        assert!(read <= 33.0, "{list:?} reads {read} rows");
    }
    database.drop().await;
}

fn is_newest_open(list: &SaleList) -> bool {
    list.state == Some(ListedState::Open) && list.words.is_empty() && matches!(list.order, SaleOrder::Newest { .. })
}

/// What a plan that was carried out says of its tables.
pub fn rows_read(plan: &serde_json::Value, read: &mut f64) {
    match plan {
        serde_json::Value::Object(entries) => {
            if let (Some(loops), Some(rows)) = (entries.get("r_loops"), entries.get("r_rows"))
                && entries.contains_key("table_name")
            {
                *read += loops.as_f64().unwrap_or_default() * rows.as_f64().unwrap_or_default();
            }
            entries.values().for_each(|entry| rows_read(entry, read));
        }
        serde_json::Value::Array(entries) => entries.iter().for_each(|entry| rows_read(entry, read)),
        _ => {}
    }
}
