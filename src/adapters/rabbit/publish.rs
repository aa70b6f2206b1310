//! Publishing: some channels, each with a task of its own, for the library counts confirms rightly only while one task
//! publishes on a channel. What waits and what flies is bounded, and everything is answered within the confirm time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::link::{Line, Link};
use super::{Background, CALL};
use crate::domain::shared::trace::{MARKS_MAX, Mark, write_marks};
use crate::ports::platform::tasks::AnyTasks;
use crate::ports::sale::attempts::Shed;

/// Of a process's work.
pub(super) const LANES: usize = 4;
/// Messages of one lane on their way at once; as many again wait for a place.
const FLYING_MAX: usize = 512;
const PERSISTENT: u8 = 2;
/// A channel that could not be opened is tried again after this time.
const AGAIN: Duration = Duration::from_millis(100);

pub(super) struct Message {
    exchange: ShortString,
    key: ShortString,
    body: Vec<u8>,
    /// Whether it is an error that no queue takes it.
    mandatory: bool,
    /// That no queue took it is no reason to doubt the connection.
    is_clock: bool,
    properties: BasicProperties,
}

impl Message {
    /// Work: it must reach the queue.
    pub(super) fn to_queue(queue: ShortString, body: Vec<u8>) -> Self {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        Self { exchange: ShortString::default(), key: queue, body, mandatory: true, is_clock: false, properties }
    }

    /// An alarm: it leaves its queue when this time is over.
    pub(super) fn expiring_after(mut self, ms: i64) -> Self {
        self.properties = self.properties.with_expiration(ms.to_string().into());
        self.is_clock = true;
        self
    }

    /// Messages that must reach a queue, any queue.
    pub(super) fn to_topic(exchange: ShortString, topic: &str, body: Vec<u8>) -> Self {
        let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
        Self { exchange, key: topic.into(), body, mandatory: true, is_clock: false, properties }
    }

    /// Messages for present subscribers.
    pub(super) fn to_all(exchange: ShortString, body: Vec<u8>) -> Self {
        let properties = BasicProperties::default();
        Self { exchange, key: ShortString::default(), body, mandatory: false, is_clock: false, properties }
    }

    pub(super) fn with_headers<const N: usize>(mut self, headers: [(&str, &str); N]) -> Self {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert(name.into(), AMQPValue::LongString(value.into()));
        }
        self.properties = self.properties.with_headers(table);
        self
    }

    /// Beside the body, so that a reader that knows nothing of traces reads the same message.
    pub(super) fn with_marks(self, marks: &[Mark]) -> Self {
        let marks = &marks[..marks.len().min(MARKS_MAX)];
        match marks.first() {
            None => self,
            Some(first) => {
                self.with_headers([("traceparent", &first.trace.to_string()), (TRACES, &write_marks(marks))])
            }
        }
    }
}

/// Where a message says which of what it carries is traced: `traces` is ours, `traceparent` is for other readers.
pub(super) const TRACES: &str = "traces";
/// Longer than anything we write.
pub(super) const TRACES_BYTES_MAX: usize = 100 * MARKS_MAX;

/// Why the broker has no message, as far as anybody knows.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unpublished {
    /// There was no queue to take it.
    #[error("the queue is gone")]
    QueueGone,
    #[error(transparent)]
    Shed(#[from] Shed),
}

impl From<Unpublished> for Shed {
    fn from(unpublished: Unpublished) -> Self {
        match unpublished {
            Unpublished::QueueGone => Shed::Away(unpublished.to_string()),
            Unpublished::Shed(shed) => shed,
        }
    }
}

struct Job {
    message: Message,
    deadline: Instant,
    done: oneshot::Sender<Result<(), Unpublished>>,
}

pub(super) struct Lanes {
    pub(super) link: Link,
    lanes: Vec<mpsc::Sender<Job>>,
    turn: AtomicUsize,
    confirm: Duration,
}

impl Lanes {
    pub(super) fn open(link: Link, count: usize, confirm: Duration, background: &Background) -> Self {
        let lane = |_| {
            let (sender, jobs) = mpsc::channel(FLYING_MAX);
            background.run("broker.lane", run(link.clone(), jobs, background.tasks.clone()));
            sender
        };
        let lanes = (0..count).map(lane).collect();
        Self { link, lanes, turn: AtomicUsize::new(0), confirm }
    }

    /// Returns when the broker has it, or when that cannot be known.
    pub(super) async fn publish(&self, message: Message) -> Result<(), Unpublished> {
        if !self.link.is_up() {
            return Err(away("there is no connection"));
        }
        let deadline = Instant::now() + self.confirm;
        let (done, answer) = oneshot::channel();
        let lane = &self.lanes[self.turn.fetch_add(1, Ordering::Relaxed) % self.lanes.len()];
        let published = async {
            let job = Job { message, deadline, done };
            lane.send(job).await.map_err(|_| away("the process ends"))?;
            // Unanswered: it flew on a channel that failed.
            answer.await.unwrap_or(Err(Shed::Slow.into()))
        };
        timeout_at(deadline, published).await.unwrap_or(Err(Shed::Slow.into()))
    }
}

fn away(why: &str) -> Unpublished {
    Shed::Away(why.to_owned()).into()
}

/// One lane: a channel at a time, for ever.
async fn run(mut link: Link, mut jobs: mpsc::Receiver<Job>, tasks: AnyTasks) {
    while let Some(line) = link.wait().await {
        let opened = line.call(async |channel| channel.confirm_select(ConfirmSelectOptions::default()).await).await;
        match opened {
            Ok((channel, ())) => {
                if serve(&mut link, &line, &channel, &mut jobs).await.is_none() {
                    return;
                }
                // Also throws away what the library keeps of confirms that never came. It is not waited for.
                let closes = async move { drop(timeout(CALL, channel.close(200, "a confirm failed".into())).await) };
                tasks.detach("broker.close", Box::pin(closes));
            }
            Err(error) => {
                tracing::warn!(%error, "a publishing channel could not be opened");
                sleep(AGAIN).await;
            }
        }
    }
}

/// Until the channel fails; `None` when there is no sender of jobs left.
async fn serve(link: &mut Link, line: &Line, channel: &Channel, jobs: &mut mpsc::Receiver<Job>) -> Option<()> {
    let mut flying = FuturesUnordered::new();
    let lost = link.lost(line.number);
    tokio::pin!(lost);
    loop {
        tokio::select! {
            biased;
            // First: what comes now would only fly into a dead connection.
            () = &mut lost => return Some(()),
            job = jobs.recv(), if flying.len() < FLYING_MAX => flying.push(fly(line, channel, job?)),
            Some(usable) = flying.next() => {
                if !usable {
                    return Some(());
                }
            }
        }
    }
}

/// Publishes and answers; says whether the channel can still be used.
async fn fly(line: &Line, channel: &Channel, job: Job) -> bool {
    let Job { message, deadline, done } = job;
    // An alarm's queue is declared anew by the next call that sets one.
    let is_clock = message.is_clock;
    if done.is_closed() {
        return true;
    }
    let published = async {
        let options = BasicPublishOptions { mandatory: message.mandatory, ..BasicPublishOptions::default() };
        let Message { exchange, key, body, properties, .. } = message;
        channel.basic_publish(exchange, key, options, &body, properties).await?.await
    };
    let (answer, usable) = match timeout_at(deadline, published).await {
        Ok(Ok(Confirmation::Ack(None))) => (Ok(()), true),
        Ok(Ok(Confirmation::Nack(_))) => (Err(Shed::Full.into()), true),
        Ok(Ok(Confirmation::Ack(Some(_)))) => {
            // The queue was deleted. A new connection declares it again. (Whether the library tied the return to the right
            // confirm does not matter much: with the queue went everything that was in it.)
            if !is_clock {
                line.suspect();
            }
            (Err(Unpublished::QueueGone), false)
        }
        Ok(Ok(Confirmation::NotRequested) | Err(_)) | Err(_) => (Err(Shed::Slow.into()), false),
    };
    let _ = done.send(answer);
    usable
}
