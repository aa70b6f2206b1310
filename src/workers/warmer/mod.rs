//! Makes the fleet large before an event and small after it, and says what is not ready.
//!
//! A run looks, does what is to be done by what it saw, and looks again, until there is nothing left to do and everything serves,
//! or until its time is up. What an event wants is written on the things themselves, so nothing is remembered here: a run that
//! comes twice, late, or after one that was cut finishes what it finds.

pub mod plan;
mod report;
mod targets;
mod turn;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

pub use crate::workers::warmer::report::{Answer, Failed, Outcome, Part, Trouble};

use crate::domain::shared::time::Timestamp;
use crate::ports::fleet::Fleet;
use crate::ports::platform::clock::Clock;
use crate::workers::warmer::plan::{Action, Plan, PlanError};
use crate::workers::warmer::turn::Turn;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Between two looks at what is not done or not ready.
    pub look_ms: u64,
    /// Before the function's own deadline there is no more waiting: half of this is for a last look, half for the answer.
    pub answer_ms: u64,
    /// How long a plan may let it wait.
    pub wait_s_max: u64,
    /// How far ahead an event may end: a slip of the pen would keep a fleet warm for a year.
    pub warm_ms_max: i64,
    /// Calls at the same time.
    pub calls_max: usize,
    /// Groups, function aliases, target groups and tags of instances in one plan.
    pub groups_max: usize,
    pub functions_max: usize,
    pub target_groups_max: usize,
    pub tags_max: usize,
    /// Instances that carry one tag.
    pub instances_max: usize,
    /// Of one group.
    pub capacity_max: u32,
    /// Of one alias.
    pub provisioned_max: u32,
    /// Events that want something of one thing.
    pub events_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            look_ms: 5_000,
            answer_ms: 15_000,
            wait_s_max: 840,
            warm_ms_max: 604_800_000,
            calls_max: 8,
            groups_max: 32,
            functions_max: 16,
            target_groups_max: 32,
            tags_max: 8,
            instances_max: 200,
            capacity_max: 1_000,
            provisioned_max: 1_000,
            events_max: 20,
        }
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("plan: {0}")]
    Plan(#[from] PlanError),
    #[error("{0}")]
    Failed(Failed),
}

pub struct Warmer {
    pub fleet: Fleet,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
}

impl Warmer {
    /// Answers before `ends_at`, when its function is cut off.
    pub async fn run(&self, plan: &Plan, ends_at: Timestamp) -> Result<Answer, RunError> {
        let (begun, now) = (Instant::now(), self.clock.now());
        plan.lasts(now, &self.settings)?;
        let left = Duration::from_millis(ends_at.since_ms(now).max(0) as u64);
        let for_answer = Duration::from_millis(self.settings.answer_ms);
        let waits_until = begun + plan.wait.min(left.saturating_sub(for_answer));
        let last_look = begun + left.saturating_sub(for_answer / 2);
        let (mut steps, mut looks_again, mut missing) = (0, true, None);
        loop {
            let Ok(turn) = timeout_at(last_look, self.turn(plan)).await else {
                // What the last whole look missed says more than that this one was cut.
                return self.answer(plan, missing.unwrap_or_else(Turn::cut), steps, begun);
            };
            steps += turn.steps;
            let over = Instant::now() >= waits_until;
            if turn.is_done() || (over && (turn.steps == 0 || !looks_again)) {
                return self.answer(plan, turn, steps, begun);
            }
            if over {
                // What was just asked for is looked at once before it is reported.
                looks_again = false;
                continue;
            }
            turn.tell();
            missing = Some(turn).filter(|turn| turn.steps == 0).or(missing);
            sleep(Duration::from_millis(self.settings.look_ms).min(waits_until - Instant::now())).await;
        }
    }

    fn answer(&self, plan: &Plan, turn: Turn, steps: usize, begun: Instant) -> Result<Answer, RunError> {
        let waited_s = begun.elapsed().as_secs();
        if !turn.failed.is_empty() {
            let failed = Failed { event: plan.event.clone(), troubles: turn.failed };
            tracing::error!(fleet.event = plan.event, outcome = "failed", waited_s, steps, why = %failed, "not done");
            return Err(RunError::Failed(failed));
        }
        let outcome = match plan.action {
            Action::Cool => Outcome::Cooled,
            Action::Warm if turn.is_over => Outcome::Over,
            Action::Warm if turn.waits.is_empty() => Outcome::Ready,
            Action::Warm => Outcome::NotReady,
        };
        let answer = Answer::new(plan, outcome, turn, steps, waited_s);
        answer.tell();
        Ok(answer)
    }
}
