//! Seating plans: read from files, shown to people, kept.

mod csv_file;
mod own;
pub mod picture;
mod pretix;
pub mod read;

use std::sync::Arc;

use crate::domain::people::author::Author;
use crate::domain::seating::{Plan, PlanHash};
use crate::ports::Result;
use crate::ports::platform::clock::Clock;
use crate::ports::seating::plans::Plans;

#[derive(Clone)]
pub struct Needs {
    pub plans: Arc<dyn Plans>,
    pub clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    pub hash: PlanHash,
    pub seats: usize,
    /// Nobody had kept it before.
    pub is_new: bool,
}

/// The same plan again is the same hash, and changes nothing.
pub async fn keep(needs: &Needs, plan: &Plan, by: &Author) -> Result<Kept> {
    let is_new = needs.plans.keep_plan(plan, needs.clock.now(), Some(by)).await?;
    Ok(Kept { hash: plan.hash(), seats: plan.seat_count(), is_new })
}
