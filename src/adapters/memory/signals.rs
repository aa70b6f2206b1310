//! Alarms and broadcasts within one process. They end with it: the sweeper reads the ledger for what an alarm forgot, and a
//! buyer who asks gets the truth.
//!
//! No task runs in the background here: an alarm is an entry of one ordered map, and a subscriber to alarms sleeps until the
//! first of them is due.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Notify, broadcast};
use tokio::time::Instant;

use crate::domain::sale::notice::{Missed, Notice};
use crate::domain::shared::id::SaleId;
use crate::ports::sale::deadlines::{Deadline, Deadlines};
use crate::ports::sale::feed::{NewsRequest, NewsStream, RequestStream, SaleFeed, SaleSnapshot};
use crate::ports::sale::notices::{NoticeItem, NoticeStream, Notices};
use crate::ports::{Delivery, Fault, Result, Source, Subscription};

/// Batches that wait for one subscriber; one that falls further behind is told so and begins anew.
const WAITING_MAX: usize = 1_024;
/// Requests that wait for a payment-consumer; beyond that the oldest goes, and is made again.
const REQUESTS_MAX: usize = 1_024;

/// When it rings, and a number that keeps apart those of one moment.
type Ring = (Instant, u64);

#[derive(Clone)]
pub struct MemorySignals(Arc<Shared>);

struct Shared {
    alarms: Mutex<Alarms>,
    /// The first alarm may be another one now.
    moved: Notify,
    notices: broadcast::Sender<Arc<NoticeItem>>,
    news: broadcast::Sender<Arc<SaleSnapshot>>,
    requests: Mutex<VecDeque<NewsRequest>>,
    requested: Notify,
}

#[derive(Default)]
struct Alarms {
    waiting: BTreeMap<Ring, Deadline>,
    made: u64,
}

fn fault(what: impl Into<Source>) -> Fault {
    Fault::new("broker", what)
}

impl MemorySignals {
    #[expect(clippy::new_without_default, reason = "a world is made on purpose")]
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            alarms: Mutex::default(),
            moved: Notify::new(),
            notices: broadcast::Sender::new(WAITING_MAX),
            news: broadcast::Sender::new(WAITING_MAX),
            requests: Mutex::default(),
            requested: Notify::new(),
        }))
    }
}

impl Shared {
    fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().expect("no thread panics while holding the alarms")
    }

    fn requests(&self) -> MutexGuard<'_, VecDeque<NewsRequest>> {
        self.requests.lock().expect("no holder of the requests panics")
    }

    fn put(&self, ring: Ring, deadline: Deadline) {
        self.alarms().waiting.insert(ring, deadline);
        self.moved.notify_waiters();
    }

    /// Takes what is due, or says when the first will be.
    fn take(self: &Arc<Self>, max: usize) -> Result<Vec<Box<dyn Delivery<Deadline>>>, Option<Instant>> {
        let now = Instant::now();
        let mut alarms = self.alarms();
        let mut due: Vec<Box<dyn Delivery<Deadline>>> = Vec::new();
        while due.len() < max {
            match alarms.waiting.first_entry() {
                Some(entry) if entry.key().0 <= now => {
                    let (ring, deadline) = entry.remove_entry();
                    due.push(Box::new(MemoryDeadline { ring, deadline, shared: Some(self.clone()) }));
                }
                Some(entry) if due.is_empty() => return Err(Some(entry.key().0)),
                None if due.is_empty() => return Err(None),
                _ => break,
            }
        }
        Ok(due)
    }
}

#[async_trait]
impl Deadlines for MemorySignals {
    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()> {
        let hold = Duration::from_millis(u64::try_from(hold_ms).unwrap_or(0));
        let ring = Instant::now() + hold;
        let made = {
            let mut alarms = self.0.alarms();
            alarms.made += 1;
            alarms.made
        };
        self.0.put((ring, made), deadline);
        Ok(())
    }

    async fn deadlines(&self) -> Result<Box<dyn Subscription<Deadline>>> {
        Ok(Box::new(MemoryDeadlines(self.0.clone())))
    }
}

pub struct MemoryDeadlines(Arc<Shared>);

#[async_trait]
impl Subscription<Deadline> for MemoryDeadlines {
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<Deadline>>>> {
        loop {
            let moved = self.0.moved.notified();
            tokio::pin!(moved);
            // Before looking: an alarm set between the look and the sleep must wake us.
            moved.as_mut().enable();
            match self.0.take(max.max(1)) {
                Ok(due) => return Ok(due),
                Err(Some(first)) => {
                    let _ = tokio::time::timeout_at(first, moved).await;
                }
                Err(None) => moved.await,
            }
        }
    }
}

pub struct MemoryDeadline {
    ring: Ring,
    deadline: Deadline,
    /// None when it is acknowledged.
    shared: Option<Arc<Shared>>,
}

#[async_trait]
impl Delivery<Deadline> for MemoryDeadline {
    fn body(&self) -> &Deadline {
        &self.deadline
    }

    async fn ack(mut self: Box<Self>) -> Result<()> {
        self.shared = None;
        Ok(())
    }
}

impl Drop for MemoryDeadline {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.take() {
            shared.put(self.ring, self.deadline.clone());
        }
    }
}

#[async_trait]
impl Notices for MemorySignals {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        if !notices.is_empty() {
            // An error says that there is no subscriber.
            let _ = self.0.notices.send(Arc::new(NoticeItem::Notices(notices.to_vec())));
        }
        Ok(())
    }

    fn missed(&self, sale: SaleId) {
        let _ = self.0.notices.send(Arc::new(NoticeItem::Missed(Missed::Sales(vec![(sale, 0)]))));
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        Ok(Box::new(MemoryNotices(self.0.notices.subscribe())))
    }
}

pub struct MemoryNotices(broadcast::Receiver<Arc<NoticeItem>>);

#[async_trait]
impl NoticeStream for MemoryNotices {
    async fn next(&mut self) -> Result<NoticeItem> {
        Ok(NoticeItem::clone(&*self.0.recv().await.map_err(fault)?))
    }
}

#[async_trait]
impl SaleFeed for MemorySignals {
    async fn publish(&self, bulletin: &SaleSnapshot) -> Result<()> {
        let _ = self.0.news.send(Arc::new(bulletin.clone()));
        Ok(())
    }

    async fn news(&self) -> Result<Box<dyn NewsStream>> {
        Ok(Box::new(MemoryNews(self.0.news.subscribe())))
    }

    async fn request(&self, request: &NewsRequest) -> Result<()> {
        let mut requests = self.0.requests();
        if requests.len() >= REQUESTS_MAX {
            requests.pop_front();
        }
        requests.push_back(request.clone());
        self.0.requested.notify_one();
        Ok(())
    }

    async fn requests(&self) -> Result<Box<dyn RequestStream>> {
        Ok(Box::new(MemoryRequests(self.0.clone())))
    }
}

pub struct MemoryNews(broadcast::Receiver<Arc<SaleSnapshot>>);

#[async_trait]
impl NewsStream for MemoryNews {
    async fn next(&mut self) -> Result<SaleSnapshot> {
        Ok(SaleSnapshot::clone(&*self.0.recv().await.map_err(fault)?))
    }
}

pub struct MemoryRequests(Arc<Shared>);

#[async_trait]
impl RequestStream for MemoryRequests {
    async fn next(&mut self) -> Result<Vec<NewsRequest>> {
        loop {
            let waiting: Vec<NewsRequest> = self.0.requests().drain(..).collect();
            if !waiting.is_empty() {
                return Ok(waiting);
            }
            self.0.requested.notified().await;
        }
    }
}
