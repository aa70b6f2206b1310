//! The warmer: a Lambda function that a schedule calls before an event and after it. It sees the fleet from outside, by what AWS
//! says of it, and nothing of the shop.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value;

use crate::adapters::aws;
use crate::adapters::aws::fleet::fleet;
use crate::adapters::aws::lambda::{self, Failed};
use crate::adapters::system::SystemClock;
use crate::domain::shared::time::Timestamp;
use crate::kit::process::Failure;
use crate::wire::config::Config;
use crate::wire::function;
use crate::workers::warmer::plan::Plan;
use crate::workers::warmer::{RunError, Warmer};

/// The whole of the binary.
pub fn main() -> ExitCode {
    function::main("warmer", live)
}

async fn live(config: Config) -> Result<(), Failure> {
    let settings = config.warmer;
    let fleet = fleet(&aws::config().await, settings.instances_max);
    let warmer = Warmer { fleet, settings, clock: Arc::new(SystemClock::local()) };
    lambda::answer(|plan, ends_at| handle(&warmer, plan, ends_at)).await
}

async fn handle(warmer: &Warmer, plan: Value, ends_at: Timestamp) -> Result<Value, Failed> {
    let run = async {
        let plan = Plan::read(&plan, &warmer.settings)?;
        warmer.run(&plan, ends_at).await
    };
    let answer = run.await.map_err(|error| {
        let kind = match &error {
            RunError::Plan(wrong) => {
                tracing::error!(outcome = "refused", field = wrong.field, why = wrong.what, "a plan is refused");
                "Plan"
            }
            RunError::Failed(_) => "Fleet",
        };
        Failed { kind, what: error.to_string() }
    })?;
    serde_json::to_value(answer).map_err(|error| Failed { kind: "Answer", what: error.to_string() })
}
