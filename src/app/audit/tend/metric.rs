//! What is counted of what goes.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Removed,
    Audits,
    Faults,
    StepSeconds,
}

impl Metric {
    pub const ALL: [Metric; 4] = [Metric::Removed, Metric::Audits, Metric::Faults, Metric::StepSeconds];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Removed => "miaosha_tend_removed_total",
            Metric::Audits => "miaosha_tend_audits_total",
            Metric::Faults => "miaosha_tend_faults_total",
            Metric::StepSeconds => "miaosha_tend_step_seconds",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Removed => {
                    metrics::describe_counter!(name, "What was kept for long enough and is gone, or is kept apart.");
                }
                Metric::Audits => {
                    metrics::describe_counter!(name, "Sales that are over and were audited, by their verdict.");
                }
                Metric::Faults => {
                    metrics::describe_counter!(name, "Steps that ended in a fault, by the part that failed.");
                }
                Metric::StepSeconds => metrics::describe_histogram!(name, "One step, through everything."),
            }
        }
        for what in super::What::ALL {
            metrics::counter!(Metric::Removed.name(), "what" => what.label()).increment(0);
        }
        for verdict in ["pass", "fail"] {
            metrics::counter!(Metric::Audits.name(), "verdict" => verdict).increment(0);
        }
        for part in ["ledger", "turnstile", "payments", "mail"] {
            metrics::counter!(Metric::Faults.name(), "part" => part).increment(0);
        }
    }
}
