//! What a publisher counts. Handles are made once: looking one up by name costs more than the rest of a reply.

use std::collections::HashMap;

use metrics::{Counter, Gauge, Histogram, Unit};

use crate::faces::publisher::refusals;
use crate::faces::tokens::admission;
use crate::kit::http::problem::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Attempts answered 202.
    Accepted,
    /// Attempts sent away with a 503, by `reason`: full, away, slow, waiting.
    Shed,
    /// Attempts answered "sold out" from the news alone.
    SoldOutAtOnce,
    /// Attempts that could not be met, by the problem's `kind`.
    Refused,
    /// Attempts in a batch.
    BatchAttempts,
    /// From sending a batch to the queue's confirm.
    ConfirmSeconds,
    /// Attempts that were sent and wait for the confirm.
    Waiting,
}

impl Metric {
    pub const ALL: [Metric; 7] = [
        Metric::Accepted,
        Metric::Shed,
        Metric::SoldOutAtOnce,
        Metric::Refused,
        Metric::BatchAttempts,
        Metric::ConfirmSeconds,
        Metric::Waiting,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Accepted => "miaosha_publisher_attempts_accepted_total",
            Metric::Shed => "miaosha_publisher_attempts_shed_total",
            Metric::SoldOutAtOnce => "miaosha_publisher_attempts_sold_out_at_once_total",
            Metric::Refused => "miaosha_publisher_attempts_refused_total",
            Metric::BatchAttempts => "miaosha_publisher_batch_attempts",
            Metric::ConfirmSeconds => "miaosha_publisher_confirm_seconds",
            Metric::Waiting => "miaosha_publisher_attempts_waiting",
        }
    }

    pub fn describe(self) {
        match self {
            Metric::Accepted => metrics::describe_counter!(self.name(), "Attempts answered 202"),
            Metric::Shed => metrics::describe_counter!(self.name(), "Attempts sent away with a 503, by reason"),
            Metric::SoldOutAtOnce => {
                metrics::describe_counter!(self.name(), "Attempts answered sold out from the news")
            }
            Metric::Refused => metrics::describe_counter!(self.name(), "Attempts that could not be met, by kind"),
            Metric::BatchAttempts => metrics::describe_histogram!(self.name(), "Attempts in a batch"),
            Metric::ConfirmSeconds => {
                metrics::describe_histogram!(self.name(), Unit::Seconds, "From sending a batch to its confirm");
            }
            Metric::Waiting => metrics::describe_gauge!(self.name(), "Attempts sent and not confirmed yet"),
        }
    }
}

/// Why an attempt was sent away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    Full,
    Away,
    Slow,
    /// Too many attempts wait in this process.
    Waiting,
    /// This process does not know every sale yet.
    Learning,
}

impl Reason {
    const ALL: [Reason; 5] = [Reason::Full, Reason::Away, Reason::Slow, Reason::Waiting, Reason::Learning];

    fn name(self) -> &'static str {
        match self {
            Reason::Full => "full",
            Reason::Away => "away",
            Reason::Slow => "slow",
            Reason::Waiting => "waiting",
            Reason::Learning => "learning",
        }
    }
}

pub struct Metrics {
    pub accepted: Counter,
    pub sold_out_at_once: Counter,
    pub batch_attempts: Histogram,
    pub confirm_seconds: Histogram,
    pub waiting: Gauge,
    shed: HashMap<Reason, Counter>,
    refused: HashMap<Kind, Counter>,
}

impl Metrics {
    pub fn new() -> Self {
        Metric::ALL.into_iter().for_each(Metric::describe);
        let shed = |reason: Reason| metrics::counter!(Metric::Shed.name(), "reason" => reason.name());
        let refused = |kind: Kind| metrics::counter!(Metric::Refused.name(), "kind" => kind.name());
        Self {
            accepted: metrics::counter!(Metric::Accepted.name()),
            sold_out_at_once: metrics::counter!(Metric::SoldOutAtOnce.name()),
            batch_attempts: metrics::histogram!(Metric::BatchAttempts.name()),
            confirm_seconds: metrics::histogram!(Metric::ConfirmSeconds.name()),
            waiting: metrics::gauge!(Metric::Waiting.name()),
            shed: Reason::ALL.into_iter().map(|reason| (reason, shed(reason))).collect(),
            // A problem that our world made is shed, not refused.
            refused: [Kind::GENERAL, refusals::KINDS, admission::KINDS]
                .concat()
                .into_iter()
                .filter(|kind| kind.status().is_client_error())
                .map(|kind| (kind, refused(kind)))
                .collect(),
        }
    }

    pub fn shed(&self, reason: Reason) {
        if let Some(counter) = self.shed.get(&reason) {
            counter.increment(1);
        }
    }

    pub fn refused(&self, kind: Kind) {
        if let Some(counter) = self.refused.get(&kind) {
            counter.increment(1);
        }
    }
}
