//! What is counted of what all faces stand on.

use crate::app::money::metric as money;
use crate::app::sale::metric as sale;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Requests with an `Idempotency-Key`, by `outcome`.
    Requests,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Requests];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Requests => "miaosha_gateway_requests_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Requests => metrics::describe_counter!(name, "Requests with an Idempotency-Key, by outcome."),
        }
    }
}

/// Once, after the recorder is installed; with what the use cases count that faces call.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
    sale::describe();
    money::describe();
}
