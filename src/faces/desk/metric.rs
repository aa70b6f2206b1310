//! What is counted of what operators ask for.

use metrics::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Lists made for operators, by `list` and `outcome`: done, broken, or left by the client.
    Exports,
    /// Rows of these lists, by `list`.
    ExportedRows,
    /// Seconds a list took, by `list`, its reader's time included.
    ExportSeconds,
    /// Seconds a sale's report took.
    ReportSeconds,
}

impl Metric {
    pub const ALL: &'static [Metric] =
        &[Metric::Exports, Metric::ExportedRows, Metric::ExportSeconds, Metric::ReportSeconds];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Exports => "miaosha_gateway_exports_total",
            Metric::ExportedRows => "miaosha_gateway_exported_rows_total",
            Metric::ExportSeconds => "miaosha_gateway_export_duration_seconds",
            Metric::ReportSeconds => "miaosha_gateway_report_duration_seconds",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Exports => metrics::describe_counter!(name, "Lists made for operators, by list and outcome."),
            Metric::ExportedRows => metrics::describe_counter!(name, "Rows of lists for operators, by list."),
            Metric::ExportSeconds => metrics::describe_histogram!(name, Unit::Seconds, "Time of a list, by list."),
            Metric::ReportSeconds => metrics::describe_histogram!(name, Unit::Seconds, "Time of a sale's report."),
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
}
