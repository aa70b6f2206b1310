//! What is counted of admissions.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Calls for an admission, by `outcome`.
    Admissions,
}

impl Metric {
    pub fn name(self) -> &'static str {
        match self {
            Metric::Admissions => "miaosha_gateway_admissions_total",
        }
    }
}

pub fn describe() {
    metrics::describe_counter!(Metric::Admissions.name(), "Calls for an admission to a sale, by outcome.");
    for outcome in ["given", "network_full", "lapsed_out"] {
        metrics::counter!(Metric::Admissions.name(), "outcome" => outcome).increment(0);
    }
}
