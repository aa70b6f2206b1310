//! What every process tells of itself, whatever it serves.

use crate::kit::http::problem::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// 1 while `/readyz` says yes, else 0.
    Ready,
    /// By `part`: 1 while it keeps the process from being ready, 0 after it did.
    Unready,
    /// Requests that met a fault of ours, by the problem's `kind`: each was answered with a status of 5xx.
    Faults,
}

impl Metric {
    pub const ALL: [Metric; 3] = [Metric::Ready, Metric::Unready, Metric::Faults];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Ready => "miaosha_process_ready",
            Metric::Unready => "miaosha_process_unready",
            Metric::Faults => "miaosha_http_faults_total",
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
            }
        }
        for kind in Kind::GENERAL.iter().filter(|kind| kind.status().is_server_error()) {
            metrics::counter!(Metric::Faults.name(), "kind" => kind.name()).increment(0);
        }
    }
}
