//! What is counted of money that moves.

use std::time::Duration;

use metrics::Unit;

use crate::ports::money::payments::Provider;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Checkouts in a commit of the till: label `commit`.
    TillGroup,
    /// Seconds such a commit took, with what is read before it: label `commit`.
    TillSeconds,
    Resolved,
    Refunded,
    RefundFailed,
    Refunds,
    Provider,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::TillGroup => "miaosha_till_checkouts",
            Metric::TillSeconds => "miaosha_till_commit_duration_seconds",
            Metric::Resolved => "miaosha_payments_resolved_total",
            Metric::Refunded => "miaosha_payments_refunded_total",
            Metric::RefundFailed => "miaosha_payments_refund_failed_total",
            Metric::Refunds => "miaosha_gateway_refunds_total",
            Metric::Provider => "miaosha_payments_provider",
        }
    }
}

/// Which of a checkout's commits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    Begin,
    Finish,
}

impl Commit {
    fn label(self) -> &'static str {
        match self {
            Commit::Begin => "begin",
            Commit::Finish => "finish",
        }
    }
}

/// By a process that has a till.
pub fn describe_till() {
    metrics::describe_histogram!(Metric::TillGroup.name(), "Checkouts that shared a commit, by which of the two.");
    let about = "Time of a commit of checkouts, by which of the two.";
    metrics::describe_histogram!(Metric::TillSeconds.name(), Unit::Seconds, about);
}

pub(super) fn committed(commit: Commit, checkouts: usize, took: Duration) {
    metrics::histogram!(Metric::TillGroup.name(), "commit" => commit.label()).record(checkouts as f64);
    metrics::histogram!(Metric::TillSeconds.name(), "commit" => commit.label()).record(took.as_secs_f64());
}

pub fn describe() {
    metrics::describe_counter!(Metric::Resolved.name(), "Unfinished payments, by what voiding them answered.");
    metrics::describe_counter!(Metric::Refunded.name(), "Refunds that the provider made.");
    metrics::describe_counter!(
        Metric::RefundFailed.name(),
        "Refunds that the provider refused for good, or ended as failed."
    );
    metrics::describe_counter!(Metric::Refunds.name(), "Refunds that operators made.");
    metrics::describe_gauge!(Metric::Provider.name(), "1 for the provider that this process has payments made by.");
    metrics::counter!(Metric::RefundFailed.name()).increment(0);
}

/// For as long as the process lives.
pub fn tell_provider(provider: Provider) {
    metrics::gauge!(Metric::Provider.name(), "provider" => provider.name()).set(1.0);
}
