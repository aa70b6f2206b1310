//! Receives what happened, and hands on what is to be written about it: into the log, or composed and with its receipt made, to
//! a queue. An event is acknowledged when that is durable.

use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::sync::Notify;

use crate::app::mail::Needs;
use crate::app::mail::compose::{compose, receipt_for};
use crate::app::mail::metric::Metric;
use crate::app::mail::{AnyReceipts, Settings};
use crate::domain::shared::event::Event;
use crate::kit::work::backoff::Backoff;
use crate::kit::work::serve::Worker;
use crate::ports::mail::transport::{EmailJob, MailQueue, is_written_about, kind};
use crate::ports::platform::events::Listener;
use crate::ports::{Delivery, Fault, Result, Subscription};

/// Where letters go from here.
#[derive(Clone)]
pub enum Way {
    /// Into the log, to be delivered by this fleet; its postman is told.
    Log(Arc<Notify>),
    Queue(Arc<dyn MailQueue>),
}

pub struct Listening {
    pub needs: Needs,
    pub settings: Settings,
    pub way: Way,
    pub receipts: Option<AnyReceipts>,
}

impl Listening {
    /// Durable when this returns.
    pub async fn take(&self, events: &[Event]) -> Result<()> {
        let written_about: Vec<Event> = events.iter().filter(|event| is_written_about(&event.fact)).cloned().collect();
        let events = &written_about;
        match &self.way {
            Way::Log(told) => {
                self.needs.letters.keep(events, self.needs.clock.now()).await?;
                told.notify_one();
            }
            Way::Queue(post) => {
                let written: Vec<_> = events.iter().map(|event| self.written(event)).collect();
                let letters = stream::iter(written).buffered(self.settings.carriers_max);
                let letters: Vec<Option<EmailJob>> = letters.try_collect().await?;
                let letters: Vec<EmailJob> = letters.into_iter().flatten().collect();
                post.enqueue(&letters).await?;
                for letter in letters {
                    let kind = letter.matter.kind();
                    metrics::counter!(Metric::Emails.name(), "kind" => kind, "outcome" => "posted").increment(1);
                }
            }
        }
        Ok(())
    }

    /// With its receipt made and kept, so that the process that delivers it finds it.
    async fn written(&self, event: &Event) -> Result<Option<EmailJob>> {
        let Some(mut letter) = compose(&self.needs, &self.settings, event).await? else {
            let kind = kind(&event.fact);
            metrics::counter!(Metric::Emails.name(), "kind" => kind, "outcome" => "nobody").increment(1);
            return Ok(None);
        };
        let receipt = receipt_for(&self.needs, &self.settings, self.receipts.as_ref(), event).await?;
        letter.receipt = receipt.map(|receipt| receipt.key);
        Ok(Some(letter))
    }
}

impl Worker for Listening {
    type Body = Event;

    async fn subscribe(&self) -> Result<Box<dyn Subscription<Event>>> {
        self.needs.events.events(Listener::Mail).await
    }

    fn deliveries_max(&self) -> usize {
        self.settings.events_max
    }

    async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Event>>>) -> Result<()> {
        let events: Vec<Event> = deliveries.iter().map(|delivery| delivery.body().clone()).collect();
        let mut patience = Backoff::new(&self.settings.backoff);
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
