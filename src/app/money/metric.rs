//! What is counted of money that moves.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Resolved,
    Refunded,
    RefundFailed,
    Refunds,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Resolved => "miaosha_payments_resolved_total",
            Metric::Refunded => "miaosha_payments_refunded_total",
            Metric::RefundFailed => "miaosha_payments_refund_failed_total",
            Metric::Refunds => "miaosha_gateway_refunds_total",
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
    metrics::counter!(Metric::RefundFailed.name()).increment(0);
}
