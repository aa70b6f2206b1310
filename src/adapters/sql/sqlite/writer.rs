//! The one writer. Jobs that arrive while the disk is busy with a commit share the next one: each runs in a savepoint of its
//! own, so that one that fails undoes only itself, and all are answered after the commit that made them durable.

use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::{mpsc, oneshot};

use super::sql::{Verdict, fault};
use crate::ports::platform::tasks::Tasks;
use crate::ports::{Fault, Result};

/// Jobs in one commit, at most.
const GROUP_MAX: usize = 128;
/// Jobs that wait, at most; a caller that comes then waits for a place.
const WAITING_MAX: usize = 1024;

/// Tells a job's caller, once its commit is done. Dropped, it tells that nothing was written.
type Answer = Box<dyn FnOnce() + Send>;
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> BoxFuture<'c, Result<Answer, sqlx::Error>> + Send>;

pub struct Writer {
    pub(super) jobs: mpsc::Sender<Job>,
}

impl Writer {
    /// Ends when the last handle is gone and every job is done.
    pub fn start(conn: SqliteConnection, tasks: &dyn Tasks) -> Self {
        let (jobs, waiting) = mpsc::channel(WAITING_MAX);
        tasks.attend("ledger.writer", Box::pin(run(conn, waiting)));
        Self { jobs }
    }

    /// A caller that goes away changes nothing: what it asked for is done all the same.
    pub async fn write<A, T, J>(&self, name: &'static str, args: A, job: J) -> Result<T>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
        J: for<'c> Fn(&'c mut SqliteConnection, &'c A) -> BoxFuture<'c, Result<Verdict<T>, sqlx::Error>>
            + Send
            + Sync
            + 'static,
    {
        let (tell, told) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            Box::pin(async move {
                execute(conn, "SAVEPOINT job").await?;
                let (kept, answer) = match job(conn, &args).await {
                    Ok(Verdict::Keep(value)) => (true, Ok(value)),
                    Ok(Verdict::Undo(value)) => (false, Ok(value)),
                    Err(error) => (false, Err(fault(error))),
                };
                if !kept {
                    execute(conn, "ROLLBACK TO job").await?;
                }
                execute(conn, "RELEASE job").await?;
                Ok(Box::new(move || drop(tell.send(answer))) as Answer)
            })
        });
        self.jobs.send(job).await.map_err(|_| Fault::new("ledger", "the writer has stopped"))?;
        told.await.map_err(|_| Fault::new("ledger", format!("{name} could not be committed")))?
    }
}

async fn run(mut conn: SqliteConnection, mut waiting: mpsc::Receiver<Job>) {
    while let Some(first) = waiting.recv().await {
        match group(&mut conn, first, &mut waiting).await {
            Ok(answers) => answers.into_iter().for_each(|answer| answer()),
            Err(error) => {
                tracing::error!(%error, "a group of writes failed and was rolled back");
                // It may have been undone by SQLite already.
                let _ = execute(&mut conn, "ROLLBACK").await;
            }
        }
    }
}

async fn group(
    conn: &mut SqliteConnection,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
) -> Result<Vec<Answer>, sqlx::Error> {
    execute(conn, "BEGIN IMMEDIATE").await?;
    let mut answers = vec![first(conn).await?];
    while answers.len() < GROUP_MAX {
        let Ok(job) = waiting.try_recv() else { break };
        answers.push(job(conn).await?);
    }
    execute(conn, "COMMIT").await?;
    Ok(answers)
}

async fn execute(conn: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::query(statement).execute(conn).await.map(|_| ())
}
