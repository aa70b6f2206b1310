//! What the mailer counts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    Emails,
    DeliverySeconds,
    Unsent,
    Refused,
    OldestSeconds,
    Faults,
}

impl Metric {
    pub const ALL: [Metric; 6] = [
        Metric::Emails,
        Metric::DeliverySeconds,
        Metric::Unsent,
        Metric::Refused,
        Metric::OldestSeconds,
        Metric::Faults,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Emails => "miaosha_mail_letters_total",
            Metric::DeliverySeconds => "miaosha_mail_delivery_seconds",
            Metric::Unsent => "miaosha_mail_unsent_letters",
            Metric::Refused => "miaosha_mail_refused_letters",
            Metric::OldestSeconds => "miaosha_mail_oldest_unsent_seconds",
            Metric::Faults => "miaosha_mail_faults_total",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Emails => metrics::describe_counter!(
                    name,
                    "Letters by kind and outcome: posted, sent, put_off, refused, nobody, elsewhere, done."
                ),
                Metric::DeliverySeconds => metrics::describe_histogram!(
                    name,
                    "From claiming a letter to the mail server's word, by whether it was taken."
                ),
                Metric::Unsent => metrics::describe_gauge!(name, "Letters that are still to be sent."),
                Metric::Refused => metrics::describe_gauge!(name, "Letters that were refused for good or given up."),
                Metric::OldestSeconds => {
                    metrics::describe_gauge!(name, "How long the oldest letter has been waiting to be sent.");
                }
                Metric::Faults => {
                    metrics::describe_counter!(name, "Tries that ended in a fault, by the part that failed.");
                }
            }
        }
        for part in ["ledger", "broker", "mail"] {
            metrics::counter!(Metric::Faults.name(), "part" => part).increment(0);
        }
    }
}
