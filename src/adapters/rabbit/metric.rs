//! What this adapter counts.

/// Every metric of the broker's client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Connections made, by `link`. More than one of each says that the broker was away.
    Connections,
    /// Messages that could not be decoded, by whether they were `parked`: the others were dropped, where losing one costs nothing.
    Undecodable,
}

impl Metric {
    pub const ALL: [Metric; 2] = [Metric::Connections, Metric::Undecodable];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Connections => "miaosha_broker_connections_total",
            Metric::Undecodable => "miaosha_broker_undecodable_messages_total",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            let text = match metric {
                Metric::Connections => "Connections made to the broker, by what they are for.",
                Metric::Undecodable => "Messages that could not be decoded, by whether they were parked.",
            };
            metrics::describe_counter!(metric.name(), text);
        }
        // There from the beginning, so that the first one is seen.
        for parked in ["true", "false"] {
            metrics::counter!(Metric::Undecodable.name(), "parked" => parked).increment(0);
        }
    }
}
