//! The feed of sales: a copy of each bulletin for every present subscriber, and a queue for what publishers ask. A process numbers
//! its bulletins; a subscriber that finds a number missing subscribes again, and so asks for everything.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use tokio::time::Instant;

use super::broadcast::sleep_until;
use super::consume::{RabbitSubscription, Source};
use super::gaps::Gaps;
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::ports::sale::feed::{NewsRequest, NewsStream, RequestStream, SaleFeed, SaleSnapshot};
use crate::ports::{Fault, Result, Subscription};

/// Bulletins on their way to one listener; the others wait in its queue, which is bounded.
const PREFETCH: u16 = 64;
/// Requests taken at once.
const REQUESTS_PREFETCH: u16 = 256;

/// This process's name among the senders, and the numbers of its bulletins.
pub(super) struct Numbers {
    sender: u64,
    last: AtomicU64,
}

impl Numbers {
    pub(super) fn new() -> Self {
        Self { sender: fastrand::u64(..), last: AtomicU64::new(0) }
    }
}

pub struct RabbitNews {
    subscription: RabbitSubscription<codec::Numbered>,
    gaps: Gaps,
}

pub struct RabbitRequests(RabbitSubscription<NewsRequest>);

#[async_trait]
impl SaleFeed for RabbitBroker {
    async fn publish(&self, bulletin: &SaleSnapshot) -> Result<()> {
        // Before it takes a number: what never left would look like a gap to everybody.
        if !self.0.lanes.link.is_up() {
            return Err(fault("there is no connection"));
        }
        let Numbers { sender, last } = &self.0.feed;
        let number = last.fetch_add(1, Ordering::Relaxed) + 1;
        let numbered = codec::Numbering { sender: *sender, number, bulletin };
        let message = Message::to_all(self.0.topology.news(), codec::encode(&numbered));
        self.0.lanes.publish(message).await.map_err(fault)
    }

    async fn news(&self) -> Result<Box<dyn NewsStream>> {
        let news = Source::Broadcast(self.0.topology.news());
        let subscription = RabbitSubscription::open(self.0.clone(), news, PREFETCH, codec::news).await?;
        Ok(Box::new(RabbitNews { subscription, gaps: Gaps::of_who_asks() }))
    }

    async fn request(&self, request: &NewsRequest) -> Result<()> {
        let message = Message::to_queue(self.0.topology.news_requests(), codec::encode(request));
        self.0.lanes.publish(message).await.map_err(fault)
    }

    async fn requests(&self) -> Result<Box<dyn RequestStream>> {
        let requests = Source::Queue(self.0.topology.news_requests());
        let decode = codec::news_request;
        let subscription = RabbitSubscription::open(self.0.clone(), requests, REQUESTS_PREFETCH, decode).await?;
        Ok(Box::new(RabbitRequests(subscription)))
    }
}

#[async_trait]
impl NewsStream for RabbitNews {
    /// One at a time: a bulletin tells the time, and must not wait for others.
    async fn next(&mut self) -> Result<SaleSnapshot> {
        loop {
            let deliveries = tokio::select! {
                deliveries = self.subscription.next(1) => deliveries?,
                () = sleep_until(self.gaps.due()) => Vec::new(),
            };
            let now = Instant::now();
            let mut heard = None;
            for delivery in deliveries {
                let numbered = delivery.body();
                let missed = self.gaps.hear(numbered.sender, numbered.number, now);
                heard = Some(numbered.bulletin.clone());
                delivery.ack().await?;
                if missed {
                    return Err(missing());
                }
            }
            if self.gaps.are_late(now) {
                return Err(missing());
            }
            if let Some(bulletin) = heard {
                return Ok(bulletin);
            }
        }
    }
}

#[async_trait]
impl RequestStream for RabbitRequests {
    async fn next(&mut self) -> Result<Vec<NewsRequest>> {
        let deliveries = self.0.next(usize::from(REQUESTS_PREFETCH)).await?;
        let mut requests = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            requests.push(delivery.body().clone());
            delivery.ack().await?;
        }
        Ok(requests)
    }
}

fn missing() -> Fault {
    fault("a bulletin did not arrive")
}
