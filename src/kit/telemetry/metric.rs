//! What is counted of traces.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Spans that a collector took.
    Exported,
    /// Spans that are never exported, by `why`: full, failed, ended.
    Dropped,
}

impl Metric {
    pub const ALL: [Metric; 2] = [Metric::Exported, Metric::Dropped];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Exported => "miaosha_trace_spans_exported_total",
            Metric::Dropped => "miaosha_trace_spans_dropped_total",
        }
    }

    pub fn describe(self) {
        match self {
            Metric::Exported => metrics::describe_counter!(self.name(), "Spans that the collector took"),
            Metric::Dropped => metrics::describe_counter!(
                self.name(),
                "Spans dropped, by why: the queue was full, an export failed, or the process had ended exporting"
            ),
        }
    }
}
