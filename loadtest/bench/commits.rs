//! The reference of orders: transactions of two inserts, and nothing else, on as many connections; in the store that the shop has.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, MySqlConnection};
use tokio::sync::Mutex;

const INSERTS: [&str; 2] = ["INSERT INTO bench_a VALUES (?, 'a word')", "INSERT INTO bench_b VALUES (?, 'a word')"];

/// Commits per second, of a connection each.
pub async fn by_mariadb(url: &str, connections: usize, counted: Duration) -> Result<f64, sqlx::Error> {
    let mut connection = MySqlConnection::connect(url).await?;
    let tables = "CREATE TABLE IF NOT EXISTS bench_a (id BIGINT PRIMARY KEY, word VARCHAR(64)) ENGINE = InnoDB; \
                  CREATE TABLE IF NOT EXISTS bench_b (id BIGINT PRIMARY KEY, word VARCHAR(64)) ENGINE = InnoDB; \
                  TRUNCATE bench_a; TRUNCATE bench_b";
    sqlx::raw_sql(tables).execute(&mut connection).await?;
    let writers = try_join_all((0..connections).map(|_| MySqlConnection::connect(url))).await?;
    per_second(writers, counted, async |connection, id| {
        let mut transaction = connection.begin().await?;
        for insert in INSERTS {
            transaction.execute(sqlx::query(insert).bind(id)).await?;
        }
        transaction.commit().await
    })
    .await
}

/// Commits per second of a file as the shop opens its own: it has one writer, and they take turns.
pub async fn by_sqlite(file: &Path, connections: usize, counted: Duration) -> Result<f64, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
    let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await?;
    for table in ["bench_a", "bench_b"] {
        let make = format!("DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id INTEGER PRIMARY KEY, word TEXT)");
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&mut connection).await?;
    }
    let writer = Mutex::new(connection);
    per_second(vec![&writer; connections], counted, async |writer, id| {
        let mut connection = writer.lock().await;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for insert in INSERTS {
            transaction.execute(sqlx::query(insert).bind(id)).await?;
        }
        transaction.commit().await
    })
    .await
}

/// What these writers commit for so long, each one row after the other.
async fn per_second<W>(
    writers: Vec<W>,
    counted: Duration,
    commit: impl AsyncFn(&mut W, i64) -> Result<(), sqlx::Error>,
) -> Result<f64, sqlx::Error> {
    let (next, begun) = (AtomicU64::new(1), Instant::now());
    let writers = writers.into_iter().map(async |mut writer| {
        let mut commits = 0_u64;
        while begun.elapsed() < counted {
            commit(&mut writer, next.fetch_add(1, Ordering::Relaxed) as i64).await?;
            commits += 1;
        }
        Ok::<_, sqlx::Error>(commits)
    });
    let commits: u64 = try_join_all(writers).await?.into_iter().sum();
    Ok(commits as f64 / begun.elapsed().as_secs_f64())
}
