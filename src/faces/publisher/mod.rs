//! The thin front of a sale: admission, window, answer and quantity, all from memory; then the durable queue; then the 202.
//!
//! It asks no ledger and no turnstile, and decides nothing about units. What it knows of sales is what the news said last, and
//! it says "sold out" only while fresh news say so. Nothing is promised before the queue confirmed it.

mod attempt;
mod document;
mod known;
mod lanes;
mod metric;
mod pressing;
mod refusals;
mod route;

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::ServiceConfig;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::domain::shared::id::BATCH_MAX;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::admission::AdmissionKeys;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::platform::clock::Clock;
use crate::ports::sale::attempts::Attempts;
use crate::ports::sale::feed::{NewsRequest, SALES_MAX, SaleFeed};

pub use document::part;
pub use metric::Metric;

use known::Known;
use lanes::Lanes;
use metric::Metrics;

/// Figures older than this do not count as exhausted.
pub const FRESH_MS_MAX: i64 = 3_000;
/// Without a message of the sale feed for this long, no buyer should be sent here.
pub const DEAF_MS_MAX: i64 = 10_000;
/// Between two tries to subscribe.
const RESUBSCRIBE: Duration = Duration::from_millis(500);
/// Before everything is asked for again, when no answer came.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// Sales that are asked about are gathered for so long.
const GATHER: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bytes of an attempt's body.
    pub body_bytes_max: usize,
    /// Attempts in one batch; never more than 1,024.
    pub batch_max: usize,
    /// Batches of one sale that one thread has on their way at once; more wait and grow meanwhile.
    pub batches_in_flight_max: usize,
    /// Attempts of one thread that wait for their answer; more are sent away with a 503.
    pub attempts_waiting_max: usize,
    /// What a 503 asks a buyer to wait, in seconds.
    pub retry_after_s: u32,
    /// Answer "sold out" at once while the sale is exhausted. Off: every attempt goes through the queue.
    pub sold_out_at_once: bool,
    /// Wrong answers of one admission, to each thread.
    pub answers_max: u32,
    /// Presses of one buyer in a second, to each thread; more are answered 429.
    pub presses_per_s_max: u32,
    /// How long a sale is remembered after its last news: some rounds of the payment-consumers.
    pub forget_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes_max: 4 * 1024,
            batch_max: 512,
            batches_in_flight_max: 4,
            attempts_waiting_max: 16_384,
            retry_after_s: 1,
            sold_out_at_once: true,
            answers_max: 3,
            presses_per_s_max: 5,
            forget_ms: 3_600_000,
        }
    }
}

#[derive(Clone)]
pub struct Needs {
    pub attempts: Arc<dyn Attempts>,
    pub news: Arc<dyn SaleFeed>,
    pub clock: Arc<dyn Clock>,
}

pub struct Publisher(Arc<Shared>);

struct Shared {
    needs: Needs,
    keys: Arc<AdmissionKeys>,
    settings: Settings,
    known: Known,
    metrics: Metrics,
}

impl Clone for Publisher {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Publisher {
    pub fn new(needs: Needs, keys: Arc<AdmissionKeys>, mut settings: Settings) -> Self {
        settings.batch_max = settings.batch_max.clamp(1, BATCH_MAX);
        settings.batches_in_flight_max = settings.batches_in_flight_max.max(1);
        Self(Arc::new(Shared { needs, keys, settings, known: Known::default(), metrics: Metrics::new() }))
    }

    /// Why no buyer should be sent here now.
    pub fn problems(&self) -> Vec<&'static str> {
        let shared = &self.0;
        let mut problems = Vec::new();
        if !shared.needs.attempts.is_up() {
            problems.push("broker");
        }
        if !shared.needs.clock.is_sure() {
            problems.push("clock");
        }
        let now = shared.needs.clock.now();
        // A process that is only just back would answer 503 for a sale that it does not know yet.
        let is_deaf = shared.known.heard_at().is_none_or(|heard| now.since_ms(heard) > DEAF_MS_MAX);
        if is_deaf || shared.known.is_new() {
            problems.push("news");
        }
        problems
    }

    /// Whether it knows this sale.
    pub fn knows(&self, sale: SaleId) -> bool {
        self.0.known.entries().contains_key(&sale)
    }

    /// Follows the sale feed until the soft stop. Requests after it are judged by the last messages.
    pub async fn run(&self, lifecycle: &Lifecycle) {
        self.run_and_tell(&lifecycle.soft, |_| {}).await;
    }

    /// Like [`Self::run`], until `end`; `heard` gets the ledger's time of every message the moment it arrives, for a clock that
    /// is measured by the feed.
    pub async fn run_and_tell(&self, end: &CancellationToken, heard: impl Fn(Timestamp)) {
        tokio::select! {
            () = self.follow(heard) => {}
            () = end.cancelled() => {}
        }
    }

    async fn follow(&self, heard: impl Fn(Timestamp)) {
        loop {
            if let Err(fault) = self.listen(&heard).await {
                tracing::warn!(fault.part = fault.part, fault.what = %fault.what, "the sale feed subscription ended");
            }
            tokio::time::sleep(RESUBSCRIBE).await;
        }
    }

    /// One subscription, until it ends. Once it stands, everything is requested: what was published before is in the answer, what
    /// is published later comes by itself.
    async fn listen(&self, heard: &impl Fn(Timestamp)) -> crate::ports::Result<()> {
        let shared = &self.0;
        let mut stream = shared.needs.news.news().await?;
        shared.known.begins_to_listen();
        let number = fastrand::u64(..);
        let hear = async {
            loop {
                let bulletin = stream.next().await?;
                heard(bulletin.sent_at);
                let now = shared.needs.clock.now();
                shared.known.learn_revoked(&bulletin.revoked, now);
                shared.known.learn(bulletin.sales, now, shared.settings.forget_ms);
                if bulletin.answers.contains(&number) {
                    shared.known.was_told_everything();
                }
            }
        };
        tokio::select! {
            ended = hear => ended,
            () = self.ask(number) => Ok(()),
        }
    }

    /// For everything until it is told, and for the sales that buyers are sent away for.
    async fn ask(&self, number: u64) {
        let whole = async {
            while !self.0.known.is_whole() {
                self.request(NewsRequest::Everything { number }).await;
                tokio::time::sleep(ASK_AGAIN).await;
            }
        };
        let some = async {
            loop {
                let sales = self.0.known.wanted().await;
                for sales in sales.chunks(SALES_MAX) {
                    self.request(NewsRequest::Sales { sales: sales.to_vec() }).await;
                }
                tokio::time::sleep(GATHER).await;
            }
        };
        tokio::join!(whole, some);
    }

    /// A request that is lost is made again while its answer is needed.
    async fn request(&self, request: NewsRequest) {
        if let Err(fault) = self.0.needs.news.request(&request).await {
            tracing::warn!(fault.part = fault.part, fault.what = %fault.what, "a sale feed request was not sent");
        }
    }
}

/// Mounts the publisher's route. Called once by every thread that serves: each has batches of its own. Mounted before other
/// routes under `/v1/sales`, it takes its own path and leaves them the rest.
pub fn routes(cfg: &mut ServiceConfig, publisher: Publisher) {
    cfg.service(route::AttemptsRoute::new(Lanes::new(publisher.0)));
}
