//! Holders by name, for who comes to a door without a code: looked up, counted, and no more of them than may be shown.

use crate::app::receipts::Receipts;
use crate::app::receipts::metric::Metric;
use crate::domain::people::author::Author;
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::receipts::holders::Holders;

impl Receipts {
    pub async fn holders(&self, sale: SaleId, beginnings: &[String], by: &Author) -> Result<Holders> {
        let holders = self.0.needs.holders.holders(sale, beginnings, self.0.settings.holders_max, by).await?;
        let outcome = if holders.found.is_empty() { "nobody" } else { "found" };
        metrics::counter!(Metric::LookUps.name(), "outcome" => outcome).increment(1);
        Ok(holders)
    }
}
