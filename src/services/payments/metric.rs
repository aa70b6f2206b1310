//! What the payment-consumer counts.

use crate::services::restore;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Lapsed,
    GivenOn,
    Promoted,
    Ended,
    Resolved,
    Refunded,
    Faults,
    Tries,
    SweepSeconds,
    AlarmSeconds,
}

impl Metric {
    pub const ALL: [Metric; 10] = [
        Metric::Lapsed,
        Metric::GivenOn,
        Metric::Promoted,
        Metric::Ended,
        Metric::Resolved,
        Metric::Refunded,
        Metric::Faults,
        Metric::Tries,
        Metric::SweepSeconds,
        Metric::AlarmSeconds,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Lapsed => "miaosha_payments_lapsed_total",
            Metric::GivenOn => "miaosha_payments_given_on_total",
            Metric::Promoted => "miaosha_payments_promoted_total",
            Metric::Ended => "miaosha_payments_standby_ended_total",
            Metric::Resolved => "miaosha_payments_resolved_total",
            Metric::Refunded => "miaosha_payments_refunded_total",
            Metric::Faults => "miaosha_payments_faults_total",
            Metric::Tries => "miaosha_payments_tries_total",
            Metric::SweepSeconds => "miaosha_payments_sweep_seconds",
            Metric::AlarmSeconds => "miaosha_payments_alarm_seconds",
        }
    }

    pub fn describe() {
        restore::describe();
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Lapsed => metrics::describe_counter!(name, "Holds whose time ran out."),
                Metric::GivenOn => metrics::describe_counter!(name, "Ended reservations whose units were given on."),
                Metric::Promoted => metrics::describe_counter!(name, "Standby parties that got their units."),
                Metric::Ended => metrics::describe_counter!(name, "Standby parties of sales that are over."),
                Metric::Resolved => {
                    metrics::describe_counter!(name, "Payments nobody finished, by what voiding them answered.");
                }
                Metric::Refunded => metrics::describe_counter!(name, "Refunds that the provider made."),
                Metric::Faults => {
                    metrics::describe_counter!(
                        name,
                        "Tries that ended in a fault, by the job and the part that failed."
                    );
                }
                Metric::Tries => {
                    metrics::describe_counter!(
                        name,
                        "Tries that came to nothing because the sale moved or was in doubt."
                    );
                }
                Metric::SweepSeconds => metrics::describe_histogram!(name, "One run of a sweeper's job, by the job."),
                Metric::AlarmSeconds => {
                    metrics::describe_histogram!(name, "From taking alarms to their acknowledgement.");
                }
            }
        }
    }
}
