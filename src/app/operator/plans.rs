//! Seating plans, as a shell keeps and sees them.

use serde_json::{Value, json};

use crate::app::operator::{CommandError, Needs};
use crate::app::seating;
use crate::app::seating::read::read;
use crate::domain::people::author::Author;
use crate::domain::seating::{NoHash, PlanHash};

/// Whoever sends it told what is odd about it before.
pub async fn keep(needs: &Needs, plan: String, by: &Author) -> Result<Value, CommandError> {
    let reading = tokio::task::spawn_blocking(move || read(plan.as_bytes(), None));
    let read = reading.await.map_err(|error| CommandError::Refused(error.to_string()))?;
    let Some(plan) = read.plan else {
        let first = read.report.faults().next().map(ToString::to_string);
        return Err(CommandError::Refused(first.unwrap_or_default()));
    };
    let kept = seating::keep(&needs.seating, &plan, by).await?;
    Ok(json!({ "hash": kept.hash.to_string(), "seats": kept.seats, "new": kept.is_new }))
}

pub async fn kept(needs: &Needs, hash: &str) -> Result<Value, CommandError> {
    let hash: PlanHash = hash.parse().map_err(|error: NoHash| CommandError::Refused(error.to_string()))?;
    match needs.seating.plans.plan(hash).await? {
        Some(plan) => Ok(json!({ "plan": plan })),
        None => Err(CommandError::Refused(format!("there is no plan {hash}"))),
    }
}
