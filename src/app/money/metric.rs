//! What is counted of money that moves.

use crate::ports::money::payments::Provider;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Resolved,
    Refunded,
    RefundFailed,
    Refunds,
    Provider,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Resolved => "miaosha_payments_resolved_total",
            Metric::Refunded => "miaosha_payments_refunded_total",
            Metric::RefundFailed => "miaosha_payments_refund_failed_total",
            Metric::Refunds => "miaosha_gateway_refunds_total",
            Metric::Provider => "miaosha_payments_provider",
        }
    }
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
