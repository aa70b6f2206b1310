//! The relay: what was committed is published, in the order of writing, and marked once every listener's queue has it.
//!
//! It decides nothing. Stopped anywhere, it publishes some events again, under their ids; several at once are harmless, and
//! one that finds its work done by another stands back for a while. Absent is any way to publish what was not committed.

pub mod metric;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;

use crate::domain::shared::id::EventId;
use crate::kit::work::backoff::{Backoff, BackoffSettings};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::ticks::run_periodically;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::events::Events;
use crate::ports::platform::fault::{Faults, Point};
use crate::ports::platform::outbox::Outbox;
use crate::ports::{Fault, Result};
use crate::workers::relay::metric::Metric;

pub const AFTER_READ: Point = Point("relay.after_read");
pub const AFTER_PUBLISH: Point = Point("relay.after_publish");

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What another process committed is found within this time; what this one committed, at once.
    pub relay_ms: u64,
    /// Events published together.
    pub events_max: u32,
    /// How long a published event is kept to look at.
    pub keep_published_ms: i64,
    /// Between two looks at the backlog and at what is kept for too long.
    pub tend_ms: u64,
    /// Published events removed in one transaction.
    pub removed_max: u32,
    pub backoff: BackoffSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            relay_ms: 250,
            events_max: 256,
            keep_published_ms: 86_400_000,
            tend_ms: 1_000,
            removed_max: 1_000,
            backoff: BackoffSettings::default(),
        }
    }
}

#[derive(Clone)]
pub struct Needs {
    pub outbox: Arc<dyn Outbox>,
    pub events: Arc<dyn Events>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
}

pub struct Relay {
    needs: Needs,
    settings: Settings,
}

/// What one step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed {
    pub read: u32,
    /// Those that no other relay had marked meanwhile.
    pub first: u32,
}

/// Publishes until the soft stop; a batch that was begun is finished.
pub async fn run(needs: Needs, settings: Settings, lifecycle: Lifecycle) {
    Metric::describe();
    let relay = Relay::new(needs, settings);
    tokio::join!(relay.serve(&lifecycle), relay.tend_again(&lifecycle));
}

impl Relay {
    pub fn new(needs: Needs, settings: Settings) -> Self {
        Self { needs, settings }
    }

    async fn serve(&self, lifecycle: &Lifecycle) {
        let mut patience = Backoff::new(&self.settings.backoff);
        while !lifecycle.soft.is_cancelled() {
            let relayed = tokio::select! {
                biased;
                () = lifecycle.hard.cancelled() => return,
                relayed = self.step() => relayed,
            };
            let wait = async {
                match relayed {
                    Ok(relayed) => {
                        patience = Backoff::new(&self.settings.backoff);
                        self.rest(relayed).await;
                    }
                    Err(fault) => {
                        failed(&fault, "the events are kept and tried again");
                        patience.pause().await;
                    }
                }
            };
            tokio::select! {
                () = lifecycle.soft.cancelled() => return,
                () = wait => {}
            }
        }
    }

    async fn rest(&self, relayed: Relayed) {
        let wait = Duration::from_millis(self.settings.relay_ms);
        if relayed.first < relayed.read {
            // Another relay is at it: of two that go on, each would publish everything.
            return tokio::time::sleep(wait.mul_f64(fastrand::f64())).await;
        }
        if relayed.read < self.settings.events_max {
            let _ = tokio::time::timeout(wait, self.needs.outbox.written()).await;
        }
    }

    /// The oldest that are not published.
    pub async fn step(&self) -> Result<Relayed> {
        let begun = Instant::now();
        let events_max = self.settings.events_max;
        let events = self.needs.outbox.unpublished(events_max).await?;
        if events.is_empty() {
            return Ok(Relayed { read: 0, first: 0 });
        }
        self.needs.faults.reach(AFTER_READ).await;
        self.needs.events.publish_events(&events).await?;
        self.needs.faults.reach(AFTER_PUBLISH).await;
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let now = self.needs.clock.now();
        let first = self.needs.outbox.mark_published(&ids, now).await?;
        for event in &events {
            metrics::counter!(Metric::Published.name(), "topic" => event.fact.topic()).increment(1);
            metrics::histogram!(Metric::DelaySeconds.name()).record(now.since_ms(event.at).max(0) as f64 / 1_000.0);
        }
        metrics::histogram!(Metric::BatchSeconds.name()).record(begun.elapsed().as_secs_f64());
        Ok(Relayed { read: events.len() as u32, first: first as u32 })
    }

    /// Steps until nothing is left to publish.
    pub async fn drain(&self) -> Result<()> {
        while self.step().await?.read > 0 {}
        Ok(())
    }

    async fn tend_again(&self, lifecycle: &Lifecycle) {
        run_periodically(Duration::from_millis(self.settings.tend_ms), lifecycle, || async {
            if let Err(fault) = self.tend().await {
                failed(&fault, "the outbox is tended again in a while");
            }
        })
        .await;
    }

    /// Measures the backlog, and removes what is kept for too long: one bounded piece, or pieces until there is no more.
    pub async fn tend(&self) -> Result<()> {
        let now = self.needs.clock.now();
        let backlog = self.needs.outbox.backlog().await?;
        let age_ms = backlog.oldest.map_or(0, |oldest| now.since_ms(oldest).max(0));
        metrics::gauge!(Metric::Backlog.name()).set(backlog.events as f64);
        metrics::gauge!(Metric::OldestSeconds.name()).set(age_ms as f64 / 1_000.0);
        let before = now.plus_ms(-self.settings.keep_published_ms);
        loop {
            let removed = self.needs.outbox.remove_published(before, self.settings.removed_max).await?;
            metrics::counter!(Metric::Removed.name()).increment(removed);
            if removed < u64::from(self.settings.removed_max) {
                return Ok(());
            }
        }
    }
}

fn failed(fault: &Fault, then: &'static str) {
    metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
    tracing::warn!(%fault, then, "relaying events failed");
}
