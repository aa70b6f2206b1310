//! The payment-consumer's releases: it looks for rows that ended and are not freed (an alarm or the sweeper may wake it at any
//! time), releases them at the turnstile, records the answers with their promotions, tells. An operator's raise goes the same way.

use crate::consumer::tell;
use crate::ledger::{self, Recorded};
use crate::restore;
use crate::rules::Rule;
use crate::state::{Answer, R, RAISE, Reason, Row, Scenario, State, Work, release_of, released};
use crate::step::Steps;

pub fn steps(steps: &mut Steps, slot: usize) {
    let scenario = steps.scenario;
    match steps.state.work[slot] {
        Work::Idle => look(steps, slot),
        Work::Ask { cause, second, generation, known, .. } => {
            let (first, second) = (released(cause), second.and_then(released));
            let what = if first.is_some() { "asks the turnstile to release r#" } else { "asks the turnstile to raise" };
            steps.add(steps.who(slot), what, first.unwrap_or(0), |next| {
                let answers = match first {
                    Some(first) => {
                        // A part's units were read in the look, and never change.
                        let units = |reservation: usize| (reservation, next.ledger.rows[reservation].units);
                        let both = (units(first), second.map(units));
                        next.turnstile.releases(scenario, both, generation, known)
                    }
                    None => next.turnstile.raise(scenario, generation, known).map(|a| (a, Answer::default())),
                };
                match answers {
                    Ok((first, second)) => {
                        next.work[slot] = Work::Record { first, second };
                        ""
                    }
                    Err(stale) => restore::after_stale(scenario, next, slot, generation, &stale),
                }
            });
        }
        Work::Record { first, second } => record(steps, slot, first, second),
        Work::Tell { notes, .. } => steps.add(steps.who(slot), "tells who was promoted", 0, |next| {
            tell(next, &notes);
            next.work[slot] = Work::Idle;
            ""
        }),
        _ => restore::steps(steps, slot),
    }
}

/// The generation is read in the same look as the flag.
fn look(steps: &mut Steps, slot: usize) {
    let rows = &steps.state.ledger.rows;
    let unfreed: Vec<usize> = (0..R).filter(|r| Row::is_unfreed(&rows[*r])).collect();
    for (at, &first) in unfreed.iter().enumerate() {
        start(steps, slot, release_of(first), None);
        for &second in unfreed[at + 1..].iter().filter(|_| steps.scenario.pairs) {
            start(steps, slot, release_of(first), Some(release_of(second)));
        }
    }
}

pub fn start(steps: &mut Steps, slot: usize, cause: u8, second: Option<u8>) {
    let what = match (cause, second) {
        (RAISE, _) => "looks at the ledger, to raise",
        (_, None) => "sees r# unfreed",
        (_, Some(_)) => "sees r# and another unfreed",
    };
    steps.add(steps.who(slot), what, released(cause).unwrap_or(0), |next| {
        let known = next.ledger.highest();
        next.work[slot] = Work::Ask { cause, second, generation: next.ledger.generation, known, free_buyers: 0 };
        ""
    });
}

fn record(steps: &mut Steps, slot: usize, first: Answer, second: Answer) {
    let scenario = steps.scenario;
    let both = [first, second];
    let answers = if second.revision == 0 { &both[..1] } else { &both[..] };
    let mut absent = false;
    let what = if first.cause == RAISE { "records the raise" } else { "records the release of r#" };
    steps.add(steps.who(slot), what, released(first.cause).unwrap_or(0), |next| {
        match ledger::record(scenario, next, answers) {
            Recorded::Done => {
                let mut said = first.said;
                (0..R).for_each(|r| said[r] |= second.said[r]);
                let notes = ledger::notes(scenario, &next.ledger, &said);
                next.work[slot] = if scenario.tells { Work::Tell { batches: 0, notes } } else { Work::Idle };
                ""
            }
            Recorded::Moved => {
                next.work[slot] = Work::Idle;
                "the generation moved"
            }
            Recorded::Refused => {
                next.work[slot] = Work::Lock { carried: first.generation, reason: Reason::Refused };
                "refused"
            }
            Recorded::Absent => {
                absent = true;
                "a row is absent"
            }
        }
    });
    let given_up = absent && scenario.rules.has(Rule::AbsentRestores);
    if given_up && (never_born(scenario, steps.state, answers) || steps.state.left.hasty > 0) {
        steps.add(steps.who(slot), "has waited too long for a row", 0, |next| {
            if !never_born(scenario, next, answers) {
                next.left.hasty -= 1;
            }
            next.work[slot] = Work::Lock { carried: first.generation, reason: Reason::Absent };
            ""
        });
    }
}

/// The row's batch has its turn already, so that no actor will bring the row.
pub fn never_born(scenario: &Scenario, state: &State, answers: &[Answer]) -> bool {
    let ledger = &state.ledger;
    let promotes = |r: &usize| answers.iter().any(|a| a.cause >= release_of(0) && a.said[*r] != 0);
    scenario.reservations().filter(promotes).any(|r| {
        let batch = scenario.attempts[r].0;
        ledger.rows[r] == Row::default() && ledger.is_recorded(batch) && answers[0].generation == ledger.generation
    })
}
