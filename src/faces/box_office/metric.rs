//! What is counted of the box office.

use metrics::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Purchases, by how they ended: label `outcome`.
    Purchases,
    /// Seconds from a purchase's request to its answer.
    PurchaseSeconds,
}

impl Metric {
    pub const ALL: &'static [Metric] = &[Metric::Purchases, Metric::PurchaseSeconds];

    pub fn name(self) -> &'static str {
        match self {
            Metric::Purchases => "miaosha_box_office_purchases_total",
            Metric::PurchaseSeconds => "miaosha_box_office_purchase_duration_seconds",
        }
    }

    fn describe(self) {
        let name = self.name();
        match self {
            Metric::Purchases => metrics::describe_counter!(name, "Purchases at the box office, by outcome."),
            Metric::PurchaseSeconds => {
                metrics::describe_histogram!(
                    name,
                    Unit::Seconds,
                    "Time of a purchase, from its request to its answer."
                );
            }
        }
    }
}

/// Once, after the recorder is installed.
pub fn describe() {
    Metric::ALL.iter().copied().for_each(Metric::describe);
}
