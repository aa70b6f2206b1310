//! A journal that somebody wrote into by hand, past everything of ours: the first break is found, whichever it is.

use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::app::audit::journal::{Checked, check};
use miaosha::domain::audit::journal::{Action, Subject};
use miaosha::domain::shared::id::SaleId;
use miaosha::ports::audit::journal::Journal;
#[cfg(feature = "servers")]
use sqlx::MySqlConnection;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

#[cfg(feature = "servers")]
use super::mysql;
use super::sqlite;
use crate::contract::ledger::counter::NOW;
use crate::contract::ledger::journal::{author, entry};
#[cfg(feature = "servers")]
use crate::support::servers;

/// What is done to five entries, the one that is said to be broken, how many hold before it, and how it is said.
const TAMPERINGS: [(&str, &str, u64, &str); 9] = [
    ("an actor", "UPDATE journal SET actor = 9 WHERE number = 3", 2, "entry 3 is not what"),
    ("a time", "UPDATE journal SET at = at + 1 WHERE number = 1", 0, "entry 1 is not what"),
    ("what became", "UPDATE journal SET became = '' WHERE number = 5", 4, "entry 5 is not what"),
    ("a digest", "UPDATE journal SET digest = (SELECT digest FROM journal_head) WHERE number = 2", 1, "entry 2 is not"),
    ("one removed", "DELETE FROM journal WHERE number = 3", 2, "entry 3 is missing"),
    ("the last removed", "DELETE FROM journal WHERE number = 5", 4, "entry 5 is missing"),
    ("all removed", "DELETE FROM journal", 0, "entry 1 is missing"),
    ("the head put back", "UPDATE journal_head SET number = 4", 3, "the head says entry 4"),
    (
        "the head forgotten",
        "UPDATE journal_head SET number = 0, digest = x'0000000000000000000000000000000000000000000000000000000000000000'",
        5,
        "entry 1 is behind the head",
    ),
];

async fn five(store: &impl Journal) {
    for number in 1..=5 {
        let entry = entry(author(number, NOW), Action::SaleRaised, Subject::Sale(SaleId(number)));
        assert_eq!(store.write_down(&entry).await.unwrap(), number);
    }
    assert!(check(store).await.unwrap().pass);
}

#[track_caller]
fn is_broken(checked: &Checked, what: &str, entries: u64, words: &str) {
    let broken = checked.broken.as_deref().unwrap_or("nothing");
    assert!(!checked.pass && broken.starts_with(words), "{what}: {broken}");
    assert_eq!(checked.entries, entries, "{what}: {broken}");
}

async fn tampered(store: &SqliteStore, file: &str, sql: &'static str) -> Checked {
    let mut conn = SqliteConnection::connect(file).await.unwrap();
    sqlx::query(sql).execute(&mut conn).await.unwrap();
    check(store).await.unwrap()
}

#[tokio::test]
async fn what_was_tampered_with_is_found() {
    for (what, sql, entries, words) in TAMPERINGS {
        let fresh = sqlite().await;
        five(&fresh.store).await;
        let file = format!("sqlite://{}", fresh.keep.path().join("ledger.db").display());
        is_broken(&tampered(&fresh.store, &file, sql).await, what, entries, words);
    }
}

#[cfg(feature = "servers")]
#[tokio::test]
async fn what_was_tampered_with_is_found_in_mysql() {
    for (what, sql, entries, words) in TAMPERINGS {
        let fresh = mysql().await;
        five(&fresh.store).await;
        let url = servers::mysql_url();
        let (server, _) = url.rsplit_once('/').unwrap();
        let mut conn = MySqlConnection::connect(&format!("{server}/{}", fresh.keep.name)).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
        is_broken(&check(&fresh.store).await.unwrap(), what, entries, words);
        fresh.keep.drop().await;
    }
}

#[tokio::test]
async fn what_is_changed_and_made_good_breaks_the_next() {
    let fresh = sqlite().await;
    five(&fresh.store).await;
    let mut second = fresh.store.entries_after(1, 1).await.unwrap().remove(0);
    let first = fresh.store.entries_after(0, 1).await.unwrap().remove(0);
    second.after = "{}".to_owned();
    let digest = second.digest_after(first.digest);
    let file = format!("sqlite://{}", fresh.keep.path().join("ledger.db").display());
    let mut conn = SqliteConnection::connect(&file).await.unwrap();
    let sql = format!("UPDATE journal SET became = '{{}}', digest = x'{digest}' WHERE number = 2");
    sqlx::query(AssertSqlSafe(sql)).execute(&mut conn).await.unwrap();
    is_broken(&check(&fresh.store).await.unwrap(), "rewritten", 2, "entry 3 is not what");
}
