//! Restore: lock and look, compare, rewrite the ledger's generation, replace the turnstile. Any worker may need it; afterwards
//! it takes up its own work again from the look.

use crate::ledger;
use crate::rules::Rule;
use crate::state::{Broken, Reason, SLOTS, Scenario, State, Turnstile, Work};
use crate::step::Steps;
use crate::sweeper::{self, Difference};
use crate::turnstile::Stale;

/// What a worker does that was answered STALE.
pub fn after_stale(scenario: &Scenario, next: &mut State, slot: usize, generation: u8, stale: &Stale) -> &'static str {
    let reads_again = scenario.rules.has(Rule::OldGenerationReads);
    next.work[slot] = match stale.0 > generation {
        true if reads_again => Work::Idle,
        true => Work::Rewrite { from: next.ledger.generation, reason: Reason::Stale },
        false => Work::Lock { carried: generation, reason: Reason::Stale },
    };
    if stale.0 > generation { "STALE: the caller's generation is old" } else { "STALE" }
}

pub fn steps(steps: &mut Steps, slot: usize) {
    let scenario = steps.scenario;
    let who = steps.who(slot);
    match steps.state.work[slot] {
        Work::Lock { carried, reason } => {
            if scenario.rules.has(Rule::OneRestorer) && (0..SLOTS).any(|other| has_lock(&steps.state.work[other])) {
                return;
            }
            steps.add(who, "takes the lock and looks at the ledger", 0, |next| {
                let generation = next.ledger.generation;
                let (revision, chain) = next.ledger.highest();
                let moved = carried != generation;
                if moved && scenario.rules.has(Rule::HolderReads) {
                    next.work[slot] = Work::Idle;
                    return "the generation moved";
                }
                next.work[slot] = Work::Judge { generation, revision, chain, reason };
                ""
            });
        }
        Work::Judge { generation, revision, chain, reason } => {
            steps.add(who, "compares the turnstile", 0, |next| {
                let difference =
                    sweeper::difference(scenario, &next.turnstile, &next.ledger, (generation, revision, chain));
                let agree = match (difference, reason) {
                    (None, _) => true,
                    (Some(Difference::Ahead | Difference::Gap), Reason::Stale | Reason::Swept) => {
                        scenario.rules.has(Rule::AheadIsInFlight)
                    }
                    _ => false,
                };
                if agree && scenario.rules.has(Rule::HolderCompares) {
                    next.work[slot] = Work::Idle;
                    return "they agree";
                }
                next.work[slot] = Work::Rewrite { from: generation, reason };
                "they differ"
            });
        }
        Work::Rewrite { from, reason } => steps.add(who, "writes the next generation into the ledger", 0, |next| {
            if next.ledger.generation != from {
                next.work[slot] = Work::Idle;
                return "the generation moved";
            }
            if !next.hurt && !matches!(reason, Reason::Lost | Reason::Absent) {
                match next.excuses {
                    0 => next.broken = Some(Broken::Calm),
                    _ => next.excuses -= 1,
                }
            }
            let core = ledger::rewrite(scenario, next);
            next.work[slot] = Work::Replace { generation: next.ledger.generation, core, locked: true };
            next.hurt = true;
            ""
        }),
        Work::Replace { generation, core, locked } => {
            steps.add(who, "replaces the turnstile", 0, |next| {
                next.work[slot] = Work::Idle;
                if generation <= next.turnstile.generation {
                    return "it is newer already";
                }
                next.turnstile = Turnstile::restored(generation, core);
                next.hurt = false;
                ""
            });
            if locked && steps.state.left.crashes > 0 {
                steps.add(who, "loses its connection, and the lock with it", 0, |next| {
                    next.left.crashes -= 1;
                    next.excuses += 1;
                    next.work[slot] = Work::Replace { generation, core, locked: false };
                    ""
                });
            }
        }
        _ => {}
    }
}

fn has_lock(work: &Work) -> bool {
    matches!(work, Work::Judge { .. } | Work::Rewrite { .. } | Work::Replace { locked: true, .. })
}
