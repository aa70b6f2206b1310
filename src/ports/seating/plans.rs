//! Seating plans, by their hashes. Absent: any way to change or remove one.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::seating::{Plan, PlanHash};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[async_trait]
pub trait Plans: Send + Sync + 'static {
    /// Says whether it is new. Kept again, it is the same plan and nothing changes.
    async fn keep_plan(&self, plan: &Plan, now: Timestamp, by: Option<&Author>) -> Result<bool>;

    /// The canonical form, byte for byte. `None` when there is no such plan.
    async fn plan(&self, hash: PlanHash) -> Result<Option<String>>;
}
