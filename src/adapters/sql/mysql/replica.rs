//! The copy that is read for the catalogue, exports and reports. It is late, and decides nothing: its sessions cannot write.
//!
//! Without it the catalogue is read from the primary: what the crowd sees is fetched once for all, so that this is a handful of
//! reads a second, and a shop without its catalogue is closed. Lists and reports are refused instead: reading a million rows from
//! the primary in the middle of a sale is what the copy is there to prevent, and an operator can come again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, MySql, MySqlConnection, MySqlPool, Transaction};

use super::metric::Metric;
use super::{IDLE_UNSEEN_MAX, SNAPSHOT, options};
use crate::adapters::tls::Endpoint;
use crate::ports::{Fault, Result};

/// How long a connection to it may take, and one answer for the catalogue.
const ANSWER_WAIT: Duration = Duration::from_millis(1_000);
/// How long the catalogue does without it after it failed.
const REST: Duration = Duration::from_secs(1);

pub struct Replica {
    pool: MySqlPool,
    rests_until: Mutex<Option<Instant>>,
}

impl Replica {
    /// Connects when it is first asked: no process waits for a replica in order to start.
    pub fn lazily(at: &Endpoint, pool_max: u32) -> Result<Self> {
        Metric::describe();
        let options = options::options(at)?;
        let pool = MySqlPoolOptions::new()
            .max_connections(pool_max)
            .acquire_timeout(ANSWER_WAIT)
            .test_before_acquire(false)
            .before_acquire(|conn, meta| {
                Box::pin(async move {
                    if meta.idle_for > IDLE_UNSEEN_MAX {
                        conn.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|conn, _| Box::pin(prepare_session(conn)))
            .connect_lazy_with(options);
        Ok(Self { pool, rests_until: Mutex::default() })
    }

    pub async fn reader(&self) -> Result<PoolConnection<MySql>> {
        self.pool.acquire().await.map_err(fault)
    }

    pub async fn at_once(&self) -> Result<Transaction<'static, MySql>> {
        self.pool.begin_with(SNAPSHOT).await.map_err(fault)
    }

    /// Several reads of one moment, if they come soon; else the copy is left alone for a while.
    pub async fn shown<A, T, J>(&self, args: &A, job: &J) -> Option<T>
    where
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let answer = if self.rests() { None } else { self.ask(args, job).await };
        if answer.is_none() {
            metrics::counter!(Metric::ReplicaFallbacks.name()).increment(1);
        }
        answer
    }

    async fn ask<A, T, J>(&self, args: &A, job: &J) -> Option<T>
    where
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        match self.try_ask(args, job).await {
            Ok(answer) => Some(answer),
            Err(error) => {
                tracing::warn!(part = "replica", %error, "the replica failed; the catalogue is read from the primary");
                let until = Instant::now() + REST;
                *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
                None
            }
        }
    }

    async fn try_ask<A, T, J>(&self, args: &A, job: &J) -> Result<T, sqlx::Error>
    where
        J: for<'c> Fn(&'c mut MySqlConnection, &'c A) -> BoxFuture<'c, Result<T, sqlx::Error>>,
    {
        let mut conn = self.pool.acquire().await?;
        let reads = async {
            let mut moment = conn.begin_with(SNAPSHOT).await?;
            let answer = job(&mut moment, args).await?;
            moment.rollback().await?;
            Ok(answer)
        };
        match tokio::time::timeout(ANSWER_WAIT, reads).await {
            Ok(answer) => answer,
            Err(_) => {
                // Its answer may still come: the next user of the connection must not read it.
                drop(conn.detach());
                Err(sqlx::Error::PoolTimedOut)
            }
        }
    }

    fn rests(&self) -> bool {
        let until = *self.rests_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }
}

async fn prepare_session(conn: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").execute(&mut *conn).await?;
    sqlx::query("SET SESSION TRANSACTION READ ONLY").execute(conn).await?;
    Ok(())
}

fn fault(error: sqlx::Error) -> Fault {
    Fault::new("replica", error)
}
