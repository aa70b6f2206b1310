//! What is counted of sockets, and of the notices that they wait for.

use metrics::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Notices that came from the broker.
    Notices,
    /// Seconds since notices were missed of which we are told or find out; by `of`: one sale, or all.
    MissedSeconds,
    /// Sockets whose last told state was compared with the ledger.
    Compared,
    /// Of these, those that did not know the last one yet. One whose notice is on its way is among them.
    Behind,
    /// Sockets that are open now.
    Sockets,
    /// Sockets that were opened.
    SocketsOpened,
    /// Sockets that ended, by `why`: the word of the close frame, or `gone`.
    SocketsClosed,
    /// Requests that did not become sockets, by `why`: `origin`, `full`, `strangers`, `stopping`.
    SocketsRefused,
    /// Messages told through sockets.
    SocketMessages,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[
        Metric::Notices,
        Metric::MissedSeconds,
        Metric::Compared,
        Metric::Behind,
        Metric::Sockets,
        Metric::SocketsOpened,
        Metric::SocketsClosed,
        Metric::SocketsRefused,
        Metric::SocketMessages,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Notices => "miaosha_gateway_notices_total",
            Metric::MissedSeconds => "miaosha_gateway_missed_notices_seconds",
            Metric::Compared => "miaosha_gateway_compared_sockets_total",
            Metric::Behind => "miaosha_gateway_sockets_behind_total",
            Metric::Sockets => "miaosha_gateway_sockets",
            Metric::SocketsOpened => "miaosha_gateway_sockets_opened_total",
            Metric::SocketsClosed => "miaosha_gateway_sockets_closed_total",
            Metric::SocketsRefused => "miaosha_gateway_sockets_refused_total",
            Metric::SocketMessages => "miaosha_gateway_socket_messages_total",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Notices => metrics::describe_counter!(name, "Notices that came from the broker."),
            Metric::MissedSeconds => {
                metrics::describe_histogram!(
                    name,
                    Unit::Seconds,
                    "How long ago notices were missed, by what is known of."
                );
            }
            Metric::Compared => metrics::describe_counter!(name, "Sockets compared with the ledger."),
            Metric::Behind => metrics::describe_counter!(name, "Sockets that were found not to know the last truth."),
            Metric::Sockets => metrics::describe_gauge!(name, "Sockets that are open now."),
            Metric::SocketsOpened => metrics::describe_counter!(name, "Sockets that were opened."),
            Metric::SocketsClosed => metrics::describe_counter!(name, "Sockets that ended, by why."),
            Metric::SocketsRefused => metrics::describe_counter!(name, "Requests that did not become sockets, by why."),
            Metric::SocketMessages => metrics::describe_counter!(name, "Messages told through sockets."),
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
    // There from the beginning, so that the first one is seen.
    for metric in [Metric::Compared, Metric::Behind, Metric::SocketsOpened] {
        metrics::counter!(metric.name()).increment(0);
    }
    for why in ["silent", "too_slow", "gone"] {
        metrics::counter!(Metric::SocketsClosed.name(), "why" => why).increment(0);
    }
    for why in ["origin", "full", "strangers", "stopping"] {
        metrics::counter!(Metric::SocketsRefused.name(), "why" => why).increment(0);
    }
    metrics::gauge!(Metric::Sockets.name()).increment(0.0);
}
