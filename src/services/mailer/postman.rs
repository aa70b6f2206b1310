//! Delivers what is due in the log of letters, several at a time. Any number of postmen share a log: each letter is claimed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{self, JoinSet};

use crate::domain::event::Event;
use crate::domain::id::EventId;
use crate::ports::letters::Letters;
use crate::ports::mail::{Carrier, kind};
use crate::ports::{Fault, Result, World};
use crate::runtime::lifecycle::Lifecycle;
use crate::services::mailer::compose::{compose, receipt_for};
use crate::services::mailer::deliver::{Again, Delivered, Deliverer, Ready};
use crate::services::mailer::metric::Metric;
use crate::services::mailer::{AnyReceipts, Settings};

/// Letters looked at for each that can be carried.
const LOOK_AHEAD: usize = 4;

pub struct Postman<W: World> {
    world: W,
    settings: Settings,
    carrier: Arc<dyn Carrier>,
    receipts: Option<AnyReceipts>,
    /// Somebody put a letter into the log.
    told: Arc<Notify>,
}

impl<W: World> Postman<W> {
    pub fn new(
        world: W,
        settings: Settings,
        carrier: Arc<dyn Carrier>,
        receipts: Option<AnyReceipts>,
        told: Arc<Notify>,
    ) -> Self {
        Self { world, settings, carrier, receipts, told }
    }

    /// Until the soft stop; what was begun is finished. Each delivery is a task of its own: one that is not looked after while
    /// this one waits could sit on the connection that this one waits for.
    pub async fn run(self: Arc<Self>, lifecycle: &Lifecycle) {
        let mut going = JoinSet::new();
        let mut out: HashMap<task::Id, EventId> = HashMap::new();
        let mut again = tokio::time::interval(Duration::from_millis(self.settings.look_ms));
        loop {
            for event in self.to_begin(&out).await {
                let (postman, id) = (self.clone(), event.id);
                let begun = going.spawn(async move {
                    let delivered = postman.deliver(&event).await;
                    if delivered.is_err() {
                        // The log is away: it is not asked for the same letter at once.
                        tokio::time::sleep(Duration::from_millis(postman.settings.look_ms)).await;
                    }
                    delivered
                });
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
                        tracing::error!(error = %broken, "a delivery broke down; its claim runs out");
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
        let room = self.settings.carriers_max.saturating_sub(out.len());
        if room == 0 {
            return Vec::new();
        }
        let max = self.settings.carriers_max * LOOK_AHEAD;
        let mut due = self.world.store().due(self.world.clock().now(), max as u32).await.unwrap_or_else(|fault| {
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
        for event in self.world.store().due(self.world.clock().now(), self.settings.events_max as u32).await? {
            sent += usize::from(self.deliver(&event).await? == Delivered::Sent);
        }
        Ok(sent)
    }

    async fn deliver(&self, event: &Event) -> Result<Delivered> {
        let now = || self.world.clock().now();
        let deliverer =
            Deliverer { log: self.world.store(), carrier: &*self.carrier, settings: &self.settings, again: Again::Log };
        deliverer.deliver(event.id, kind(&event.fact), now, self.ready(event)).await
    }

    async fn ready(&self, event: &Event) -> Result<Ready> {
        let Some(letter) = compose(&self.world, &self.settings, event).await? else { return Ok(Ready::Nobody) };
        let receipt = receipt_for(&self.world, &self.settings, self.receipts.as_ref(), event).await?;
        Ok(Ready::Letter { letter: Box::new(letter), receipt: receipt.map(|receipt| receipt.bytes) })
    }
}

fn failed(fault: &Fault) {
    metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
    tracing::warn!(%fault, "the log of letters is asked again");
}
