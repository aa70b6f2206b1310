//! What is counted of the payment provider's calls.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// What the payment provider told, by `outcome`.
    Words,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Words];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Words => "miaosha_gateway_webhooks_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Words => metrics::describe_counter!(name, "Calls of the payment provider, by what came of them."),
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
}
