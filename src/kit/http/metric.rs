//! What every process tells of itself, whatever it serves.

use crate::kit::http::connections::TooMany;
use crate::kit::http::problem::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// 1 while `/readyz` says yes, else 0.
    Ready,
    /// By `part`: 1 while it keeps the process from being ready, 0 after it did.
    Unready,
    /// Requests that met a fault of ours, by the problem's `kind`: each was answered with a status of 5xx.
    Faults,
    /// Connections from outside that are open now.
    Connections,
    /// Connections from outside that were one too many, by `why`: `process`, `network`, or `listener`.
    ConnectionsRefused,
    /// Requests that could not be read as HTTP; each was answered by a problem, and its connection ended.
    Malformed,
}

impl Metric {
    pub const ALL: [Metric; 6] = [
        Metric::Ready,
        Metric::Unready,
        Metric::Faults,
        Metric::Connections,
        Metric::ConnectionsRefused,
        Metric::Malformed,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Ready => "miaosha_process_ready",
            Metric::Unready => "miaosha_process_unready",
            Metric::Faults => "miaosha_http_faults_total",
            Metric::Connections => "miaosha_http_connections",
            Metric::ConnectionsRefused => "miaosha_http_connections_refused_total",
            Metric::Malformed => "miaosha_http_malformed_total",
        }
    }

    /// Once, after the recorder is installed. A counter that is there from the beginning shows its first step.
    pub fn describe() {
        for metric in Metric::ALL {
            let name = metric.name();
            match metric {
                Metric::Ready => metrics::describe_gauge!(name, "1 while the process is ready."),
                Metric::Unready => {
                    metrics::describe_gauge!(name, "1 while this part keeps the process from being ready.")
                }
                Metric::Faults => metrics::describe_counter!(name, "Requests answered with a status of 5xx, by kind."),
                Metric::Connections => metrics::describe_gauge!(name, "Connections from outside that are open now."),
                Metric::ConnectionsRefused => {
                    metrics::describe_counter!(name, "Connections from outside that were one too many, by why.")
                }
                Metric::Malformed => metrics::describe_counter!(name, "Requests that could not be read as HTTP."),
            }
        }
        for kind in Kind::GENERAL.iter().filter(|kind| kind.status().is_server_error()) {
            metrics::counter!(Metric::Faults.name(), "kind" => kind.name()).increment(0);
        }
        metrics::gauge!(Metric::Connections.name()).increment(0.0);
        metrics::counter!(Metric::Malformed.name()).increment(0);
        for why in TooMany::ALL {
            metrics::counter!(Metric::ConnectionsRefused.name(), "why" => why.name()).increment(0);
        }
    }
}
