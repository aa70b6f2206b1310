//! What a run says: to its caller, and to the log.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::workers::warmer::plan::{Action, Plan};
use crate::workers::warmer::turn::Turn;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Ready,
    /// All of it was asked for, and some of it does not serve yet.
    NotReady,
    Cooled,
    /// The event ended before it was warmed: nothing was raised.
    Over,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Ready => "ready",
            Outcome::NotReady => "not_ready",
            Outcome::Cooled => "cooled",
            Outcome::Over => "over",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// `group`, `instance`, `function` or `target_group`.
    pub kind: &'static str,
    pub name: String,
    pub why: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.why)
    }
}

/// What could not be done in the time there was. Done again, it goes on from there.
#[derive(Debug)]
pub struct Failed {
    pub event: String,
    pub troubles: Vec<Trouble>,
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.event)?;
        self.troubles.iter().try_for_each(|trouble| write!(f, "; {trouble}"))
    }
}

/// One thing as it was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: String,
    /// Of a group, `min-desired-max`.
    pub level: String,
    /// What is wanted of it, by event.
    pub events: BTreeMap<String, u32>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Answer {
    pub version: u64,
    pub event: String,
    pub action: &'static str,
    pub outcome: Outcome,
    pub waited_s: u64,
    pub steps: usize,
    pub groups: Vec<Part>,
    pub instances: Vec<Part>,
    pub functions: Vec<Part>,
    pub target_groups: Vec<Part>,
    pub not_ready: Vec<Trouble>,
}

impl Answer {
    pub(super) fn new(plan: &Plan, outcome: Outcome, turn: Turn, steps: usize, waited_s: u64) -> Self {
        let action = match plan.action {
            Action::Warm => "warm",
            Action::Cool => "cool",
        };
        let not_ready = if outcome == Outcome::NotReady { turn.waits } else { Vec::new() };
        let (groups, instances, functions) = (turn.groups, turn.instances, turn.functions);
        let event = plan.event.clone();
        let target_groups = turn.target_groups;
        Self {
            version: 1,
            event,
            action,
            outcome,
            waited_s,
            steps,
            groups,
            instances,
            functions,
            target_groups,
            not_ready,
        }
    }

    pub(super) fn tell(&self) {
        let (event, outcome, not_ready) = (&self.event, self.outcome.name(), self.not_ready.len());
        let (waited_s, steps) = (self.waited_s, self.steps);
        if self.outcome == Outcome::NotReady {
            for trouble in &self.not_ready {
                let Trouble { kind, name, why } = trouble;
                tracing::warn!(fleet.event = event, fleet.kind = kind, fleet.name = name, why, "not ready");
            }
            tracing::error!(fleet.event = event, outcome, waited_s, steps, not_ready, "warmed");
        } else if self.action == "warm" {
            tracing::info!(fleet.event = event, outcome, waited_s, steps, not_ready, "warmed");
        } else {
            tracing::info!(fleet.event = event, outcome, waited_s, steps, not_ready, "cooled");
        }
    }
}
