//! What is counted of buying.

use metrics::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Checkouts, by how they ended: label `outcome`.
    Checkouts,
    /// Seconds a checkout took, the provider's time included.
    CheckoutSeconds,
    /// Requests that could not wait for a notice because too many do: answered at once.
    WaitsShed,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Checkouts, Metric::CheckoutSeconds, Metric::WaitsShed];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Checkouts => "miaosha_gateway_checkouts_total",
            Metric::CheckoutSeconds => "miaosha_gateway_checkout_duration_seconds",
            Metric::WaitsShed => "miaosha_gateway_waits_shed_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Checkouts => metrics::describe_counter!(name, "Checkouts, by outcome."),
            Metric::CheckoutSeconds => {
                metrics::describe_histogram!(name, Unit::Seconds, "Time of a checkout, the provider's included.");
            }
            Metric::WaitsShed => {
                metrics::describe_counter!(name, "Requests that were not allowed to wait for a notice.")
            }
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
    // There from the beginning, so that the first one is seen.
    metrics::counter!(Metric::WaitsShed.name()).increment(0);
}
