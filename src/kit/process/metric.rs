//! What is counted of a process's own tasks, and of what the system lets it have.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Tasks that ended as they should not, by `task` and `how`: `panic`, or `early`.
    TaskEnds,
    /// Files and connections that the process may have open.
    DescriptorsMax,
}

impl Metric {
    pub const ALL: [Metric; 2] = [Metric::TaskEnds, Metric::DescriptorsMax];

    pub fn name(self) -> &'static str {
        match self {
            Metric::TaskEnds => "miaosha_task_ends_total",
            Metric::DescriptorsMax => "miaosha_process_descriptors_max",
        }
    }

    pub fn describe() {
        for metric in Metric::ALL {
            match metric {
                Metric::TaskEnds => metrics::describe_counter!(
                    metric.name(),
                    "Tasks that panicked, or ended before they were asked to, by task and how."
                ),
                Metric::DescriptorsMax => {
                    metrics::describe_gauge!(metric.name(), "Files and connections that the process may have open.")
                }
            }
        }
    }
}
