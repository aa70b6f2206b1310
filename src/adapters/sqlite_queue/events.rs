//! Events in the queue's file: a row for each listener and event, until that listener acknowledged it.
//!
//! Who has which row is known to this process alone: what a subscriber drops goes back at once to the next subscriber, and after
//! a start everything that was not acknowledged comes again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::Notify;

use super::writer::{self, Command};
use super::{Shared, SqliteQueue, fault};
use crate::domain::shared::event::Event;
use crate::ports::platform::events::{Events, Listener};
use crate::ports::platform::lag::Depth;
use crate::ports::{Delivery, Result, Subscription};

/// Events that wait for one listener, at most: beyond them none is published, and the outbox keeps them.
const EVENTS_MAX: u64 = 1_000_000;
/// Rows in one read, at most.
const READ_MAX: usize = 256;

pub(super) const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS events (
    -- Never used twice: a reader remembers the last one it saw.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    listener TEXT NOT NULL,
    event BLOB NOT NULL,
    body BLOB NOT NULL,
    -- Published again, it is the same.
    UNIQUE (listener, event)
) STRICT;
CREATE INDEX IF NOT EXISTS events_in_order ON events (listener, id);
CREATE TABLE IF NOT EXISTS parked_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    listener TEXT NOT NULL,
    event BLOB NOT NULL,
    why TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;";

/// What this process knows of one listener's rows.
pub(super) struct Line {
    listener: Listener,
    reading: tokio::sync::Mutex<Reading>,
    /// Taken and dropped again.
    returned: Mutex<BTreeMap<i64, Event>>,
    /// Rows not acknowledged yet.
    waiting: AtomicU64,
    /// There may be something to take.
    added: Notify,
}

#[derive(Default)]
struct Reading {
    /// The last row that anybody read.
    cursor: i64,
    /// Read, and not asked for yet.
    ready: VecDeque<(i64, Vec<u8>)>,
}

impl Line {
    pub(super) fn depth(&self) -> Depth {
        let queue = format!("events.{}", self.listener.name());
        Depth { queue, messages: self.waiting.load(Ordering::Acquire) }
    }
}

/// A row to be written.
pub(super) struct Row {
    listener: Listener,
    event: [u8; 16],
    body: Vec<u8>,
}

/// Counts what every listener still has before it.
pub(super) async fn lines(connection: &mut SqliteConnection) -> Result<Arc<[Line]>> {
    let mut lines = Vec::new();
    for listener in Listener::ALL {
        let query = sqlx::query_scalar("SELECT count(*) FROM events WHERE listener = ?").bind(listener.name());
        let waiting: i64 = query.fetch_one(&mut *connection).await.map_err(fault)?;
        lines.push(Line {
            listener,
            reading: tokio::sync::Mutex::default(),
            returned: Mutex::default(),
            waiting: AtomicU64::new(waiting as u64),
            added: Notify::new(),
        });
    }
    Ok(lines.into())
}

pub(super) fn added(lines: &[Line], rows: &[(Listener, u64)]) {
    for line in lines {
        let of_it = rows.iter().filter(|(listener, _)| *listener == line.listener);
        line.waiting.fetch_add(of_it.map(|(_, rows)| rows).sum(), Ordering::AcqRel);
        line.added.notify_one();
    }
}

/// Those that wait already are passed over. Says how many are new, for each listener.
pub(super) async fn publish(connection: &mut SqliteConnection, rows: &[Row]) -> Result<Vec<(Listener, u64)>> {
    let mut transaction = writer::begin(connection).await?;
    let mut added = Vec::with_capacity(rows.len());
    for row in rows {
        let query = sqlx::query("INSERT OR IGNORE INTO events (listener, event, body) VALUES (?, ?, ?)")
            .bind(row.listener.name())
            .bind(&row.event[..])
            .bind(row.body.as_slice());
        added.push((row.listener, query.execute(&mut *transaction).await.map_err(fault)?.rows_affected()));
    }
    transaction.commit().await.map_err(fault)?;
    Ok(added)
}

pub(super) async fn acknowledge(transaction: &mut Transaction<'_, Sqlite>, ids: &[i64]) -> Result<()> {
    let ids = serde_json::to_string(ids).expect("numbers are written as JSON");
    let query = sqlx::query("DELETE FROM events WHERE id IN (SELECT value FROM json_each(?))").bind(ids);
    query.execute(&mut **transaction).await.map(drop).map_err(fault)
}

/// Moves one row aside.
pub(super) async fn park(connection: &mut SqliteConnection, id: i64, why: &str) -> Result<()> {
    let mut transaction = writer::begin(connection).await?;
    let park = "INSERT INTO parked_events (listener, event, why, body) SELECT listener, event, ?, body FROM events \
                WHERE id = ?";
    sqlx::query(park).bind(why).bind(id).execute(&mut *transaction).await.map_err(fault)?;
    sqlx::query("DELETE FROM events WHERE id = ?").bind(id).execute(&mut *transaction).await.map_err(fault)?;
    transaction.commit().await.map_err(fault)
}

/// Moves the oldest parked rows back behind the others. Says how many, and whose.
pub(super) async fn replay(connection: &mut SqliteConnection, max: u32) -> Result<(u32, Vec<(Listener, u64)>)> {
    let mut transaction = writer::begin(connection).await?;
    let rows: Vec<(i64, String)> = sqlx::query_as("SELECT id, listener FROM parked_events ORDER BY id LIMIT ?")
        .bind(max)
        .fetch_all(&mut *transaction)
        .await
        .map_err(fault)?;
    let mut added = Vec::new();
    for (id, listener) in &rows {
        let back = "INSERT OR IGNORE INTO events (listener, event, body) SELECT listener, event, body FROM parked_events \
                    WHERE id = ?";
        let rows = sqlx::query(back).bind(id).execute(&mut *transaction).await.map_err(fault)?.rows_affected();
        let delete = sqlx::query("DELETE FROM parked_events WHERE id = ?").bind(id);
        delete.execute(&mut *transaction).await.map_err(fault)?;
        added.extend(Listener::ALL.into_iter().filter(|known| known.name() == listener).map(|known| (known, rows)));
    }
    transaction.commit().await.map_err(fault)?;
    Ok((rows.len() as u32, added))
}

#[async_trait]
impl Events for SqliteQueue {
    async fn publish_events(&self, events: &[Event]) -> Result<()> {
        let mut rows = Vec::new();
        for line in self.0.lines.iter() {
            let heard = events.iter().filter(|event| line.listener.hears(event.fact.topic()));
            for event in heard {
                let body = serde_json::to_vec(event).map_err(fault)?;
                rows.push(Row { listener: line.listener, event: event.id.to_bytes(), body });
            }
            if line.waiting.load(Ordering::Acquire) + events.len() as u64 > EVENTS_MAX {
                return Err(fault(format!("{} events wait for {}", EVENTS_MAX, line.listener.name())));
            }
        }
        self.0.ask(|done| Command::Publish { rows, done }).await
    }

    async fn events(&self, listener: Listener) -> Result<Box<dyn Subscription<Event>>> {
        let line = self.0.lines.iter().position(|line| line.listener == listener);
        let line = line.ok_or_else(|| fault("there is no listener of that name"))?;
        Ok(Box::new(SqliteEvents { queue: self.0.clone(), line }))
    }
}

pub struct SqliteEvents {
    queue: Arc<Shared>,
    line: usize,
}

impl SqliteEvents {
    fn line(&self) -> &Line {
        &self.queue.lines[self.line]
    }

    fn delivery(&self, id: i64, event: Event) -> Box<dyn Delivery<Event>> {
        Box::new(SqliteEvent { queue: self.queue.clone(), line: self.line, id, event: Some(event) })
    }

    fn take_returned(&self, max: usize) -> Vec<Box<dyn Delivery<Event>>> {
        let mut returned = self.line().returned.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::iter::from_fn(|| returned.pop_first()).take(max);
        taken.map(|(id, event)| self.delivery(id, event)).collect()
    }

    async fn read(&self, reading: &mut Reading) -> Result<()> {
        let query = sqlx::query_as("SELECT id, body FROM events WHERE listener = ? AND id > ? ORDER BY id LIMIT ?")
            .bind(self.line().listener.name())
            .bind(reading.cursor)
            .bind(READ_MAX as i64);
        let rows: Vec<(i64, Vec<u8>)> = query.fetch_all(&self.queue.readers).await.map_err(fault)?;
        reading.cursor = rows.last().map_or(reading.cursor, |(id, _)| *id);
        reading.ready.extend(rows);
        Ok(())
    }

    async fn take(&self, max: usize) -> Result<Vec<Box<dyn Delivery<Event>>>> {
        let mut taken = self.take_returned(max);
        if !taken.is_empty() {
            return Ok(taken);
        }
        let mut reading = self.line().reading.lock().await;
        if reading.ready.is_empty() {
            self.read(&mut reading).await?;
        }
        while taken.len() < max {
            let Some((id, body)) = reading.ready.front() else { break };
            match serde_json::from_slice(body) {
                Ok(event) => taken.push(self.delivery(*id, event)),
                // After what was taken: nothing may be lost while we wait for the writer.
                Err(_) if !taken.is_empty() => break,
                Err(error) => {
                    let (id, why, listener) = (*id, error.to_string(), self.line().listener.name());
                    tracing::error!(listener, %error, "an event is parked");
                    self.queue.ask(|done| Command::ParkEvent { id, why, done }).await?;
                    self.line().less();
                }
            }
            reading.ready.pop_front();
        }
        Ok(taken)
    }
}

impl Line {
    /// Saturates: a row that was written into the file by hand was never counted.
    fn less(&self) {
        let less = |count: u64| Some(count.saturating_sub(1));
        let _ = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
    }
}

#[async_trait]
impl Subscription<Event> for SqliteEvents {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<Event>>>> {
        loop {
            let taken = self.take(max.max(1)).await?;
            if !taken.is_empty() {
                // There may be more, for another subscriber.
                self.line().added.notify_one();
                return Ok(taken);
            }
            self.line().added.notified().await;
        }
    }
}

pub struct SqliteEvent {
    queue: Arc<Shared>,
    line: usize,
    id: i64,
    /// Until it is settled.
    event: Option<Event>,
}

#[async_trait]
impl Delivery<Event> for SqliteEvent {
    fn body(&self) -> &Event {
        self.event.as_ref().expect("only settling takes it")
    }

    /// Written with the next commit: after a crash before it the event comes again.
    async fn ack(mut self: Box<Self>) -> Result<()> {
        self.queue.writer.send(Command::AckEvent { id: self.id }).map_err(|_| fault("the writer is gone"))?;
        self.event = None;
        self.queue.lines[self.line].less();
        Ok(())
    }
}

impl Drop for SqliteEvent {
    fn drop(&mut self) {
        let Some(event) = self.event.take() else { return };
        let line = &self.queue.lines[self.line];
        line.returned.lock().unwrap_or_else(PoisonError::into_inner).insert(self.id, event);
        line.added.notify_one();
    }
}
