//! What the consumer counts.

use crate::app::sale::restore;
use crate::app::sale::tell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Attempts,
    Batches,
    UnknownSales,
    Faults,
    Tries,
    GroupSeconds,
    GroupBatches,
    DelaySeconds,
    FallbackSales,
}

impl Metric {
    pub const ALL: [Metric; 9] = [
        Metric::Attempts,
        Metric::Batches,
        Metric::UnknownSales,
        Metric::Faults,
        Metric::Tries,
        Metric::GroupSeconds,
        Metric::GroupBatches,
        Metric::DelaySeconds,
        Metric::FallbackSales,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Attempts => "miaosha_consumer_attempts_total",
            Metric::Batches => "miaosha_consumer_batches_total",
            Metric::UnknownSales => "miaosha_consumer_unknown_sales_total",
            Metric::Faults => "miaosha_consumer_faults_total",
            Metric::Tries => "miaosha_consumer_tries_total",
            Metric::GroupSeconds => "miaosha_consumer_group_seconds",
            Metric::GroupBatches => "miaosha_consumer_group_batches",
            Metric::DelaySeconds => "miaosha_consumer_delay_seconds",
            Metric::FallbackSales => "miaosha_consumer_fallback_sales",
        }
    }

    pub fn describe() {
        restore::describe();
        tell::describe();
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Attempts => {
                    metrics::describe_counter!(
                        name,
                        "Attempts recorded, by outcome: taken, standby, already, refused."
                    );
                }
                Metric::Batches => {
                    metrics::describe_counter!(name, "Batches settled: new ones, and again for those found recorded.");
                }
                Metric::UnknownSales => {
                    metrics::describe_counter!(
                        name,
                        "Batches of a sale that the ledger does not know; they are dropped."
                    );
                }
                Metric::Faults => {
                    metrics::describe_counter!(name, "Tries that ended in a fault, by the part that failed.")
                }
                Metric::Tries => {
                    metrics::describe_counter!(
                        name,
                        "Tries that came to nothing because the sale moved or was in doubt."
                    );
                }
                Metric::GroupSeconds => {
                    metrics::describe_histogram!(name, "From taking one sale's batches to their notices.");
                }
                Metric::GroupBatches => metrics::describe_histogram!(name, "Batches of one sale settled together."),
                Metric::DelaySeconds => {
                    metrics::describe_histogram!(
                        name,
                        "From a batch's first attempt to its turn in the ledger: how far that is behind."
                    );
                }
                Metric::FallbackSales => {
                    metrics::describe_gauge!(name, "Sales that are decided from this process's memory.");
                }
            }
        }
        metrics::gauge!(Metric::FallbackSales.name()).set(0.0);
        // There from the beginning, so that the first one is seen.
        for metric in [Metric::UnknownSales, Metric::Tries] {
            metrics::counter!(metric.name()).increment(0);
        }
        for found in ["new", "recorded"] {
            metrics::counter!(Metric::Batches.name(), "found" => found).increment(0);
        }
        for part in ["turnstile", "ledger", "broker"] {
            metrics::counter!(Metric::Faults.name(), "part" => part).increment(0);
        }
    }
}
