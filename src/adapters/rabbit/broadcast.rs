//! Notices: a copy for every present subscriber, none kept for others. A sender that could not tell says so later, and subscribers
//! see by the numbers what did not arrive.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};

use super::consume::{RabbitSubscription, Source};
use super::gaps::{Gaps, LATE};
use super::publish::{Lanes, Message};
use super::topology::Topology;
use super::untold::{Attempt, Untold};
use super::{Background, RabbitBroker, codec, fault};
use crate::domain::sale::notice::{Missed, Notice};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::trace::Mark;
use crate::ports::sale::notices::{NoticeItem, NoticeStream, Notices};
use crate::ports::{Result, Subscription};

/// Messages on their way to one listener; the others wait in its queue, which is bounded.
const PREFETCH: u16 = 64;
/// Notices in one message.
const WORDS_MAX: usize = 256;
/// Before it is tried to say what was missed, each time.
const AGAIN: Duration = Duration::from_millis(200);

/// Tells, under this process's name and numbers.
pub(super) struct Teller {
    sender: u64,
    numbers: AtomicU64,
    untold: Untold,
    lanes: Arc<Lanes>,
    topology: Arc<Topology>,
}

impl Teller {
    pub(super) fn open(lanes: Arc<Lanes>, topology: Arc<Topology>, background: &Background) -> Arc<Self> {
        let (sender, numbers) = (fastrand::u64(..), AtomicU64::new(0));
        let teller = Arc::new(Self { sender, numbers, untold: Untold::default(), lanes, topology });
        let saying = teller.clone();
        background.run("broker.teller", async move { saying.say_what_was_missed().await });
        teller
    }

    /// Tells these of the attempt's notices.
    async fn tell(&self, attempt: Attempt<'_>, notices: &[Notice]) -> Result<()> {
        // Before it takes a number: what never left would look like a gap to everybody.
        if !self.lanes.link.is_up() {
            return Err(fault("there is no connection"));
        }
        let marks: Vec<Mark> = notices.iter().filter_map(Notice::mark).collect();
        let number = self.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        let telling = codec::Telling { sender: self.sender, number, missed: attempt.missed(), notices };
        let message = Message::to_all(self.topology.notices(), codec::encode(&telling)).with_marks(&marks);
        self.lanes.publish(message).await.map_err(fault)?;
        attempt.told();
        Ok(())
    }

    /// A notice that comes before says it, too.
    async fn say_what_was_missed(&self) {
        loop {
            self.untold.grew().await;
            while !self.untold.is_empty() {
                sleep(AGAIN).await;
                if !self.untold.is_empty() {
                    let _ = self.tell(self.untold.begin(&[]), &[]).await;
                }
            }
        }
    }
}

pub struct RabbitNotices {
    subscription: RabbitSubscription<codec::Told>,
    gaps: Gaps,
    /// Taken and not handed out.
    ready: Vec<NoticeItem>,
}

#[async_trait]
impl Notices for RabbitBroker {
    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        let mut rest = notices;
        while !rest.is_empty() {
            // When this part is given up, so are those behind it.
            let attempt = self.0.teller.untold.begin(rest);
            let (part, later) = rest.split_at(rest.len().min(WORDS_MAX));
            self.0.teller.tell(attempt, part).await?;
            rest = later;
        }
        Ok(())
    }

    fn missed(&self, sale: SaleId) {
        self.0.teller.untold.add(sale);
    }

    async fn notices(&self) -> Result<Box<dyn NoticeStream>> {
        let notices = Source::Broadcast(self.0.topology.notices());
        let subscription = RabbitSubscription::open(self.0.clone(), notices, PREFETCH, codec::notices).await?;
        Ok(Box::new(RabbitNotices { subscription, gaps: Gaps::default(), ready: Vec::new() }))
    }
}

impl RabbitNotices {
    async fn take(&mut self) -> Result<()> {
        let deliveries = tokio::select! {
            deliveries = self.subscription.next(usize::from(PREFETCH)) => deliveries?,
            () = sleep_until(self.gaps.due()) => Vec::new(),
        };
        let (now, mut notices, mut gap) = (Instant::now(), Vec::new(), false);
        for delivery in deliveries {
            let told = delivery.body();
            gap |= self.gaps.hear(told.sender, told.number, now);
            notices.extend_from_slice(&told.notices);
            self.ready.extend(told.missed.clone().map(NoticeItem::Missed));
            delivery.ack().await?;
        }
        if gap | self.gaps.are_late(now) {
            let age_ms = LATE.as_millis() as u64;
            self.ready.push(NoticeItem::Missed(Missed::All { age_ms }));
        }
        if !notices.is_empty() {
            self.ready.push(NoticeItem::Notices(notices));
        }
        Ok(())
    }
}

#[async_trait]
impl NoticeStream for RabbitNotices {
    async fn next(&mut self) -> Result<NoticeItem> {
        loop {
            if let Some(item) = self.ready.pop() {
                return Ok(item);
            }
            self.take().await?;
        }
    }
}

pub(super) async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
