//! The one writer. A submit is answered after the commit that holds it. An acknowledgement is written with the next submits,
//! or a moment later by itself; until then it waits here, and after a crash its row comes again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;

use super::events::{self, Line};
use super::{Part, fault};
use crate::ports::sale::attempts::Shed;
use crate::ports::{Fault, Result};

/// Commands in one transaction, at most: enough to share a flush, few enough that none waits long for it.
const GROUP_MAX: usize = 1_024;
/// Acknowledgements wait this long for company.
const ACKS_WAIT: Duration = Duration::from_millis(20);
/// Rows that one statement inserts.
const ROWS: usize = 16;
const INSERT: &str = "INSERT INTO attempts (part, body) VALUES (?, ?)";
const INSERT_ROWS: &str = "INSERT INTO attempts (part, body) VALUES
    (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?),
    (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?), (?, ?)";

pub(super) enum Command {
    Submit {
        part: u16,
        body: Vec<u8>,
        done: oneshot::Sender<Result<(), Shed>>,
    },
    Ack {
        part: u16,
        id: i64,
    },
    /// Answered when every acknowledgement before it is in the file.
    Settle {
        done: oneshot::Sender<Result<()>>,
    },
    Park {
        part: u16,
        id: i64,
        why: String,
        done: oneshot::Sender<Result<()>>,
    },
    Replay {
        max: u32,
        done: oneshot::Sender<Result<u32>>,
    },
    Publish {
        rows: Vec<events::Row>,
        done: oneshot::Sender<Result<()>>,
    },
    AckEvent {
        id: i64,
    },
    ParkEvent {
        id: i64,
        why: String,
        done: oneshot::Sender<Result<()>>,
    },
}

pub(super) struct Writer {
    connection: SqliteConnection,
    commands: UnboundedReceiver<Command>,
    parts: Arc<[Part]>,
    lines: Arc<[Line]>,
    up: Arc<AtomicBool>,
    acks: Acks,
}

/// Rows that are done with, and still in the file.
#[derive(Default)]
struct Acks {
    attempts: BTreeMap<u16, Vec<i64>>,
    events: Vec<i64>,
}

impl Acks {
    fn len(&self) -> usize {
        self.attempts.values().map(Vec::len).sum::<usize>() + self.events.len()
    }
}

/// What one transaction is to do beside the acknowledgements.
#[derive(Default)]
struct Group {
    submits: Vec<(u16, Vec<u8>)>,
    submitted: Vec<oneshot::Sender<Result<(), Shed>>>,
    settled: Vec<oneshot::Sender<Result<()>>>,
}

impl Writer {
    pub(super) fn new(
        connection: SqliteConnection,
        commands: UnboundedReceiver<Command>,
        parts: Arc<[Part]>,
        lines: Arc<[Line]>,
        up: Arc<AtomicBool>,
    ) -> Self {
        Self { connection, commands, parts, lines, up, acks: Acks::default() }
    }

    /// Until there is no sender left; then what was acknowledged is written, and the file is closed.
    pub(super) async fn run(mut self) {
        let mut received = Vec::with_capacity(GROUP_MAX);
        loop {
            let up = self.up.load(Ordering::Acquire);
            let wait = if self.acks.len() == 0 && up { Duration::MAX } else { ACKS_WAIT };
            let count = tokio::time::timeout(wait, self.commands.recv_many(&mut received, GROUP_MAX)).await;
            let mut group = Group::default();
            let mut others = Vec::new();
            for command in received.drain(..) {
                match command {
                    Command::Submit { part, body, done } => {
                        group.submits.push((part, body));
                        group.submitted.push(done);
                    }
                    Command::Ack { part, id } => self.acks.attempts.entry(part).or_default().push(id),
                    Command::AckEvent { id } => self.acks.events.push(id),
                    Command::Settle { done } => group.settled.push(done),
                    other => others.push(other),
                }
            }
            let acks = self.acks.len();
            let idle = count.is_err() || count == Ok(0);
            let asked = !group.submits.is_empty() || !group.settled.is_empty();
            // Also when the last commit failed: no client submits to a queue that says it is down.
            if asked || acks >= GROUP_MAX || (idle && (acks > 0 || !up)) {
                self.commit(group).await;
            }
            for other in others {
                self.other(other).await;
            }
            if count == Ok(0) {
                break;
            }
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "the queue's file could not be closed");
        }
    }

    async fn commit(&mut self, group: Group) {
        let written = write(&mut self.connection, &group.submits, &self.acks).await;
        self.up.store(written.is_ok(), Ordering::Release);
        match written {
            Ok(freed) => {
                self.acks = Acks::default();
                for (part, rows) in freed {
                    self.part(part).forget(rows);
                }
                for (part, _) in &group.submits {
                    self.part(*part).added.notify_one();
                }
                group.submitted.into_iter().for_each(|done| drop(done.send(Ok(()))));
                group.settled.into_iter().for_each(|done| drop(done.send(Ok(()))));
            }
            Err(error) => {
                tracing::error!(%error, "attempts could not be written");
                for (part, _) in &group.submits {
                    self.part(*part).forget(1);
                }
                let away = || Err(Shed::Away(error.what.clone()));
                group.submitted.into_iter().for_each(|done| drop(done.send(away())));
                group.settled.into_iter().for_each(|done| drop(done.send(Err(error.clone()))));
                // Acknowledgements are kept and tried again; a full disk must not be asked in a tight loop.
                tokio::time::sleep(ACKS_WAIT).await;
            }
        }
    }

    async fn other(&mut self, command: Command) {
        match command {
            Command::Park { part, id, why, done } => {
                let moved = park(&mut self.connection, id, &why).await;
                if let Ok(rows) = moved {
                    self.part(part).forget(rows);
                }
                let _ = done.send(moved.map(drop));
            }
            Command::Replay { max, done } => {
                let _ = done.send(self.replay(max).await);
            }
            Command::Publish { rows, done } => {
                let published = events::publish(&mut self.connection, &rows).await;
                let _ = done.send(published.map(|rows| events::added(&self.lines, &rows)));
            }
            Command::ParkEvent { id, why, done } => {
                let _ = done.send(events::park(&mut self.connection, id, &why).await);
            }
            Command::Submit { .. } | Command::Ack { .. } | Command::AckEvent { .. } | Command::Settle { .. } => {
                unreachable!("these travel in groups")
            }
        }
    }

    async fn replay(&mut self, max: u32) -> Result<u32> {
        let parts = replay(&mut self.connection, max).await?;
        for part in &parts {
            if let Some(part) = usize::try_from(*part).ok().and_then(|part| self.parts.get(part)) {
                part.messages.fetch_add(1, Ordering::AcqRel);
                part.added.notify_one();
            }
        }
        let attempts = parts.len() as u32;
        let (events, rows) = events::replay(&mut self.connection, max - attempts).await?;
        events::added(&self.lines, &rows);
        Ok(attempts + events)
    }

    fn part(&self, part: u16) -> &Part {
        &self.parts[usize::from(part)]
    }
}

pub(super) async fn begin(connection: &mut SqliteConnection) -> Result<Transaction<'_, Sqlite>> {
    // Immediate: a transaction that begins with a read can be refused when it comes to write.
    connection.begin_with("BEGIN IMMEDIATE").await.map_err(fault)
}

/// One transaction: the submitted rows in, the acknowledged rows out. Says how many rows each part lost.
async fn write(connection: &mut SqliteConnection, submits: &[(u16, Vec<u8>)], acks: &Acks) -> Result<Vec<(u16, u64)>> {
    let mut transaction = begin(connection).await?;
    for rows in submits.chunks(ROWS) {
        if rows.len() == ROWS {
            let query = sqlx::query(INSERT_ROWS);
            let query = rows.iter().fold(query, |query, (part, body)| query.bind(*part).bind(body.as_slice()));
            query.execute(&mut *transaction).await.map_err(fault)?;
        } else {
            for (part, body) in rows {
                let query = sqlx::query(INSERT).bind(*part).bind(body.as_slice());
                query.execute(&mut *transaction).await.map_err(fault)?;
            }
        }
    }
    let mut freed = Vec::with_capacity(acks.attempts.len());
    for (part, ids) in &acks.attempts {
        let ids = serde_json::to_string(ids).expect("numbers are written as JSON");
        let query = sqlx::query("DELETE FROM attempts WHERE id IN (SELECT value FROM json_each(?))").bind(ids);
        freed.push((*part, query.execute(&mut *transaction).await.map_err(fault)?.rows_affected()));
    }
    if !acks.events.is_empty() {
        events::acknowledge(&mut transaction, &acks.events).await?;
    }
    transaction.commit().await.map_err(fault)?;
    Ok(freed)
}

/// Moves one row aside; 0 when that was done before.
async fn park(connection: &mut SqliteConnection, id: i64, why: &str) -> Result<u64, Fault> {
    let mut transaction = begin(connection).await?;
    sqlx::query("INSERT INTO parked (part, why, body) SELECT part, ?, body FROM attempts WHERE id = ?")
        .bind(why)
        .bind(id)
        .execute(&mut *transaction)
        .await
        .map_err(fault)?;
    let query = sqlx::query("DELETE FROM attempts WHERE id = ?").bind(id);
    let rows = query.execute(&mut *transaction).await.map_err(fault)?.rows_affected();
    transaction.commit().await.map_err(fault)?;
    Ok(rows)
}

/// Moves the oldest parked rows to the end of their parts. Says which parts got one.
async fn replay(connection: &mut SqliteConnection, max: u32) -> Result<Vec<i64>, Fault> {
    let mut transaction = begin(connection).await?;
    let rows: Vec<(i64, i64)> = sqlx::query_as("SELECT id, part FROM parked ORDER BY id LIMIT ?")
        .bind(max)
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault)?;
    for (id, _) in &rows {
        sqlx::query("INSERT INTO attempts (part, body) SELECT part, body FROM parked WHERE id = ?")
            .bind(id)
            .execute(&mut *transaction)
            .await
            .map_err(fault)?;
        sqlx::query("DELETE FROM parked WHERE id = ?").bind(id).execute(&mut *transaction).await.map_err(fault)?;
    }
    transaction.commit().await.map_err(fault)?;
    Ok(rows.into_iter().map(|(_, part)| part).collect())
}
