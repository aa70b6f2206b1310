//! The payment-consumer: when a hold's time is over it lapses or is paid, and what comes free is given to the next in line.
//!
//! Taking back goes ledger, then turnstile: after a crash anywhere the turnstile is too strict, never too generous, and the
//! ended row that nobody freed says where to go on. Alarms are only alarms: the ledger's conditional moves decide, and the
//! sweeper finds what an alarm forgot.

mod alarms;
mod give_on;
pub mod measure;
pub mod metric;
mod resolve;
mod sweeper;
mod watch;

use serde::Deserialize;

pub use crate::services::payments::alarms::Alarms;
pub use crate::services::payments::give_on::give_on;
pub use crate::services::payments::resolve::settle;
pub use crate::services::payments::sweeper::{Job, Sweeper};

use std::sync::Arc;

use crate::ports::World;
use crate::runtime::lifecycle::Lifecycle;
use crate::services::patience::Backoff;
use crate::services::payments::metric::Metric;
use crate::services::{news, tell};

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Alarms taken at once.
    pub deadlines_max: usize,
    /// Between two sweeps.
    pub sweep_ms: u64,
    /// How long an overdue hold is left to its alarm before the sweeper takes it.
    pub alarm_ms: i64,
    /// Rows one sweep takes of each kind before it looks again.
    pub rows_max: u32,
    /// A payment that is not finished after this long is voided.
    pub paying_ms_max: i64,
    /// A payment that was opened this long ago and that no reservation took is voided. Longer than a checkout may take from
    /// recording a payment to taking it.
    pub orphan_ms: i64,
    /// How long a promotion waits for its row to be born before the turnstile is restored.
    pub absent_ms_max: u64,
    /// How long an answer of the turnstile may be missing in the ledger before the turnstile is restored.
    pub gap_ms: i64,
    /// Calls to the payment provider at the same time.
    pub provider_calls_max: usize,
    pub tell: tell::Settings,
    pub backoff: Backoff,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deadlines_max: 16,
            sweep_ms: 1_000,
            alarm_ms: 1_000,
            rows_max: 2_048,
            paying_ms_max: 30_000,
            orphan_ms: 60_000,
            absent_ms_max: 5_000,
            gap_ms: 5_000,
            provider_calls_max: 16,
            tell: tell::Settings::default(),
            backoff: Backoff::default(),
        }
    }
}

/// Alarms, sweeps and news, until the soft stop; what was begun is finished.
pub async fn run<W: World>(world: W, settings: Settings, lifecycle: Lifecycle) {
    Metric::describe();
    let alarms = Alarms::new(world.clone(), settings.clone());
    let sweeper = Arc::new(Sweeper::new(world.clone(), settings));
    let alarms = lifecycle.tracker.spawn({
        let lifecycle = lifecycle.clone();
        async move { alarms.serve(&lifecycle).await }
    });
    let sweeps = Job::ALL.map(|job| {
        let (sweeper, lifecycle) = (sweeper.clone(), lifecycle.clone());
        let tracker = lifecycle.tracker.clone();
        tracker.spawn(async move { sweeper.serve(job, &lifecycle).await })
    });
    let measures = lifecycle.tracker.spawn({
        let (world, lifecycle) = (world.clone(), lifecycle.clone());
        async move { measure::measure(&world, &lifecycle).await }
    });
    let news = lifecycle.tracker.spawn(news::run(world, lifecycle.clone()));
    futures_util::future::join_all(sweeps.into_iter().chain([alarms, measures, news])).await;
}
