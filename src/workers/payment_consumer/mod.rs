//! The payment-consumer: when a hold's time is over it lapses or is paid, and what comes free is given to the next in line.
//!
//! Taking back goes ledger, then turnstile: after a crash anywhere the turnstile is too strict, never too generous, and the
//! ended row that is not freed says where to go on. Alarms are only alarms: the ledger's conditional moves decide, and the
//! sweeper finds what an alarm forgot.

mod alarms;
pub mod measure;
pub mod metric;
pub mod points;
mod release_and_promote;
mod resolve;
mod sweeper;
mod watch;

use serde::Deserialize;

use crate::ports::money::sweeping::Sweeping;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::Faults;
use crate::ports::platform::lag::{Depths, Lagging};
use crate::ports::receipts::holders::HolderSearch;
use crate::ports::sale::catalogue::Catalogue;
use crate::ports::sale::deadlines::Deadlines;
use crate::ports::sale::recording::Recording;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::turnstile::Turnstile;
pub use crate::workers::payment_consumer::alarms::Alarms;
pub use crate::workers::payment_consumer::release_and_promote::release_and_promote;
pub use crate::workers::payment_consumer::sweeper::{Job, Sweeper};

use std::sync::Arc;

use crate::app::money;
use crate::app::sale::tell;
use crate::app::sale::{feed, restore, rounds};
use crate::domain::money::payment::RefundPace;
use crate::kit::work::backoff::BackoffSettings;
use crate::kit::work::lifecycle::Lifecycle;
use crate::workers::payment_consumer::metric::Metric;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Books {
    /// In tables of their own, beside the ledger's.
    #[default]
    Ledger,
    /// Of each process, and gone with it: for measurements alone.
    Memory,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether payments go to the built-in sandbox, and no money moves: to be said where there is no Stripe key, by gateways and
    /// operators' commands as well. Only an embedded shop needs no word.
    pub sandbox: bool,
    /// Where the sandbox has its books.
    pub sandbox_books: Books,
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
    /// How long a promotion waits for its row before the turnstile is restored.
    pub absent_ms_max: u64,
    /// How long an answer of the turnstile may be missing in the ledger before the turnstile is restored.
    pub gap_ms: i64,
    /// Calls to the payment provider at the same time.
    pub provider_calls_max: usize,
    /// Refunds asked for in one sweep; with `sweep_ms` it bounds how often a process asks the provider for money back.
    pub sweep_refunds_max: u32,
    /// Before a refund is asked for again; each later wait is twice as long, up to the longest. Until then no other process asks:
    /// so long does a refund wait when the asking process crashed.
    pub refund_wait_ms: i64,
    pub refund_wait_ms_max: i64,
    /// A refund that the provider refused so often has failed, and waits for an operator.
    pub refund_tries_max: u32,
    /// How sales that do not move are gone by.
    pub rounds: rounds::Settings,
    pub tell: tell::Settings,
    pub backoff: BackoffSettings,
}

impl Settings {
    /// Settings that contradict each other, checked when a process starts.
    pub fn check(&self) -> Result<(), &'static str> {
        let rules = [
            (self.sweep_refunds_max > 0, "payments.sweep_refunds_max must be at least 1"),
            (self.refund_tries_max > 0, "payments.refund_tries_max must be at least 1"),
            (self.rounds.round_ms > 0, "payments.rounds.round_ms must be at least 1"),
            // What is missing of a sale that moved must be known to be missing while it is still followed.
            (self.gap_ms < self.rounds.moved_ms, "payments.gap_ms must be shorter than payments.rounds.moved_ms"),
            (self.refund_wait_ms > 0, "payments.refund_wait_ms must be at least 1"),
            (
                self.refund_wait_ms <= self.refund_wait_ms_max,
                "payments.refund_wait_ms_max must not be shorter than payments.refund_wait_ms",
            ),
        ];
        rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, what)| Err(what))
    }

    /// Of a round, when one comes with each sweep.
    pub(super) fn parts(&self) -> u64 {
        self.rounds.round_ms / self.sweep_ms.max(1)
    }

    pub fn refund_pace(&self) -> RefundPace {
        RefundPace {
            wait_ms: self.refund_wait_ms,
            wait_ms_max: self.refund_wait_ms_max,
            tries_max: self.refund_tries_max,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sandbox: false,
            sandbox_books: Books::default(),
            deadlines_max: 16,
            sweep_ms: 1_000,
            alarm_ms: 1_000,
            rows_max: 2_048,
            paying_ms_max: 30_000,
            absent_ms_max: 5_000,
            gap_ms: 5_000,
            provider_calls_max: 16,
            sweep_refunds_max: 16,
            refund_wait_ms: 10_000,
            refund_wait_ms_max: 3_600_000,
            refund_tries_max: 10,
            rounds: rounds::Settings::default(),
            tell: tell::Settings::default(),
            backoff: BackoffSettings::default(),
        }
    }
}

#[derive(Clone)]
pub struct Needs {
    pub deadlines: Arc<dyn Deadlines>,
    pub turnstile: Arc<dyn Turnstile>,
    pub recording: Arc<dyn Recording>,
    pub sweeping: Arc<dyn Sweeping>,
    pub restoring: Arc<dyn Restoring>,
    pub catalogue: Arc<dyn Catalogue>,
    pub holders: Arc<dyn HolderSearch>,
    pub depths: Arc<dyn Depths>,
    pub lagging: Arc<dyn Lagging>,
    pub clock: Arc<dyn Clock>,
    pub faults: Arc<dyn Faults>,
    pub tell: tell::Needs,
    pub restore: restore::Needs,
    pub money: money::Needs,
    pub announce: feed::Needs,
}

/// For the sales that a consumer decides from its memory: what came free is given on, and memory and ledger are compared.
pub fn start_beside_a_memory(needs: Needs, settings: Settings, lifecycle: &Lifecycle) {
    Metric::describe();
    let sweeper = Arc::new(Sweeper::new(needs, settings));
    for job in [Job::Unfreed, Job::Watch] {
        let (sweeper, stops) = (sweeper.clone(), lifecycle.clone());
        lifecycle.supervise("payments.sweeper", async move { sweeper.serve(job, &stops).await });
    }
}

/// Alarms, sweeps and news, each by itself, until the soft stop; what was begun is finished.
pub fn start(needs: Needs, settings: Settings, lifecycle: &Lifecycle) {
    Metric::describe();
    let alarms = Alarms::new(needs.clone(), settings.clone());
    let rounds = settings.rounds.clone();
    let sweeper = Arc::new(Sweeper::new(needs.clone(), settings));
    let stops = lifecycle.clone();
    lifecycle.supervise("payments.alarms", async move { alarms.serve(&stops).await });
    for job in Job::ALL {
        let (sweeper, stops) = (sweeper.clone(), lifecycle.clone());
        lifecycle.supervise("payments.sweeper", async move { sweeper.serve(job, &stops).await });
    }
    let (measured, stops) = (needs.clone(), lifecycle.clone());
    lifecycle.supervise("payments.measure", async move { measure::measure(&measured, &stops).await });
    lifecycle.supervise("payments.news", feed::run(needs.announce, rounds, lifecycle.clone()));
}
