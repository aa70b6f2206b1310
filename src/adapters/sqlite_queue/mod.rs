//! Attempts and events in one file: the embedded world's way in, durable before anything is accepted, and its way out.
//!
//! One writer, whose transactions take everything that waits for it, so that a crowd of submits shares one disk flush. Row
//! order is queue order. There is no lease in the file: who is active is known to this process alone, so after a start
//! none is, and what was not acknowledged comes again, in order.

mod events;
mod lag;
mod subscription;
mod writer;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, SqliteConnection, SqlitePool};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::domain::sale::attempt::Batch;
use crate::domain::shared::id::BatchId;
use crate::domain::shared::trace::Mark;
use crate::ports::platform::parked::{Parked, ParkedMessage};
use crate::ports::platform::tasks::AnyTasks;
use crate::ports::sale::attempts::{Attempts, Shed, partition_of};
use crate::ports::{Fault, Result, Source, Subscription};

use subscription::SqliteSubscription;
use writer::{Command, Writer};

/// Readers beside the writer; a read is a few rows by primary key.
const READERS_MAX: u32 = 4;
/// Batches whose traces are remembered; the oldest are forgotten first.
const TRACED_MAX: usize = 64;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS attempts (
    -- Never used twice: a subscriber remembers the last one it saw.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_in_order ON attempts (part, id);
CREATE TABLE IF NOT EXISTS parked (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    part INTEGER NOT NULL,
    why TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;";

#[derive(Clone)]
pub struct SqliteQueue(Arc<Shared>);

struct Shared {
    readers: SqlitePool,
    parts: Arc<[Part]>,
    marks: Marks,
    lines: Arc<[events::Line]>,
    messages_max: u64,
    /// Whether the last transaction was committed.
    up: Arc<AtomicBool>,
    /// Not bounded by itself: what is in it counts against `messages_max`.
    writer: UnboundedSender<Command>,
}

/// Which attempts on their way are traced. In memory: the same process reads them, and one that crashed has lost a picture.
#[derive(Default)]
struct Marks(Mutex<VecDeque<(BatchId, Vec<Mark>)>>);

impl Marks {
    fn keep(&self, batch: &Batch) {
        if batch.traced.is_empty() {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= TRACED_MAX {
            kept.pop_front();
        }
        kept.push_back((batch.id, batch.traced.clone()));
    }

    /// Left where they are: a batch may come again.
    fn of(&self, batch: BatchId) -> Vec<Mark> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(id, _)| *id == batch).map_or_else(Vec::new, |(_, marks)| marks.clone())
    }
}

struct Part {
    /// One permit: its holder is the active subscriber, and the others wait in line.
    active: Arc<Semaphore>,
    /// Rows not acknowledged yet, counting those on their way into the file.
    messages: AtomicU64,
    /// Rows were added.
    added: Notify,
}

impl Part {
    /// Saturates: a row that was written into the file by hand was never counted.
    fn forget(&self, rows: u64) {
        let less = |count: u64| Some(count.saturating_sub(rows));
        let _ = self.messages.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}

impl SqliteQueue {
    pub async fn open(path: &Path, partitions: u16, messages_max: u64, tasks: AnyTasks) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Readers and the writer do not wait for each other.
            .journal_mode(SqliteJournalMode::Wal)
            // A commit is on the disk when it returns: an accepted attempt stays accepted when the machine loses power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .disable_statement_logging();
        let mut connection = options.connect().await.map_err(fault)?;
        let messages = prepare(&mut connection, partitions).await?;
        let parts: Arc<[Part]> = messages
            .into_iter()
            .map(|messages| Part {
                active: Arc::new(Semaphore::new(1)),
                messages: AtomicU64::new(messages),
                added: Notify::new(),
            })
            .collect();
        let lines = events::lines(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .test_before_acquire(false)
            .connect_lazy_with(options.read_only(true));
        let up = Arc::new(AtomicBool::new(true));
        let (writer, commands) = unbounded_channel();
        let run = Writer::new(connection, commands, parts.clone(), lines.clone(), up.clone()).run();
        tasks.attend("queue.writer", Box::pin(run));
        Ok(Self(Arc::new(Shared { readers, parts, marks: Marks::default(), lines, messages_max, up, writer })))
    }
}

/// Makes the tables, and counts what every part holds.
async fn prepare(connection: &mut SqliteConnection, partitions: u16) -> Result<Vec<u64>> {
    for schema in [SCHEMA, events::SCHEMA] {
        sqlx::raw_sql(schema).execute(&mut *connection).await.map_err(fault)?;
    }
    let before: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(fault)?;
    let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT part, count(*) FROM attempts GROUP BY part")
        .fetch_all(&mut *connection)
        .await
        .map_err(fault)?;
    // Rows dealt to other parts would lose their order, or would never be read.
    if !rows.is_empty() && before != 0 && before != i64::from(partitions) {
        return Err(fault(format!(
            "attempts of {before} partitions wait in the file; it was opened with {partitions}"
        )));
    }
    let version = format!("PRAGMA user_version = {partitions}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(version)).execute(&mut *connection).await.map_err(fault)?;
    let mut messages = vec![0; usize::from(partitions)];
    for (part, count) in rows {
        let known = usize::try_from(part).ok().and_then(|part| messages.get_mut(part));
        *known.ok_or_else(|| fault(format!("attempts wait in partition {part}, which does not exist")))? = count as u64;
    }
    Ok(messages)
}

#[async_trait]
impl Attempts for SqliteQueue {
    async fn submit(&self, batch: Batch) -> Result<(), Shed> {
        let part = partition_of(batch.sale, self.partitions());
        let messages = &self.0.parts[usize::from(part)].messages;
        let fits = |count: u64| (count < self.0.messages_max).then_some(count + 1);
        messages.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).map_err(|_| Shed::Full)?;
        let (done, committed) = oneshot::channel();
        self.0.marks.keep(&batch);
        // The writer gives the place back where the row is not written.
        self.0.writer.send(Command::Submit { part, body: batch.encode(), done }).map_err(|_| gone())?;
        committed.await.map_err(|_| gone())?
    }

    fn partitions(&self) -> u16 {
        self.0.parts.len() as u16
    }

    async fn attempts(&self, partition: u16) -> Result<Box<dyn Subscription<Batch>>> {
        if partition >= self.partitions() {
            return Err(fault(format!("there is no partition {partition}")));
        }
        Ok(Box::new(SqliteSubscription::new(self.0.clone(), partition)))
    }

    fn is_up(&self) -> bool {
        self.0.up.load(Ordering::Acquire) && !self.0.writer.is_closed()
    }
}

#[async_trait]
impl Parked for SqliteQueue {
    /// Events have their places behind all attempts.
    async fn parked_after(&self, after: u64, max: u32) -> Result<Vec<(u64, ParkedMessage)>> {
        let rows: Vec<(i64, String, String, Vec<u8>)> = sqlx::query_as(
            "SELECT place, queue, why, body FROM (SELECT id AS place, 'attempts.' || part AS queue, why, body FROM parked \
             UNION ALL SELECT (1 << 62) + id, 'events.' || listener, why, body FROM parked_events) \
             WHERE place > ? ORDER BY place LIMIT ?",
        )
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(max)
        .fetch_all(&self.0.readers)
        .await
        .map_err(fault)?;
        let message = |(place, queue, why, body)| (place as u64, ParkedMessage { queue, why, body });
        Ok(rows.into_iter().map(message).collect())
    }

    async fn replay(&self, max: u32) -> Result<u32> {
        self.0.ask(|done| Command::Replay { max, done }).await
    }
}

impl Shared {
    /// Sends the writer a command, and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<Result<T>>) -> Command) -> Result<T> {
        let (done, answer) = oneshot::channel();
        let closed = || fault("the writer is gone");
        self.writer.send(command(done)).map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

fn gone() -> Shed {
    Shed::Away("the writer is gone".to_owned())
}

fn fault(what: impl Into<Source>) -> Fault {
    Fault::new("broker", what)
}

#[cfg(test)]
mod tests;
