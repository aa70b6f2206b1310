//! What the relay counts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Published,
    Removed,
    Faults,
    Backlog,
    OldestSeconds,
    DelaySeconds,
    BatchSeconds,
}

impl Metric {
    pub const ALL: [Metric; 7] = [
        Metric::Published,
        Metric::Removed,
        Metric::Faults,
        Metric::Backlog,
        Metric::OldestSeconds,
        Metric::DelaySeconds,
        Metric::BatchSeconds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Published => "miaosha_relay_published_total",
            Metric::Removed => "miaosha_relay_removed_total",
            Metric::Faults => "miaosha_relay_faults_total",
            Metric::Backlog => "miaosha_relay_backlog_events",
            Metric::OldestSeconds => "miaosha_relay_oldest_seconds",
            Metric::DelaySeconds => "miaosha_relay_delay_seconds",
            Metric::BatchSeconds => "miaosha_relay_batch_seconds",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Published => metrics::describe_counter!(name, "Events published, by topic; some twice."),
                Metric::Removed => metrics::describe_counter!(name, "Published events that were kept for long enough."),
                Metric::Faults => {
                    metrics::describe_counter!(name, "Steps that ended in a fault, by the part that failed.");
                }
                Metric::Backlog => metrics::describe_gauge!(name, "Committed events that are not published."),
                Metric::OldestSeconds => metrics::describe_gauge!(name, "Age of the oldest of them; 0 without one."),
                Metric::DelaySeconds => metrics::describe_histogram!(name, "From an event's writing to its mark."),
                Metric::BatchSeconds => metrics::describe_histogram!(name, "One batch, from its reading to its mark."),
            }
        }
        for part in ["ledger", "broker"] {
            metrics::counter!(Metric::Faults.name(), "part" => part).increment(0);
        }
    }
}
