//! Delivers what is due in the log of letters, several at a time. Any number of postmen share a log: each letter is claimed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{self, JoinSet};

use crate::app::mail::Needs;
use crate::app::mail::compose::{compose, receipt_for};
use crate::app::mail::deliver::{Again, Delivered, Deliverer, Ready};
use crate::app::mail::metric::Metric;
use crate::app::mail::{AnyReceipts, Settings};
use crate::domain::shared::event::Event;
use crate::domain::shared::id::EventId;
use crate::kit::work::lifecycle::{Lifecycle, counted};
use crate::ports::mail::transport::{MailSender, kind};
use crate::ports::{Fault, Result};

/// Letters looked at for each that can be carried.
const LOOK_AHEAD: usize = 4;

pub struct DeliveryWorker {
    needs: Needs,
    deliverer: Deliverer,
    receipts: Option<AnyReceipts>,
    /// A letter was put into the log.
    told: Arc<Notify>,
}

impl DeliveryWorker {
    pub fn new(
        needs: Needs,
        settings: Settings,
        carrier: Arc<dyn MailSender>,
        receipts: Option<AnyReceipts>,
        told: Arc<Notify>,
    ) -> Self {
        let (letters, clock) = (needs.letters.clone(), needs.clock.clone());
        let deliverer = Deliverer { letters, carrier, clock, settings, again: Again::Log };
        Self { needs, deliverer, receipts, told }
    }

    /// Until the soft stop; what was begun is finished. Each delivery is a task of its own: one that is not looked after while
    /// this one waits could sit on the connection that this one waits for.
    pub async fn run(self: Arc<Self>, lifecycle: &Lifecycle) {
        let mut going = JoinSet::new();
        let mut out: HashMap<task::Id, EventId> = HashMap::new();
        let mut again = tokio::time::interval(Duration::from_millis(self.deliverer.settings.look_ms));
        loop {
            for event in self.to_begin(&out).await {
                let (postman, id) = (self.clone(), event.id);
                let begun = going.spawn(counted("mail.delivery", async move {
                    let delivered = postman.deliver(&event).await;
                    if delivered.is_err() {
                        // The log is away: it is not asked for the same letter at once.
                        tokio::time::sleep(Duration::from_millis(postman.deliverer.settings.look_ms)).await;
                    }
                    delivered
                }));
                out.insert(begun.id(), id);
            }
            tokio::select! {
                biased;
                () = lifecycle.hard.cancelled() => return,
                () = lifecycle.soft.cancelled() => break,
                Some(ended) = going.join_next_with_id() => match ended {
                    Ok((task, delivered)) => {
                        out.remove(&task);
                        delivered.map_or_else(|fault| failed(&fault), |_| ());
                    }
                    Err(broken) => {
                        tracing::error!(error = %broken, "the task of a delivery failed; its claim runs out");
                        out.remove(&broken.id());
                    }
                },
                () = self.told.notified() => {}
                _ = again.tick() => {}
            }
        }
        tokio::select! {
            () = lifecycle.hard.cancelled() => {}
            () = async { while going.join_next().await.is_some() {} } => {}
        }
    }

    /// Letters that are due and not being delivered here, as many as there is room for.
    async fn to_begin(&self, out: &HashMap<task::Id, EventId>) -> Vec<Event> {
        let room = self.deliverer.settings.carriers_max.saturating_sub(out.len());
        if room == 0 {
            return Vec::new();
        }
        let max = self.deliverer.settings.carriers_max * LOOK_AHEAD;
        let mut due = self.needs.letters.due(self.needs.clock.now(), max as u32).await.unwrap_or_else(|fault| {
            failed(&fault);
            Vec::new()
        });
        due.retain(|event| !out.values().any(|id| *id == event.id));
        // Several postmen see the same letters: each begins somewhere else.
        fastrand::shuffle(&mut due);
        due.truncate(room);
        due
    }

    /// Delivers what is due now, one after another: how many were sent.
    pub async fn round(&self) -> Result<usize> {
        let mut sent = 0;
        for event in self.needs.letters.due(self.needs.clock.now(), self.deliverer.settings.events_max as u32).await? {
            sent += usize::from(self.deliver(&event).await? == Delivered::Sent);
        }
        Ok(sent)
    }

    async fn deliver(&self, event: &Event) -> Result<Delivered> {
        self.deliverer.deliver(event.id, kind(&event.fact), self.ready(event)).await
    }

    async fn ready(&self, event: &Event) -> Result<Ready> {
        let Some(letter) = compose(&self.needs, &self.deliverer.settings, event).await? else {
            return Ok(Ready::Nobody);
        };
        let receipt = receipt_for(&self.needs, &self.deliverer.settings, self.receipts.as_ref(), event).await?;
        Ok(Ready::EmailJob { letter: Box::new(letter), receipt: receipt.map(|receipt| receipt.bytes) })
    }
}

fn failed(fault: &Fault) {
    metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
    tracing::warn!(%fault, "the log of letters failed and is asked again");
}
