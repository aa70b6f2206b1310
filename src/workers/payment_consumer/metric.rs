//! What the payment-consumer counts.

use crate::app::money::metric as money;
use crate::app::sale::restore;
use crate::app::sale::tell;
use crate::workers::payment_consumer::sweeper::Job;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Lapsed,
    GivenOn,
    Promoted,
    Ended,
    Faults,
    Tries,
    SweepSeconds,
    AlarmSeconds,
    OverdueSeconds,
    UnfreedSeconds,
    PayingSeconds,
    RefundDueSeconds,
    RefundsFailed,
    QueueMessages,
}

impl Metric {
    pub const ALL: [Metric; 14] = [
        Metric::Lapsed,
        Metric::GivenOn,
        Metric::Promoted,
        Metric::Ended,
        Metric::Faults,
        Metric::Tries,
        Metric::SweepSeconds,
        Metric::AlarmSeconds,
        Metric::OverdueSeconds,
        Metric::UnfreedSeconds,
        Metric::PayingSeconds,
        Metric::RefundDueSeconds,
        Metric::RefundsFailed,
        Metric::QueueMessages,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Lapsed => "miaosha_payments_lapsed_total",
            Metric::GivenOn => "miaosha_payments_given_on_total",
            Metric::Promoted => "miaosha_payments_promoted_total",
            Metric::Ended => "miaosha_payments_standby_ended_total",
            Metric::Faults => "miaosha_payments_faults_total",
            Metric::Tries => "miaosha_payments_tries_total",
            Metric::SweepSeconds => "miaosha_payments_sweep_seconds",
            Metric::AlarmSeconds => "miaosha_payments_alarm_seconds",
            Metric::OverdueSeconds => "miaosha_payments_overdue_seconds",
            Metric::UnfreedSeconds => "miaosha_payments_unfreed_seconds",
            Metric::PayingSeconds => "miaosha_payments_paying_seconds",
            Metric::RefundDueSeconds => "miaosha_payments_refund_due_seconds",
            Metric::RefundsFailed => "miaosha_payments_refunds_failed",
            Metric::QueueMessages => "miaosha_payments_queue_messages",
        }
    }

    /// Counters that are there from the beginning show their first step.
    fn begin() {
        metrics::counter!(Metric::Tries.name()).increment(0);
        let jobs = Job::ALL.map(Job::label);
        for job in jobs.into_iter().chain(["alarms", "measure"]) {
            for part in ["turnstile", "ledger", "broker", "payments"] {
                metrics::counter!(Metric::Faults.name(), "work" => job, "part" => part).increment(0);
            }
        }
    }

    pub fn describe() {
        restore::describe();
        tell::describe();
        money::describe();
        Metric::begin();
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Lapsed => metrics::describe_counter!(name, "Holds whose time ran out."),
                Metric::GivenOn => metrics::describe_counter!(name, "Ended reservations whose units were given on."),
                Metric::Promoted => metrics::describe_counter!(name, "Standby parties that got their units."),
                Metric::Ended => metrics::describe_counter!(name, "Standby parties of sales that are over."),
                Metric::Faults => {
                    metrics::describe_counter!(
                        name,
                        "Tries that ended in a fault, by the `work` and the part that failed."
                    );
                }
                Metric::Tries => {
                    metrics::describe_counter!(
                        name,
                        "Tries that came to nothing because the sale moved or was in doubt."
                    );
                }
                Metric::SweepSeconds => {
                    metrics::describe_histogram!(name, "One run of a sweeper's job, by its `work`.")
                }
                Metric::AlarmSeconds => {
                    metrics::describe_histogram!(name, "From taking alarms to their acknowledgement.");
                }
                Metric::OverdueSeconds => {
                    metrics::describe_gauge!(name, "How long the oldest hold has been over; 0 without one.");
                }
                Metric::UnfreedSeconds => {
                    metrics::describe_gauge!(
                        name,
                        "How long units of an ended reservation have waited to be given on."
                    );
                }
                Metric::PayingSeconds => {
                    metrics::describe_gauge!(name, "How long the oldest payment under way has been so.");
                }
                Metric::RefundDueSeconds => {
                    metrics::describe_gauge!(name, "How long the oldest refund has been due.");
                }
                Metric::RefundsFailed => {
                    metrics::describe_gauge!(name, "Refunds that failed and that no operator has seen to.");
                }
                Metric::QueueMessages => metrics::describe_gauge!(name, "Messages that wait, by queue."),
            }
        }
    }
}
