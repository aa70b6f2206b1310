//! What is counted of a sale's moves.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Cancels,
    Blocks,
    BestEffortFailures,
    /// Requests that wait for notices now.
    Registrations,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Cancels => "miaosha_gateway_cancels_total",
            Metric::Blocks => "miaosha_gateway_blocks_total",
            Metric::BestEffortFailures => "miaosha_gateway_omissions_total",
            Metric::Registrations => "miaosha_gateway_registrations",
        }
    }
}

pub fn describe() {
    metrics::describe_counter!(Metric::Cancels.name(), "Reservations that buyers cancelled.");
    metrics::describe_counter!(Metric::Blocks.name(), "Blocks that operators made or ended, by what.");
    metrics::describe_counter!(Metric::BestEffortFailures.name(), "Best-effort steps that failed, by what.");
    metrics::describe_gauge!(Metric::Registrations.name(), "Registrations that wait for notices now.");
    for what in ["made", "ended"] {
        metrics::counter!(Metric::Blocks.name(), "what" => what).increment(0);
    }
}
