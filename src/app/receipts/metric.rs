//! What is counted of receipts.

use metrics::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Receipts printed and kept.
    Made,
    /// Seconds from asking for a receipt to keeping it, the wait at the press included.
    MadeSeconds,
    /// Seconds from the payment or the refund to the kept receipt: how far the printer is behind.
    BehindSeconds,
    /// Receipts that wait at the press.
    Waiting,
    /// Stencils made: what all receipts of one item in one language share.
    Prepared,
    /// Buyers who were told to come again because too many wait.
    Shed,
    /// Receipts that cannot be printed.
    Failed,
    /// Faults on the way, by part; each is tried again.
    Faults,
    /// Check-ins, by outcome.
    CheckIns,
    /// Admissions that devices handed over, by outcome.
    Merged,
    /// Let-ins that were to be taken back, by outcome.
    Undos,
    /// Look-ups of holders by name, by outcome.
    LookUps,
}

impl Metric {
    pub const ALL: [Metric; 12] = [
        Metric::Made,
        Metric::MadeSeconds,
        Metric::BehindSeconds,
        Metric::Waiting,
        Metric::Prepared,
        Metric::Shed,
        Metric::Failed,
        Metric::Faults,
        Metric::CheckIns,
        Metric::Merged,
        Metric::Undos,
        Metric::LookUps,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Made => "miaosha_receipts_made_total",
            Metric::MadeSeconds => "miaosha_receipts_made_duration_seconds",
            Metric::BehindSeconds => "miaosha_receipts_behind_seconds",
            Metric::Waiting => "miaosha_receipts_waiting",
            Metric::Prepared => "miaosha_receipts_prepared_total",
            Metric::Shed => "miaosha_receipts_shed_total",
            Metric::Failed => "miaosha_receipts_failed_total",
            Metric::Faults => "miaosha_receipts_faults_total",
            Metric::CheckIns => "miaosha_receipts_check_ins_total",
            Metric::Merged => "miaosha_receipts_merged_total",
            Metric::Undos => "miaosha_receipts_undos_total",
            Metric::LookUps => "miaosha_receipts_look_ups_total",
        }
    }

    /// Once, after the recorder is installed.
    pub fn describe() {
        for metric in Self::ALL {
            let name = metric.name();
            match metric {
                Metric::Made => metrics::describe_counter!(name, "Receipts printed and kept."),
                Metric::MadeSeconds => {
                    metrics::describe_histogram!(name, Unit::Seconds, "From asking for a receipt to keeping it.");
                }
                Metric::BehindSeconds => {
                    metrics::describe_histogram!(
                        name,
                        Unit::Seconds,
                        "From a payment or a refund to its kept receipt."
                    );
                }
                Metric::Waiting => metrics::describe_gauge!(name, "Receipts that wait at the press."),
                Metric::Prepared => {
                    metrics::describe_counter!(name, "Made of what receipts of one item in one language share.");
                }
                Metric::Shed => metrics::describe_counter!(name, "Buyers told to come again: too many wait."),
                Metric::Failed => metrics::describe_counter!(name, "Receipts that cannot be printed."),
                Metric::Faults => metrics::describe_counter!(name, "Faults while receipts were made, by part."),
                Metric::CheckIns => metrics::describe_counter!(name, "Check-ins, by outcome."),
                Metric::Merged => metrics::describe_counter!(name, "Admissions handed over by devices, by outcome."),
                Metric::Undos => metrics::describe_counter!(name, "Let-ins that were to be taken back, by outcome."),
                Metric::LookUps => metrics::describe_counter!(name, "Look-ups of holders by name, by outcome."),
            }
        }
        metrics::counter!(Metric::Failed.name()).increment(0);
        metrics::counter!(Metric::Shed.name()).increment(0);
        metrics::counter!(Metric::Prepared.name()).increment(0);
        for part in ["ledger", "broker", "archive"] {
            metrics::counter!(Metric::Faults.name(), "part" => part).increment(0);
        }
    }
}
