//! The consumer: decides attempts, batch by batch, and says so only after the ledger knows.
//!
//! No batch is nacked, rejected or passed by another here: a consumer in trouble keeps its messages and tries again, and
//! after a long outage it drops the subscription, so that all of them come again in order. Per sale, decisions never overlap
//! and commits follow them; different sales of a partition are worked for at once.

pub mod fallback;
mod group;
pub mod metric;
pub mod points;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::app::sale::feed as news;
use crate::app::sale::feed::SaleFeedPublisher;
use crate::app::sale::restore;
use crate::app::sale::restore::restore;
use crate::app::sale::tell;
use crate::app::sale::turns::{SaleCursor, Unsettled, sure_now};
use crate::domain::sale::attempt::Batch;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::trace::Mark;
use crate::kit::telemetry::traced::{self, Way};
use crate::kit::work::backoff::{Backoff, BackoffSettings};
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::serve::{Worker, serve};
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::recording::Recording;
use crate::ports::sale::turnstile::Turnstile;
use crate::ports::{Delivery, Fault, Result, Subscription};
use crate::workers::consumer::fallback::Fallback;
use crate::workers::consumer::group::Settled;
use crate::workers::consumer::metric::Metric;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Batches taken from a partition at once.
    pub batches_max: usize,
    /// Attempts of one sale recorded in one transaction; a single batch may exceed it.
    pub attempts_max: usize,
    /// Between two looks at whether a sale became exhausted, for each sale.
    pub news_ms: u64,
    pub fallback: fallback::Settings,
    pub tell: tell::Settings,
    pub backoff: BackoffSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batches_max: 128,
            attempts_max: 16_384,
            news_ms: 200,
            fallback: fallback::Settings::default(),
            tell: tell::Settings::default(),
            backoff: BackoffSettings::default(),
        }
    }
}

#[derive(Clone)]
pub struct Needs {
    pub attempts: Arc<dyn Attempts>,
    pub turnstile: Arc<dyn Turnstile>,
    pub recording: Arc<dyn Recording>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
    pub restore: restore::Needs,
    pub announce: news::Needs,
}

pub struct Consumer {
    needs: Needs,
    settings: Settings,
    herald: SaleFeedPublisher,
    fallback: Option<Fallback>,
}

/// Works for every partition, each by itself, until the soft stop; then finishes what it has taken.
pub fn start(consumer: Arc<Consumer>, lifecycle: &Lifecycle) {
    Metric::describe();
    // Nothing is ever sent: it is closed when the last partition has ended.
    let (working, mut worked) = mpsc::channel::<()>(1);
    for number in 0..consumer.needs.attempts.partitions() {
        let (consumer, stops, working) = (consumer.clone(), lifecycle.clone(), working.clone());
        lifecycle.supervise("consumer", async move {
            let _working = working;
            let partition = Partition { consumer: &consumer, number };
            serve(&partition, &consumer.settings.backoff, &stops).await;
        });
    }
    if consumer.fallback.is_some() {
        let stops = lifecycle.clone();
        lifecycle.supervise("consumer.fallback", async move {
            let Some(fallback) = &consumer.fallback else { return };
            fallback.keep(&stops).await;
            // What was taken of the queues is decided first.
            worked.recv().await;
            fallback.give_back(None).await;
        });
    }
}

struct Partition<'c> {
    consumer: &'c Consumer,
    number: u16,
}

impl Worker for Partition<'_> {
    type Body = Batch;

    async fn subscribe(&self) -> Result<Box<dyn Subscription<Batch>>> {
        // Another process may have the partition by now.
        if let Some(fallback) = &self.consumer.fallback {
            fallback.give_back(Some(self.number)).await;
        }
        self.consumer.needs.attempts.attempts(self.number).await
    }

    fn deliveries_max(&self) -> usize {
        self.consumer.settings.batches_max
    }

    async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Batch>>>) -> Result<()> {
        self.consumer.handle(deliveries).await
    }

    fn failed(&self, fault: &Fault) {
        self.consumer.failed(fault, "the partition is subscribed to again", self.number);
    }
}

impl Consumer {
    pub fn new(needs: Needs, settings: Settings) -> Self {
        let herald = SaleFeedPublisher::new(needs.announce.clone(), Duration::from_millis(settings.news_ms));
        Self { needs, settings, herald, fallback: None }
    }

    /// One that decides from its memory while the turnstiles' store is away; the store is behind the fallback's turnstile.
    pub fn with_fallback(self, fallback: Fallback) -> Self {
        Self { fallback: Some(fallback), ..self }
    }

    pub fn fallback(&self) -> Option<&Fallback> {
        self.fallback.as_ref()
    }

    /// Settles the batches, and acknowledges them in their order once every effect is done. A fault means that it was tried
    /// for as long as is allowed, or that an acknowledgement failed.
    pub async fn handle(&self, deliveries: Vec<Box<dyn Delivery<Batch>>>) -> Result<()> {
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
            refused |= traced::record_error(span, settled)?.refused;
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
        let mut patience = Backoff::new(&self.settings.backoff);
        let mut trail = SaleCursor::new(sale);
        let mut away = None;
        loop {
            let fault = match self.try_group(&mut trail, batches, &mut away).await {
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

    /// `None`: the sale moved meanwhile, or was in doubt; the next try sees it anew. `away` is since when the turnstile did not answer.
    async fn try_group(
        &self,
        trail: &mut SaleCursor,
        batches: &[&Batch],
        away: &mut Option<Instant>,
    ) -> Result<Option<Settled>> {
        sure_now(&*self.needs.clock)?;
        match group::settle(&self.needs, &self.settings.tell, trail, batches).await {
            Ok(settled) => return Ok(Some(settled)),
            Err(Unsettled::Again) => {}
            Err(Unsettled::Fault(fault)) => return Err(fault),
            Err(Unsettled::Away(fault)) => {
                let since = away.get_or_insert_with(Instant::now).elapsed();
                let Some(fallback) = &self.fallback else { return Err(fault) };
                if !fallback.take(trail.sale(), since).await? {
                    return Err(fault);
                }
            }
            Err(Unsettled::Diverged(doubt)) => {
                *away = None;
                restore(&self.needs.restore, &self.settings.tell, doubt).await?;
            }
        }
        metrics::counter!(Metric::Tries.name()).increment(1);
        Ok(None)
    }

    fn failed(&self, fault: &Fault, then: &'static str, of: impl std::fmt::Display) {
        metrics::counter!(Metric::Faults.name(), "part" => fault.part).increment(1);
        tracing::warn!(%fault, %of, then, "consuming attempts failed");
    }
}
