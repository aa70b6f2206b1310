//! What the store bounds: who reads at once, and what its writer takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::poll;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::SqliteStore;
use super::sql::Verdict;
use super::writer::Writer;
use crate::kit::work::lifecycle::Lifecycle;

#[test]
fn the_library_is_told_how_it_keeps_the_file() {
    let told = format!("{:?}", super::options("a.sqlite".as_ref()));
    for wanted in ["statement_cache_capacity: 512", r#""wal_autocheckpoint": Some("8000")"#] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
}

/// So many have a connection, and one more waits until one of them is done.
pub(crate) async fn read_at_once(pool: &SqlitePool, max: usize) {
    let mut readers = Vec::new();
    for _ in 0..max {
        readers.push(pool.acquire().await.unwrap());
    }
    let mut next = Box::pin(pool.acquire());
    assert!(timeout(Duration::from_millis(100), &mut next).await.is_err(), "{max} read, and one more");
    readers.pop();
    next.await.unwrap();
}

/// A connection, and how many commits there were.
pub(crate) async fn counted(options: SqliteConnectOptions) -> (SqliteConnection, Arc<AtomicUsize>) {
    let (mut connection, commits) = (options.connect().await.unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = commits.clone();
    connection.lock_handle().await.unwrap().set_commit_hook(move || {
        count.fetch_add(1, Ordering::SeqCst);
        true
    });
    (connection, commits)
}

async fn write(writer: &Writer, number: u32) {
    let job = writer.write("try", number, |conn, number| {
        Box::pin(async move {
            sqlx::query("INSERT INTO tried VALUES (?)").bind(*number).execute(conn).await?;
            Ok(Verdict::Keep(()))
        })
    });
    job.await.unwrap();
}

async fn writer() -> (Writer, Arc<AtomicUsize>) {
    let (mut connection, commits) = counted(SqliteConnectOptions::new().in_memory(true)).await;
    sqlx::raw_sql("CREATE TABLE tried (number INTEGER)").execute(&mut connection).await.unwrap();
    commits.store(0, Ordering::SeqCst);
    (Writer::start(connection, &*Lifecycle::new().tasks()), commits)
}

#[tokio::test]
async fn so_many_readers_of_a_store_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("ledger.sqlite"), Lifecycle::new().tasks()).await.unwrap();
    read_at_once(&store.0.readers, 4).await;
}

#[tokio::test]
async fn so_many_jobs_share_a_commit() {
    for (jobs, wanted) in [(128, 1), (129, 2)] {
        let (writer, commits) = writer().await;
        // All of them come before the writer has its first turn.
        unconstrained(join_all((0..jobs).map(|number| write(&writer, number)))).await;
        assert_eq!(commits.load(Ordering::SeqCst), wanted, "{jobs} jobs");
    }
}

#[tokio::test]
async fn so_many_jobs_wait_for_the_writer() {
    let (writer, _) = writer().await;
    let mut jobs: Vec<_> = (0..1_025).map(|number| Box::pin(write(&writer, number))).collect();
    let fill = async {
        for (place, job) in jobs.iter_mut().enumerate() {
            assert!(poll!(job).is_pending());
            assert_eq!(writer.jobs.capacity(), 1_023_usize.saturating_sub(place));
        }
    };
    unconstrained(fill).await;
    join_all(jobs).await;
}
