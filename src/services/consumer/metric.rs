//! What the consumer counts.

use crate::services::restore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Attempts,
    Batches,
    UnknownSales,
    Faults,
    Tries,
    GroupSeconds,
    GroupBatches,
}

impl Metric {
    pub const ALL: [Metric; 7] = [
        Metric::Attempts,
        Metric::Batches,
        Metric::UnknownSales,
        Metric::Faults,
        Metric::Tries,
        Metric::GroupSeconds,
        Metric::GroupBatches,
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
        }
    }

    pub fn describe() {
        restore::describe();
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
            }
        }
    }
}
