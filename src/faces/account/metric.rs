//! What is counted of accounts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Sign-ups and logins, by `what` and `outcome`.
    Entries,
    /// Tries to log in, sign up or prove a password that came too soon after others.
    EntriesThrottled,
    /// Requests turned away because too many wait to hash a password.
    HashesShed,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Entries, Metric::EntriesThrottled, Metric::HashesShed];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Entries => "miaosha_gateway_entries_total",
            Metric::EntriesThrottled => "miaosha_gateway_entries_throttled_total",
            Metric::HashesShed => "miaosha_gateway_hashes_shed_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Entries => metrics::describe_counter!(name, "Sign-ups and logins, by what and outcome."),
            Metric::EntriesThrottled => metrics::describe_counter!(name, "Tries to get in that came too soon."),
            Metric::HashesShed => metrics::describe_counter!(name, "Requests turned away before hashing a password."),
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
    // There from the beginning, so that the first one is seen.
    for metric in [Metric::EntriesThrottled, Metric::HashesShed] {
        metrics::counter!(metric.name()).increment(0);
    }
}
