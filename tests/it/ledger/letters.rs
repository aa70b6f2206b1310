//! What the next letters cost, as each database says itself: as many rows as there are letters asked for, however many wait.

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::mail::log::MailLog;

use super::lists::rows_read;
use super::{database, sqlite};
use crate::contract::ledger::event;

const NOW: Timestamp = Timestamp(1_900_000_000_000);
const ASKED: u32 = 10;

async fn kept(log: &impl MailLog, letters: u64) {
    let events: Vec<_> = (1..=u128::from(letters)).map(event).collect();
    log.keep(&events, NOW).await.unwrap();
    assert_eq!(log.due(NOW, ASKED).await.unwrap().len(), ASKED as usize);
}

#[tokio::test]
async fn letters_that_wait_cost_the_next_ones_nothing_in_sqlite() {
    let fresh = sqlite().await;
    kept(&fresh.store, 20).await;
    let plan = fresh.store.explain_due(NOW, ASKED).await.unwrap();
    assert!(plan.iter().any(|step| step.contains("USING INDEX letters_due (state=? AND due_at<?)")), "{plan:?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{plan:?}");
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn letters_that_wait_cost_the_next_ones_nothing_in_mysql() {
    let (database, url) = database().await;
    let store = MysqlStore::connect(&url, 2).await.unwrap();
    store.migrate().await.unwrap();
    kept(&store, 3_000).await;
    let mut read = 0.0;
    for plan in store.explain_due(NOW, ASKED).await.unwrap() {
        rows_read(&serde_json::from_str(&plan).unwrap(), &mut read);
    }
    assert!(read <= f64::from(ASKED) + 2.0, "{read} rows for {ASKED} letters");
    database.drop().await;
}
