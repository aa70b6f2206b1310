//! The consumer: look, ask the turnstile, record, tell, acknowledge. In the order of the broker, one batch at a time or two.
//!
//! The broker gives messages to the active one only. One that was replaced may be asleep with a batch in hand, and goes on
//! when it wakes; its acknowledgement counts for nothing.

use crate::ledger::{self, Recorded};
use crate::restore;
use crate::state::{ALREADY, Answer, Note, R, Reason, State, UNTRUE, Work, in_set};
use crate::step::Steps;

pub fn steps(steps: &mut Steps, slot: usize) {
    let scenario = steps.scenario;
    match steps.state.work[slot] {
        Work::Idle if steps.state.active as usize == slot => look(steps, slot),
        Work::Ask { cause: batch, generation, known, free_buyers, .. } => {
            steps.add(steps.who(slot), "asks the turnstile to reserve batch #", batch as usize, |next| {
                match next.turnstile.reserve(scenario, batch, generation, known) {
                    Ok(mut first) => {
                        let untrue = |r: &usize| first.said[*r] == ALREADY && in_set(free_buyers, *r);
                        let untrue: Vec<usize> = scenario.batch(batch).filter(untrue).collect();
                        untrue.into_iter().for_each(|r| first.said[r] |= UNTRUE);
                        next.work[slot] = Work::Record { first, second: Answer::default() };
                        ""
                    }
                    Err(stale) => restore::after_stale(scenario, next, slot, generation, &stale),
                }
            });
        }
        Work::Record { first, second } => {
            record(steps, slot, first, second);
            if scenario.gathers && second.revision == 0 {
                gather(steps, slot, first);
            }
        }
        Work::Tell { batches, notes } => {
            steps.add(steps.who(slot), "tells the buyers", 0, |next| {
                tell(next, &notes);
                next.work[slot] = Work::Ack { batches };
                ""
            });
        }
        Work::Ack { batches } => {
            steps.add(steps.who(slot), "acknowledges", 0, |next| {
                if next.active as usize == slot {
                    next.acked |= batches;
                }
                next.work[slot] = Work::Idle;
                ""
            });
        }
        _ => restore::steps(steps, slot),
    }
}

fn look(steps: &mut Steps, slot: usize) {
    let scenario = steps.scenario;
    let Some(batch) = (0..scenario.batches()).find(|b| steps.state.acked & (1 << b) == 0) else { return };
    steps.add(steps.who(slot), "looks for batch # in the ledger", batch as usize, |next| {
        let known = next.ledger.highest();
        if next.ledger.is_recorded(batch) {
            let mut said = [0; R];
            scenario.batch(batch).for_each(|r| said[r] = next.ledger.bytes[r]);
            let notes = ledger::notes(scenario, &next.ledger, &said);
            next.work[slot] = told_next(scenario.tells, 1 << batch, notes);
            "it is recorded"
        } else {
            let generation = next.ledger.generation;
            let free_buyers = ledger::free_buyers(scenario, &next.ledger, batch);
            next.work[slot] = Work::Ask { cause: batch, second: None, generation, known, free_buyers };
            ""
        }
    });
}

fn record(steps: &mut Steps, slot: usize, first: Answer, second: Answer) {
    let scenario = steps.scenario;
    let both = [first, second];
    let answers = if second.revision == 0 { &both[..1] } else { &both[..] };
    let what = if second.revision == 0 { "records batch #" } else { "records batch # and the next" };
    steps.add(steps.who(slot), what, first.cause as usize, |next| match ledger::record(scenario, next, answers) {
        Recorded::Done => {
            let mut said = first.said;
            (0..R).for_each(|r| said[r] |= second.said[r]);
            let notes = ledger::notes(scenario, &next.ledger, &said);
            next.work[slot] = told_next(scenario.tells, answers.iter().map(|a| 1 << a.cause).sum(), notes);
            ""
        }
        Recorded::Moved => {
            next.work[slot] = Work::Idle;
            "the generation moved"
        }
        Recorded::Refused | Recorded::Absent => {
            next.work[slot] = Work::Lock { carried: first.generation, reason: Reason::Refused };
            "refused"
        }
    });
}

/// The second call knows the first one's answer. Where it is STALE, the first is recorded alone.
fn gather(steps: &mut Steps, slot: usize, first: Answer) {
    let scenario = steps.scenario;
    let batch = first.cause + 1;
    if batch == scenario.batches() || steps.state.ledger.is_recorded(batch) || steps.state.active as usize != slot {
        return;
    }
    steps.add(steps.who(slot), "asks the turnstile to reserve batch # too", batch as usize, |next| {
        let known = (first.revision, first.chain);
        if let Ok(second) = next.turnstile.reserve(scenario, batch, first.generation, known) {
            next.work[slot] = Work::Record { first, second };
        }
        ""
    });
}

fn told_next(tells: bool, batches: u8, notes: [Note; R]) -> Work {
    if tells { Work::Tell { batches, notes } } else { Work::Ack { batches } }
}

/// A notice is true when the row had this standing at this version.
pub fn tell(next: &mut State, notes: &[Note; R]) {
    for (row, (standing, version)) in next.ledger.rows.iter().zip(notes) {
        if row.version == *version && row.standing != *standing {
            next.broken = Some(crate::state::Broken::Told);
        }
    }
}
