//! The store of a shop in one process: one SQLite file, one writer, as many readers as are useful.
//!
//! Whatever is answered is on the disk: WAL with full sync, and an answer leaves only after its commit.

mod dialect;
#[path = "../text/mod.rs"]
mod sql;
mod writer;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, Sqlite, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Notify;

use crate::domain::shared::id::SaleId;
use crate::ports::platform::tasks::{AnyTasks, Tasks};
use crate::ports::sale::restoring::RestoreLock;
use crate::ports::{Fault, Result};
use sql::{Verdict, fault};

pub use sql::Sandbox;

/// Pages of 4 KiB in the log before they go into the file, which everybody waits for: at the usual 1,000 a till takes a fifth fewer
/// orders. A shop that was killed reads so many when it starts.
const CHECKPOINT_PAGES: &str = "8000";
/// Texts that a connection keeps prepared: statements over many rows have one for each length.
const STATEMENTS_MAX: usize = 512;
/// Each reader is a thread of its own.
const READERS_MAX: u32 = 4;

#[derive(Clone)]
pub struct SqliteStore(Arc<Inner>);

struct Inner {
    options: SqliteConnectOptions,
    writer: writer::Writer,
    readers: SqlitePool,
    restoring: Mutex<HashSet<SaleId>>,
    outbox: Notify,
}

impl SqliteStore {
    /// Makes the file where there is none; the schema is made by [`SqliteStore::migrate`]. The folder is the shop's own: the
    /// caller makes sure that no other process writes there.
    pub async fn open(path: &Path, tasks: AnyTasks) -> Result<Self> {
        let options = options(path);
        let writer = writer::Writer::start(options.connect().await.map_err(fault)?, &*tasks);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.clone().pragma("query_only", "ON"));
        Ok(Self(Arc::new(Inner { options, writer, readers, restoring: Mutex::default(), outbox: Notify::new() })))
    }

    /// Makes the schema, or brings it up to date, in one transaction.
    pub async fn migrate(&self) -> Result<()> {
        let mut conn = self.0.options.connect().await.map_err(fault)?;
        let mut transaction = conn.begin_with("BEGIN IMMEDIATE").await.map_err(fault)?;
        dialect::MIGRATIONS
            .run_direct(None, &mut *transaction, false)
            .await
            .map_err(|error| Fault::new("ledger", error))?;
        transaction.commit().await.map_err(fault)?;
        conn.close().await.map_err(fault)
    }

    /// Fails when a step of the schema is missing.
    pub async fn verify_schema(&self) -> Result<()> {
        sql::verify_schema(&mut *self.reader().await?).await
    }

    /// The built-in payment provider, with its books in this store's file.
    pub fn sandbox(&self, tasks: &dyn Tasks) -> Sandbox {
        Sandbox::new(self.clone(), tasks)
    }

    /// Rung after a commit that may have written events.
    fn outbox_rows(&self) -> &Notify {
        &self.0.outbox
    }

    async fn reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.0.readers.acquire().await.map_err(fault)
    }

    /// Several reads of one moment.
    async fn at_once(&self) -> Result<Transaction<'static, Sqlite>> {
        self.0.readers.begin().await.map_err(fault)
    }

    /// For long lists: here, a reader like any other.
    async fn list_reader(&self) -> Result<PoolConnection<Sqlite>> {
        self.reader().await
    }

    async fn list_at_once(&self) -> Result<Transaction<'static, Sqlite>> {
        self.at_once().await
    }

    /// Reads of one moment, for the public catalogue.
    async fn shown<A, T, J>(&self, args: A, job: J) -> Result<T>
    where
        J: for<'c> Fn(&'c mut SqliteConnection, &'c A) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        job(&mut *self.at_once().await?, &args).await.map_err(fault)
    }

    /// One transaction: kept or undone as the job says, and undone when it fails.
    async fn transact<A, T, J>(&self, name: &'static str, args: A, job: J) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        J: for<'c> Fn(&'c mut SqliteConnection, &'c A) -> BoxFuture<'c, Result<Verdict<T>, sqlx::Error>>
            + Send
            + Sync
            + 'static,
    {
        self.0.writer.write(name, args, job).await
    }

    async fn try_lock_restore(&self, sale: SaleId) -> Result<Option<Box<dyn RestoreLock>>> {
        let mut restoring = self.0.restoring.lock().unwrap_or_else(PoisonError::into_inner);
        if !restoring.insert(sale) {
            return Ok(None);
        }
        Ok(Some(Box::new(Restoring { store: self.clone(), sale })))
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES)
        .statement_cache_capacity(STATEMENTS_MAX)
        .busy_timeout(Duration::from_secs(5))
}

/// There is one process only: a lock in its memory ends with it.
struct Restoring {
    store: SqliteStore,
    sale: SaleId,
}

impl RestoreLock for Restoring {}

impl Drop for Restoring {
    fn drop(&mut self) {
        self.store.0.restoring.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sale);
    }
}

#[cfg(test)]
pub(crate) mod tests;
