//! The cluster's store: MySQL 8.0 or MariaDB 10.11, and only what the two share.
//!
//! Every transaction is run again when the server ended it for another's sake: deadlocks are part of the day. Sessions are set
//! to the isolation that the SQL was written for, whatever the server's default is.

mod dialect;
mod metric;
mod options;
mod replica;
#[path = "../text/mod.rs"]
mod sql;

use std::sync::Arc;
use std::time::Duration;

use backon::Retryable;
use futures_util::future::BoxFuture;
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection as _, MySql, MySqlConnection, MySqlPool, Transaction};
use tokio::sync::Notify;

use crate::adapters::tls::Endpoint;
use crate::domain::shared::id::SaleId;
use crate::kit::work::backoff::doubling;
use crate::ports::platform::tasks::Tasks;
use crate::ports::sale::restoring::RestoreLock;
use crate::ports::{Fault, Result};
use replica::Replica;
use sql::{Verdict, fault};

pub use sql::Sandbox;

/// Tries of one transaction, at most.
const TRIES_MAX: usize = 20;
const RETRY_MS_MAX: u64 = 100;
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// A connection that was idle for longer is asked whether it still lives before it is used.
const IDLE_UNSEEN_MAX: Duration = Duration::from_secs(1);
const MIGRATE_WAIT_S: i64 = 60;
const SNAPSHOT: &str = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

#[derive(Clone)]
pub struct MysqlStore {
    options: MySqlConnectOptions,
    pool: MySqlPool,
    outbox: Arc<Notify>,
    replica: Option<Arc<Replica>>,
}

impl MysqlStore {
    /// Whether we could try to connect: what can be wrong with the URL alone.
    pub fn check(at: &Endpoint) -> Result<()> {
        options::options(at).map(drop)
    }

    /// Fails when the server cannot be reached. The schema is made by [`MysqlStore::migrate`].
    pub async fn connect(at: impl Into<Endpoint>, pool_max: u32) -> Result<Self> {
        let options = options::options(&at.into())?;
        let pool = MySqlPoolOptions::new()
            .max_connections(pool_max)
            .acquire_timeout(ACQUIRE_TIMEOUT)
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    if is_unseen(meta.idle_for) {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|conn, _| Box::pin(prepare_session(conn)))
            .connect_with(options.clone())
            .await
            .map_err(fault)?;
        Ok(Self { options, pool, outbox: Arc::default(), replica: None })
    }

    /// Reads for the catalogue, for exports and for reports from a copy, whether it is there yet or not.
    pub fn with_replica(self, at: impl Into<Endpoint>, pool_max: u32) -> Result<Self> {
        Ok(Self { replica: Some(Arc::new(Replica::lazily(&at.into(), pool_max)?)), ..self })
    }

    /// Makes the schema, or brings it up to date. A process that comes meanwhile waits, and finds nothing left to do: the lock
    /// is our own, because the library asks for one without an end, which MariaDB does not give, and does not look.
    pub async fn migrate(&self) -> Result<()> {
        let mut conn = self.options.connect().await.map_err(fault)?;
        if !get_lock(&mut conn, "migrate", MIGRATE_WAIT_S).await.map_err(fault)? {
            return Err(Fault::new(
                "ledger",
                format!("another process has been migrating for over {MIGRATE_WAIT_S} s"),
            ));
        }
        dialect::MIGRATIONS.run_direct(None, &mut conn, false).await.map_err(|error| Fault::new("ledger", error))?;
        conn.close().await.map_err(fault)
    }

    /// Fails when a step of the schema is missing.
    pub async fn verify_schema(&self) -> Result<()> {
        sql::verify_schema(&mut *self.reader().await?).await
    }

    pub async fn ping(&self) -> Result<()> {
        self.reader().await?.ping().await.map_err(fault)
    }

    /// The built-in payment provider, with its books in this store's database.
    pub fn sandbox(&self, tasks: &dyn Tasks) -> Sandbox {
        Sandbox::new(self.clone(), tasks)
    }

    /// Rung after a commit that may have written events.
    fn outbox_rows(&self) -> &Notify {
        &self.outbox
    }

    async fn reader(&self) -> Result<PoolConnection<MySql>> {
        self.pool.acquire().await.map_err(fault)
    }

    /// Several reads of one moment.
    async fn at_once(&self) -> Result<Transaction<'static, MySql>> {
        self.pool.begin_with(SNAPSHOT).await.map_err(fault)
    }

    /// For long lists.
    async fn list_reader(&self) -> Result<PoolConnection<MySql>> {
        match &self.replica {
            Some(replica) => replica.reader().await,
            None => self.reader().await,
        }
    }

    async fn list_at_once(&self) -> Result<Transaction<'static, MySql>> {
        match &self.replica {
            Some(replica) => replica.at_once().await,
            None => self.at_once().await,
        }
    }

    /// Reads of one moment, for the public catalogue.
    async fn shown<A, T, J>(&self, args: A, job: J) -> Result<T>
    where
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        if let Some(replica) = &self.replica
            && let Some(answer) = replica.shown(&args, &job).await
        {
            return Ok(answer);
        }
        job(&mut *self.at_once().await?, &args).await.map_err(fault)
    }

    /// One transaction: kept or undone as the job says, undone when it fails, and tried again after a deadlock.
    async fn transact<A, T, J>(&self, name: &'static str, args: A, job: J) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<Verdict<T>, sqlx::Error>>
            + Send
            + Sync
            + 'static,
    {
        // Jitter makes it up to twice as long: those that were in each other's way do not come again in the same moment.
        let waits = doubling(Duration::from_millis(1), Duration::from_millis(RETRY_MS_MAX) / 2);
        let waits = waits.with_jitter().with_max_times(TRIES_MAX - 1);
        let tries = (|| self.try_transact(&args, &job)).retry(waits).when(was_in_the_way);
        let tries =
            tries.notify(|error, _| tracing::debug!(transaction = name, %error, "a transaction is tried again"));
        tries.await.map_err(fault)
    }

    async fn try_transact<A, T, J>(&self, args: &A, job: &J) -> Result<T, sqlx::Error>
    where
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<Verdict<T>, sqlx::Error>>,
    {
        let mut transaction = self.pool.begin().await?;
        let done = job(&mut transaction, args).await;
        if let Ok(Verdict::Keep(value)) = done {
            transaction.commit().await?;
            return Ok(value);
        }
        // Now, not when the connection is used next: others wait for the locks.
        let undone = transaction.rollback().await;
        match done? {
            Verdict::Keep(value) | Verdict::Undo(value) => undone.map(|()| value),
        }
    }

    async fn try_lock_restore(&self, sale: SaleId) -> Result<Option<Box<dyn RestoreLock>>> {
        let mut conn = self.options.connect().await.map_err(fault)?;
        let locked = get_lock(&mut conn, &format!("restore.{sale}"), 0).await.map_err(fault)?;
        Ok(if locked { Some(Box::new(Restoring { _conn: conn })) } else { None })
    }
}

/// The server lets go of the lock when the connection ends, however it ends.
struct Restoring {
    _conn: MySqlConnection,
}

impl RestoreLock for Restoring {}

async fn prepare_session(conn: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *conn).await?;
    sqlx::query("SET SESSION innodb_lock_wait_timeout = 5").execute(conn).await?;
    Ok(())
}

/// A lock of this database, and not of its neighbours on the server; only a clear yes counts.
async fn get_lock(conn: &mut MySqlConnection, what: &str, wait_s: i64) -> Result<bool, sqlx::Error> {
    let given: Option<i64> =
        sqlx::query_scalar("/* lock */ SELECT GET_LOCK(CONCAT('miaosha.', LEFT(MD5(DATABASE()), 16), '.', ?), ?)")
            .bind(what.to_owned())
            .bind(wait_s)
            .fetch_one(conn)
            .await?;
    Ok(given == Some(1))
}

/// The server ended this transaction so that another could go on: 1205 is a lock not given in time, 1213 a deadlock, and
/// 1020 a row that changed after the snapshot, where MariaDB is strict about that.
fn was_in_the_way(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>()) else {
        return false;
    };
    matches!(error.number(), 1020 | 1205 | 1213)
}

fn is_unseen(idle: Duration) -> bool {
    idle > IDLE_UNSEEN_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_was_idle_for_long_is_asked_first() {
        assert!(!is_unseen(Duration::from_secs(1)));
        assert!(is_unseen(Duration::from_nanos(1_000_000_001)));
    }
}
