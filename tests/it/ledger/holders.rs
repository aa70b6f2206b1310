//! What a look for a holder costs among 100,000 orders of one sale, as each database says itself.

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::receipts::holder::beginnings_asked;
use miaosha::domain::shared::id::SaleId;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, SqliteConnection};

use super::lists::rows_read;
use super::{database, sqlite};

const ORDERS: usize = 100_000;
const AT_ONCE: usize = 2_000;
const SHOWN: u32 = 20;
/// Two words each: a hundred orders share the second.
const ASKED: [&str; 4] = ["name00042", "name00042 family042", "family042", "nobody"];

/// Statements that fill a sale with the words of its orders.
fn words() -> impl Iterator<Item = String> {
    (0..ORDERS / AT_ONCE).map(|piece| {
        let rows = (piece * AT_ONCE..(piece + 1) * AT_ONCE).flat_map(|order| {
            let family = order % 1_000;
            [
                format!("(1, 'name{order:05}', x'{order:032x}', 1)"),
                format!("(1, 'family{family:03}', x'{order:032x}', 1)"),
            ]
        });
        let rows = rows.collect::<Vec<_>>().join(", ");
        format!("INSERT INTO holder_words (sale, word, reservation, of_name) VALUES {rows}")
    })
}

#[tokio::test]
async fn a_holder_is_found_among_many_without_reading_them_all() {
    let fresh = sqlite().await;
    let file = format!("sqlite://{}", fresh.keep.path().join("ledger.db").display());
    let mut conn = SqliteConnection::connect(&file).await.unwrap();
    for statement in words() {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.unwrap();
    }
    for asked in ASKED {
        let beginnings = beginnings_asked(asked).unwrap();
        for plan in fresh.store.explain_holders(SaleId(1), &beginnings, SHOWN).await.unwrap() {
            assert!(plan.starts_with("SEARCH ") && plan.contains("word>? AND word<?"), "{asked}: {plan}");
        }
    }
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 4).await.unwrap();
    store.migrate().await.unwrap();
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    for statement in words() {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut conn).await.unwrap();
    }
    for asked in ASKED {
        let beginnings = beginnings_asked(asked).unwrap();
        let mut read = 0.0;
        for plan in store.explain_holders(SaleId(1), &beginnings, SHOWN).await.unwrap() {
            rows_read(&serde_json::from_str(&plan).unwrap(), &mut read);
        }
        // Four for each that is shown and for the one behind the last; or, for two words, a family and both words of each.
        assert!(read <= 302.0, "{asked} reads {read} rows");
    }
    database.drop().await;
}
