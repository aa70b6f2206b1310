//! Hears what happened, and hands on what is to be written about it: into the log, or composed and with its receipt made, to
//! a queue. An event is acknowledged when that is durable.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;

use crate::domain::event::Event;
use crate::ports::events::{Events, Listener};
use crate::ports::letters::Letters;
use crate::ports::mail::{Letter, Post, kind};
use crate::ports::{Delivery, Fault, Result, Subscription, World};
use crate::services::mailer::compose::{compose, receipt_for};
use crate::services::mailer::metric::Metric;
use crate::services::mailer::{AnyReceipts, Settings};
use crate::services::patience::Patience;
use crate::services::serve::Worker;

/// Where letters go from here.
#[derive(Clone)]
pub enum Way {
    /// Into the log, to be delivered by this fleet; its postman is told.
    Log(Arc<Notify>),
    Queue(Arc<dyn Post>),
}

pub struct Listening<W> {
    pub world: W,
    pub settings: Settings,
    pub way: Way,
    pub receipts: Option<AnyReceipts>,
}

impl<W: World> Listening<W> {
    /// Durable when this returns.
    pub async fn take(&self, events: &[Event]) -> Result<()> {
        match &self.way {
            Way::Log(told) => {
                self.world.store().keep(events, self.world.clock().now()).await?;
                told.notify_one();
            }
            Way::Queue(post) => {
                let written: Vec<_> = events.iter().map(|event| self.written(event)).collect();
                let letters = stream::iter(written).buffered(self.settings.carriers_max);
                let letters: Vec<Option<Letter>> = letters.try_collect().await?;
                let letters: Vec<Letter> = letters.into_iter().flatten().collect();
                post.post(&letters).await?;
                for letter in letters {
                    let kind = letter.matter.kind();
                    metrics::counter!(Metric::Letters.name(), "kind" => kind, "outcome" => "posted").increment(1);
                }
            }
        }
        Ok(())
    }

    /// With its receipt made and kept, so that whoever delivers it finds it.
    async fn written(&self, event: &Event) -> Result<Option<Letter>> {
        let Some(mut letter) = compose(&self.world, &self.settings, event).await? else {
            let kind = kind(&event.fact);
            metrics::counter!(Metric::Letters.name(), "kind" => kind, "outcome" => "nobody").increment(1);
            return Ok(None);
        };
        let receipt = receipt_for(&self.world, &self.settings, self.receipts.as_ref(), event).await?;
        letter.receipt = receipt.map(|receipt| receipt.key);
        Ok(Some(letter))
    }
}

impl<W: World> Worker for Listening<W> {
    type Deliveries = <W::Attempts as Events>::Events;

    async fn subscribe(&self) -> Result<Self::Deliveries> {
        self.world.attempts().events(Listener::Mail).await
    }

    fn deliveries_max(&self) -> usize {
        self.settings.events_max
    }

    async fn handle(&self, deliveries: Vec<<Self::Deliveries as Subscription>::Delivery>) -> Result<()> {
        let events: Vec<Event> = deliveries.iter().map(|delivery| delivery.body().clone()).collect();
        let mut patience = Patience::new(&self.settings.backoff);
        while let Err(fault) = self.take(&events).await {
            self.failed(&fault);
            if !patience.wait().await {
                return Err(fault);
            }
        }
        for delivery in deliveries {
            delivery.ack().await?;
        }
        Ok(())
    }

    fn failed(&self, fault: &Fault) {
        metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
        tracing::warn!(%fault, "events for letters are tried again");
    }
}
