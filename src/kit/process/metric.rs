//! What is counted of a process's own tasks.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Tasks that ended as they should not, by `task` and `how`: `panic`, or `early`.
    TaskEnds,
}

impl Metric {
    pub const ALL: [Metric; 1] = [Metric::TaskEnds];

    pub fn name(self) -> &'static str {
        match self {
            Metric::TaskEnds => "miaosha_task_ends_total",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            match metric {
                Metric::TaskEnds => metrics::describe_counter!(
                    metric.name(),
                    "Tasks that panicked, or ended before they were asked to, by task and how."
                ),
            }
        }
    }
}
