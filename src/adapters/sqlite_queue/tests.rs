//! What the queue bounds: who reads at once, what one read takes, what shares a commit, and how many events wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use tokio::sync::mpsc::unbounded_channel;
use tokio::sync::{Notify, Semaphore, oneshot};

use super::writer::{Command, Writer};
use super::{Marks, Part, SqliteQueue, events, prepare};
use crate::adapters::sql::sqlite::tests::{counted, read_at_once};
use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::shared::event::{Cancelled, Event, Fact};
use crate::domain::shared::id::{BatchId, BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::domain::shared::trace::{Mark, Trace};
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Subscription;
use crate::ports::platform::events::{Events, Listener};
use crate::ports::sale::attempts::Attempts;

async fn queue() -> (SqliteQueue, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (SqliteQueue::open(&folder.path().join("queue.sqlite"), 1, 10_000, Lifecycle::new().tasks()).await.unwrap(), folder)
}

fn batch(number: u64) -> Batch {
    let attempts = vec![Attempt { buyer: BuyerId(number), quantity: 1, waits: true }];
    Batch { id: BatchId::new(1, number), sale: SaleId(1), attempts, traced: Vec::new() }
}

fn event(number: u64) -> Event {
    let (reservation, buyer) = (ReservationId(number.into()), BuyerId(number));
    Event::new(Fact::Cancelled(Cancelled { reservation, sale: SaleId(1), buyer, quantity: 1 }), 1, Timestamp(1))
}

/// How many come at once, until all have come.
async fn takes<B: 'static>(mut subscription: Box<dyn Subscription<B>>, all: u64) -> Vec<u64> {
    let mut takes = Vec::new();
    while takes.iter().sum::<u64>() < all {
        let taken = subscription.next(1_000).await.unwrap();
        takes.push(taken.len() as u64);
        for delivery in taken {
            delivery.ack().await.unwrap();
        }
    }
    takes
}

#[tokio::test]
async fn so_many_readers_of_a_queue_at_once() {
    let (queue, _folder) = queue().await;
    read_at_once(&queue.0.readers, 4).await;
}

#[test]
fn so_many_batches_keep_their_traces() {
    let marks = Marks::default();
    let traced = |number| {
        let trace = Trace { id: 1, span: 1 };
        Batch { traced: vec![Mark { of: batch(number).attempt_id(0).into(), trace }], ..batch(number) }
    };
    for number in 0..64 {
        marks.keep(&traced(number));
    }
    assert_eq!(marks.of(batch(0).id).len(), 1);
    marks.keep(&traced(64));
    assert_eq!((marks.of(batch(0).id).len(), marks.of(batch(1).id).len()), (0, 1));
}

#[tokio::test]
async fn so_many_rows_are_read_at_once() {
    for (rows, wanted) in [(256, vec![256]), (257, vec![256, 1])] {
        let (queue, _folder) = queue().await;
        for submitted in join_all((0..rows).map(|number| queue.submit(batch(number)))).await {
            submitted.unwrap();
        }
        assert_eq!(takes(queue.attempts(0).await.unwrap(), rows).await, wanted);
        queue.publish_events(&(0..rows).map(event).collect::<Vec<_>>()).await.unwrap();
        assert_eq!(takes(queue.events(Listener::Mail).await.unwrap(), rows).await, wanted);
    }
}

#[tokio::test]
async fn so_many_submits_share_a_commit() {
    for (submits, wanted) in [(1_024, 1), (1_025, 2)] {
        let (mut connection, commits) = counted(SqliteConnectOptions::new().in_memory(true)).await;
        prepare(&mut connection, 1).await.unwrap();
        let lines = events::lines(&mut connection).await.unwrap();
        let part = Part { active: Arc::new(Semaphore::new(1)), messages: 0.into(), added: Notify::new() };
        let (sender, commands) = unbounded_channel();
        for number in 0..submits {
            let (done, _) = oneshot::channel();
            sender.send(Command::Submit { part: 0, body: batch(number).encode(), done }).unwrap();
        }
        drop(sender);
        commits.store(0, Ordering::SeqCst);
        Writer::new(connection, commands, Arc::new([part]), lines, Arc::new(AtomicBool::new(true))).run().await;
        assert_eq!(commits.load(Ordering::SeqCst), wanted, "{submits} submits");
    }
}

#[tokio::test]
async fn so_many_events_wait_for_a_listener() {
    for (waiting, is_taken) in [(999_999, true), (1_000_000, false)] {
        let (queue, _folder) = queue().await;
        events::added(&queue.0.lines, &[(Listener::Mail, waiting)]);
        assert_eq!(queue.publish_events(&[event(1)]).await.is_ok(), is_taken, "{waiting} wait");
    }
}
