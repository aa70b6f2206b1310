//! Notices and news: a copy for everybody who listens now, none kept for anybody else.

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::domain::notice::Notice;
use crate::domain::trace::Mark;
use crate::ports::news::{Bulletin, News, NewsStream};
use crate::ports::notices::{NoticeStream, Notices};
use crate::ports::{Delivery, Result, Subscription};

/// Messages on their way to one listener; the others wait in its queue, which is bounded.
const PREFETCH: u16 = 64;
/// Notices in one message.
const WORDS_MAX: usize = 256;

pub struct RabbitNotices(RabbitSubscription<Vec<Notice>>);

pub struct RabbitNews(RabbitSubscription<Bulletin>);

impl Notices for RabbitBroker {
    type Stream = RabbitNotices;

    async fn tell(&self, notices: &[Notice]) -> Result<()> {
        for part in notices.chunks(WORDS_MAX) {
            let marks: Vec<Mark> = part.iter().filter_map(Notice::mark).collect();
            let message = Message::to_all(self.0.topology.notices(), codec::encode(part)).with_marks(&marks);
            self.0.lanes.publish(message).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn notices(&self) -> Result<RabbitNotices> {
        let notices = Source::Broadcast(self.0.topology.notices());
        Ok(RabbitNotices(RabbitSubscription::open(self.0.clone(), notices, PREFETCH, codec::notices).await?))
    }
}

impl NoticeStream for RabbitNotices {
    async fn next(&mut self) -> Result<Vec<Notice>> {
        let mut notices = Vec::new();
        for delivery in self.0.next(usize::from(PREFETCH)).await? {
            notices.extend_from_slice(delivery.body());
            delivery.ack().await?;
        }
        Ok(notices)
    }
}

impl News for RabbitBroker {
    type NewsStream = RabbitNews;

    async fn publish(&self, bulletin: &Bulletin) -> Result<()> {
        let message = Message::to_all(self.0.topology.news(), codec::encode(bulletin));
        self.0.lanes.publish(message).await.map_err(fault)
    }

    async fn news(&self) -> Result<RabbitNews> {
        let news = Source::Broadcast(self.0.topology.news());
        Ok(RabbitNews(RabbitSubscription::open(self.0.clone(), news, PREFETCH, codec::news).await?))
    }
}

impl NewsStream for RabbitNews {
    /// One at a time: a bulletin tells the time, and must not wait for others.
    async fn next(&mut self) -> Result<Bulletin> {
        loop {
            if let Some(delivery) = self.0.next(1).await?.pop() {
                let bulletin = delivery.body().clone();
                delivery.ack().await?;
                return Ok(bulletin);
            }
        }
    }
}
