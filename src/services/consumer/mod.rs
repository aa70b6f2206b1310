//! The consumer: decides attempts, batch by batch, and says so only after the ledger knows.
//!
//! Nobody nacks, rejects or lets one batch pass another here: a consumer in trouble keeps its messages and tries again, and
//! after a long outage it drops the subscription, so that all of them come again in order. Per sale, decisions never overlap
//! and commits follow them; different sales of a partition are worked for at once.

mod group;
pub mod metric;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tokio::time::Instant;

use crate::domain::attempt::Batch;
use crate::domain::id::SaleId;
use crate::domain::trace::Mark;
use crate::ports::attempts::Attempts;
use crate::ports::{Delivery, Fault, Result, Subscription, World};
use crate::runtime::lifecycle::Lifecycle;
use crate::services::consumer::group::Settled;
use crate::services::consumer::metric::Metric;
use crate::services::news::Herald;
use crate::services::patience::{Backoff, Patience};
use crate::services::restore::restore;
use crate::services::serve::{Worker, serve};
use crate::services::tell;
use crate::services::traced::{self, Way};
use crate::services::turns::{Step, Trail, sure_now};

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Batches taken from a partition at once.
    pub batches_max: usize,
    /// Attempts of one sale recorded in one transaction; a single batch may exceed it.
    pub attempts_max: usize,
    /// Between two looks at whether a sale became exhausted, for each sale.
    pub news_ms: u64,
    pub tell: tell::Settings,
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batches_max: 128,
            attempts_max: 16_384,
            news_ms: 200,
            tell: tell::Settings::default(),
            backoff: Backoff::default(),
        }
    }
}

pub struct Consumer<W> {
    world: W,
    settings: Settings,
    herald: Herald<W>,
}

/// Works for every partition until the soft stop, then finishes what it has taken.
pub async fn run<W: World>(world: W, settings: Settings, lifecycle: Lifecycle) {
    Metric::describe();
    let partitions = world.attempts().partitions();
    let consumer = Arc::new(Consumer::new(world, settings));
    let loops = (0..partitions).map(|partition| {
        let (consumer, lifecycle) = (consumer.clone(), lifecycle.clone());
        let tracker = lifecycle.tracker.clone();
        tracker.spawn(async move {
            let partition = Partition { consumer: &consumer, number: partition };
            serve(&partition, &consumer.settings.backoff, &lifecycle).await;
        })
    });
    join_all(loops).await;
}

struct Partition<'c, W> {
    consumer: &'c Consumer<W>,
    number: u16,
}

impl<W: World> Worker for Partition<'_, W> {
    type Deliveries = <W::Attempts as Attempts>::Attempts;

    async fn subscribe(&self) -> Result<Self::Deliveries> {
        self.consumer.world.attempts().attempts(self.number).await
    }

    fn deliveries_max(&self) -> usize {
        self.consumer.settings.batches_max
    }

    async fn handle(&self, deliveries: Vec<<Self::Deliveries as Subscription>::Delivery>) -> Result<()> {
        self.consumer.handle(deliveries).await
    }

    fn failed(&self, fault: &Fault) {
        self.consumer.failed(fault, "the partition is subscribed to again", self.number);
    }
}

impl<W: World> Consumer<W> {
    pub fn new(world: W, settings: Settings) -> Self {
        let herald = Herald::new(world.clone(), Duration::from_millis(settings.news_ms));
        Self { world, settings, herald }
    }

    /// Settles the batches, and acknowledges them in their order once every effect is done. A fault means that it was tried
    /// for as long as is allowed, or that an acknowledgement failed.
    pub async fn handle<D: Delivery<Body = Batch>>(&self, deliveries: Vec<D>) -> Result<()> {
        let mut sales: BTreeMap<SaleId, Vec<&Batch>> = BTreeMap::new();
        for delivery in &deliveries {
            sales.entry(delivery.body().sale).or_default().push(delivery.body());
        }
        let settled = join_all(sales.values().map(|batches| self.settle_sale(batches))).await;
        settled.into_iter().collect::<Result<()>>()?;
        for delivery in deliveries {
            delivery.ack().await?;
        }
        Ok(())
    }

    async fn settle_sale(&self, batches: &[&Batch]) -> Result<()> {
        let sale = batches[0].sale;
        let mut rest = batches;
        let mut refused = false;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(group::fitting(rest, self.settings.attempts_max));
            let begun = Instant::now();
            let marks: Vec<Mark> = now.iter().flat_map(|batch| batch.traced.iter().copied()).collect();
            let mut span = traced::processes(Way::Attempts, now.len(), &marks);
            span.set_with("sale.id", || sale.to_string());
            let settled = span.around(self.settle_group(sale, now)).await;
            refused |= traced::judged(span, settled)?.refused;
            metrics::histogram!(Metric::GroupSeconds.name()).record(begun.elapsed().as_secs_f64());
            metrics::histogram!(Metric::GroupBatches.name()).record(now.len() as f64);
            rest = later;
        }
        if refused {
            self.herald.look(sale).await;
        }
        Ok(())
    }

    /// Tries until it is done.
    async fn settle_group(&self, sale: SaleId, batches: &[&Batch]) -> Result<Settled> {
        let mut patience = Patience::new(&self.settings.backoff);
        let mut trail = Trail::new(sale);
        loop {
            let fault = match self.try_group(&mut trail, batches).await {
                Ok(Some(settled)) => return Ok(settled),
                Ok(None) => Fault::new("turnstile", "the sale is in doubt"),
                Err(fault) => {
                    self.failed(&fault, "the batches are kept and tried again", sale);
                    fault
                }
            };
            if !patience.wait().await {
                return Err(fault);
            }
        }
    }

    /// `None`: the sale moved meanwhile, or was in doubt; the next try sees it anew.
    async fn try_group(&self, trail: &mut Trail, batches: &[&Batch]) -> Result<Option<Settled>> {
        sure_now(&self.world)?;
        match group::settle(&self.world, &self.settings.tell, trail, batches).await? {
            Step::Done(settled) => return Ok(Some(settled)),
            Step::Again => {}
            Step::Doubt(doubt) => {
                restore(&self.world, &self.settings.tell, doubt).await?;
            }
        }
        metrics::counter!(Metric::Tries.name()).increment(1);
        Ok(None)
    }

    fn failed(&self, fault: &Fault, then: &'static str, of: impl std::fmt::Display) {
        metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
        tracing::warn!(%fault, %of, "{then}");
    }
}
