//! One reader of a part. It reads on from the last row it saw, and sleeps until rows are added.
//!
//! A delivery that is dropped ends its subscription: reading on past it would lose the order. The next subscriber begins with
//! the oldest row that is not acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::writer::Command;
use super::{Part, Shared, fault};
use crate::domain::sale::attempt::Batch;
use crate::ports::{Delivery, Result, Subscription};

/// Rows in one read, at most.
const READ_MAX: usize = 256;

pub struct SqliteSubscription {
    queue: Arc<Shared>,
    part: u16,
    lease: Arc<Lease>,
    /// None while another subscriber is active, and after the end.
    active: Option<OwnedSemaphorePermit>,
    /// The last row that was read.
    cursor: i64,
    /// Read, and not asked for yet.
    ready: VecDeque<(i64, Vec<u8>)>,
}

/// What a subscription shares with its deliveries.
#[derive(Default)]
struct Lease {
    broken: AtomicBool,
    changed: Notify,
}

impl SqliteSubscription {
    pub(super) fn new(queue: Arc<Shared>, part: u16) -> Self {
        Self { queue, part, lease: Arc::default(), active: None, cursor: 0, ready: VecDeque::new() }
    }

    fn part(&self) -> &Part {
        &self.queue.parts[usize::from(self.part)]
    }

    async fn become_active(&mut self) -> Result<()> {
        if self.active.is_none() {
            let permit = self.part().active.clone().acquire_owned().await.map_err(fault)?;
            // What the one before acknowledged must be gone from the file before it is read again.
            self.queue.ask(|done| Command::Settle { done }).await?;
            self.active = Some(permit);
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<()> {
        let query = sqlx::query_as("SELECT id, body FROM attempts WHERE part = ? AND id > ? ORDER BY id LIMIT ?")
            .bind(self.part)
            .bind(self.cursor)
            .bind(READ_MAX as i64);
        let rows: Vec<(i64, Vec<u8>)> = query.fetch_all(&self.queue.readers).await.map_err(fault)?;
        self.cursor = rows.last().map_or(self.cursor, |(id, _)| *id);
        self.ready.extend(rows);
        Ok(())
    }

    async fn next_or_fault(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<Batch>>>> {
        self.become_active().await?;
        loop {
            if self.ready.is_empty() {
                self.read().await?;
            }
            if self.ready.is_empty() {
                self.part().added.notified().await;
                continue;
            }
            let mut taken: Vec<Box<dyn Delivery<Batch>>> = Vec::new();
            while taken.len() < max.max(1) {
                let Some((id, body)) = self.ready.front() else { break };
                match Batch::decode(body) {
                    Ok(batch) => {
                        let traced = self.queue.marks.of(batch.id);
                        taken.push(Box::new(self.delivery(*id, Batch { traced, ..batch })));
                    }
                    // After what was taken: nothing may be lost while we wait for the writer.
                    Err(_) if !taken.is_empty() => break,
                    Err(error) => {
                        let (part, id, why) = (self.part, *id, error.to_string());
                        tracing::error!(queue.part = part, %error, "a message is parked");
                        self.queue.ask(|done| Command::Park { part, id, why, done }).await?;
                    }
                }
                self.ready.pop_front();
            }
            if !taken.is_empty() {
                return Ok(taken);
            }
        }
    }

    fn delivery(&self, id: i64, batch: Batch) -> SqliteDelivery {
        SqliteDelivery { queue: self.queue.clone(), lease: self.lease.clone(), part: self.part, id, batch, done: false }
    }
}

#[async_trait]
impl Subscription<Batch> for SqliteSubscription {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<Batch>>>> {
        let lease = self.lease.clone();
        let broken = async {
            while !lease.broken.load(Ordering::Acquire) {
                lease.changed.notified().await;
            }
        };
        let taken = tokio::select! {
            biased;
            () = broken => Err(fault("a delivery was dropped: it comes again, and so does everything after it")),
            taken = self.next_or_fault(max) => taken,
        };
        if taken.is_err() {
            // The end: the next one in line begins with the oldest row.
            self.lease.broken.store(true, Ordering::Release);
            self.active = None;
        }
        taken
    }
}

pub struct SqliteDelivery {
    queue: Arc<Shared>,
    lease: Arc<Lease>,
    part: u16,
    id: i64,
    batch: Batch,
    done: bool,
}

#[async_trait]
impl Delivery<Batch> for SqliteDelivery {
    fn body(&self) -> &Batch {
        &self.batch
    }

    async fn ack(mut self: Box<Self>) -> Result<()> {
        self.done = true;
        let ack = Command::Ack { part: self.part, id: self.id };
        self.queue.writer.send(ack).map_err(|_| fault("the writer is gone"))
    }
}

impl Drop for SqliteDelivery {
    fn drop(&mut self) {
        if !self.done {
            self.lease.broken.store(true, Ordering::Release);
            self.lease.changed.notify_one();
        }
    }
}
