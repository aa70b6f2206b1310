//! What this adapter counts.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Reads for the catalogue that the replica did not answer: the primary did.
    ReplicaFallbacks,
}

impl Metric {
    pub const ALL: [Metric; 1] = [Metric::ReplicaFallbacks];

    pub fn name(self) -> &'static str {
        match self {
            Metric::ReplicaFallbacks => "miaosha_replica_fallbacks_total",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            let text = match metric {
                Metric::ReplicaFallbacks => "Reads for the catalogue that the primary answered for the replica.",
            };
            metrics::describe_counter!(metric.name(), text);
        }
    }
}
