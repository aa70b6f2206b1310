//! The sweeper: reads the ledger first, then the turnstile, and restores what no other worker comes across.

use crate::releaser::never_born;
use crate::restore;
use crate::rules::Rule;
use crate::state::{Ledger, Reason, Scenario, State, Turnstile, Work};
use crate::step::Steps;

/// How a turnstile differs from what a worker saw in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    Missing,
    /// Older than the sale's. A newer one means that another worker restored since.
    Generation,
    Behind,
    Chain,
    /// Its revision has no turn: the answer is on its way, or lost.
    Ahead,
    /// A revision below the highest turn has none: on its way, or lost.
    Gap,
}

pub fn difference(
    scenario: &Scenario,
    turnstile: &Turnstile,
    ledger: &Ledger,
    (generation, revision, chain): (u8, u8, u32),
) -> Option<Difference> {
    let other_way = scenario.rules.has(Rule::ChainCarried) && turnstile.contradicts((revision, chain));
    let gap = || (1..revision).any(|below| ledger.turn_at(generation, below).is_none());
    if turnstile.generation == 0 {
        Some(Difference::Missing)
    } else if turnstile.generation != generation {
        (turnstile.generation < generation).then_some(Difference::Generation)
    } else if turnstile.revision < revision {
        Some(Difference::Behind)
    } else if turnstile.revision == revision && turnstile.chain != chain || other_way {
        Some(Difference::Chain)
    } else if ledger.generation == generation && ledger.turn_at(generation, turnstile.revision).is_none() {
        (turnstile.revision > revision).then_some(Difference::Ahead)
    } else {
        gap().then_some(Difference::Gap)
    }
}

/// Why the sweeper would restore after it saw this.
pub fn finding(scenario: &Scenario, turnstile: &Turnstile, ledger: &Ledger, seen: (u8, u8, u32)) -> Option<Reason> {
    let (rule, reason) = match difference(scenario, turnstile, ledger, seen)? {
        Difference::Missing => (Rule::SweepsMissing, Reason::Swept),
        Difference::Generation => (Rule::SweepsGeneration, Reason::Swept),
        Difference::Behind => (Rule::SweepsBehind, Reason::Swept),
        Difference::Chain => (Rule::SweepsChain, Reason::Swept),
        Difference::Ahead | Difference::Gap => (Rule::SweepsLostAnswer, Reason::Lost),
    };
    scenario.rules.has(rule).then_some(reason)
}

pub fn steps(steps: &mut Steps, slot: usize) {
    let scenario = steps.scenario;
    let who = steps.who(slot);
    let ledger = &steps.state.ledger;
    match steps.state.work[slot] {
        Work::Idle => {
            let (revision, chain) = ledger.highest();
            let seen = (ledger.generation, revision, chain);
            if difference(scenario, &steps.state.turnstile, ledger, seen).is_none() && !scenario.sweeps_always {
                return;
            }
            steps.add(who, "looks at the ledger", 0, |next| {
                next.work[slot] = Work::Compare { generation: next.ledger.generation, revision, chain };
                ""
            });
        }
        Work::Compare { generation, revision, chain } => {
            let reason = finding(scenario, &steps.state.turnstile, ledger, (generation, revision, chain));
            let hasty = reason == Some(Reason::Lost) && is_in_hand(scenario, steps.state, generation);
            if let Some(reason) = reason.filter(|_| !hasty || steps.state.left.hasty > 0) {
                steps.add(who, "finds the turnstile wrong", 0, |next| {
                    next.left.hasty -= u8::from(hasty);
                    next.work[slot] = Work::Lock { carried: generation, reason };
                    ""
                });
            }
            if reason.is_none() || hasty {
                steps.add(who, "finds nothing", 0, |next| {
                    next.work[slot] = Work::Idle;
                    ""
                });
            }
        }
        _ => restore::steps(steps, slot),
    }
}

/// A worker has an answer that the ledger lacks, and is only slow.
fn is_in_hand(scenario: &Scenario, state: &State, generation: u8) -> bool {
    state.work.iter().any(|work| match work {
        Work::Record { first, second } => {
            let answers = [*first, *second];
            answers.iter().any(|a| a.revision != 0 && a.generation == generation)
                && !never_born(scenario, state, &answers)
        }
        _ => false,
    })
}
