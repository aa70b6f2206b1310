//! What every worker does with one cause: look at the ledger, ask a turnstile, record, acknowledge.

use super::ledger::Recorded;
use super::restore::{doubt, fall_back, may_fall_back, put};
use super::rules::Rule;
use super::state::{CONSUMERS, Turnstile, Work, in_set, released};
use super::{NAMES, Steps};

pub fn begin(steps: &mut Steps, slot: usize, cause: u8) {
    let (what, which) = match released(cause) {
        Some(reservation) => ("looks at the ledger to release r#", reservation),
        None => ("looks for batch # in the ledger", cause as usize),
    };
    steps.add(NAMES[slot], what, which, |next| {
        let ledger = &next.ledger;
        let is_done = match released(cause) {
            Some(reservation) => !ledger.rows[reservation].is_unfreed(),
            None => ledger.is_recorded(cause),
        };
        next.work[slot] = Work::Ask { cause, generation: ledger.generation, known: ledger.highest(), is_done };
        if is_done { "it is done" } else { "" }
    });
}

pub fn at_work(steps: &mut Steps, slot: usize) {
    let who = NAMES[slot];
    match steps.state.work[slot] {
        Work::Idle => {}
        Work::Ask { cause, is_done: true, .. } => steps.add(who, "has nothing more to do", 0, |next| {
            next.work[slot] = after(cause);
            ""
        }),
        Work::Ask { .. } => ask(steps, slot),
        Work::Record { .. } => record(steps, slot),
        Work::Ack { batch } => steps.add(who, "acknowledges batch #", batch as usize, |next| {
            next.acked |= 1 << batch;
            next.work[slot] = Work::Idle;
            ""
        }),
        Work::Put(_) => put(steps, slot, who),
    }
}

fn after(cause: u8) -> Work {
    if released(cause).is_none() { Work::Ack { batch: cause } } else { Work::Idle }
}

fn ask(steps: &mut Steps, slot: usize) {
    let (world, state, who) = (steps.world, steps.state, NAMES[slot]);
    let Work::Ask { cause, generation, known, .. } = state.work[slot] else { return };
    let is_believed = |memory: &Turnstile| memory.generation == generation || !world.has(Rule::OldMemoryIsNone);
    let memory = state.memory.get(slot).copied().flatten().filter(is_believed);
    if let Some(mut memory) = memory {
        steps.add(who, "asks its memory", 0, |next| {
            if memory.generation == generation && !memory.history.begins_with(&known) {
                (next.memory[slot], next.work[slot]) = (None, Work::Idle);
                return "STALE: it is dropped";
            }
            next.work[slot] = Work::Record { answer: memory.ask(world, cause), from_redis: false };
            next.memory[slot] = Some(memory);
            ""
        });
    } else if in_set(state.reach, slot) {
        steps.add(who, "asks Redis", 0, |next| {
            let redis = &mut next.redis;
            if redis.generation == generation && redis.history.begins_with(&known) {
                next.work[slot] = Work::Record { answer: redis.ask(world, cause), from_redis: true };
                ""
            } else if next.ledger.generation != generation {
                next.work[slot] = Work::Idle;
                "STALE: the caller's generation is old"
            } else {
                doubt(world, next, slot, generation)
            }
        });
    } else {
        steps.add(who, "has nothing to ask", 0, |next| {
            next.work[slot] = Work::Idle;
            if next.ledger.generation == generation && may_fall_back(world, next, slot) {
                fall_back(world, next, slot);
                return "falls back";
            }
            "later"
        });
    }
}

fn record(steps: &mut Steps, slot: usize) {
    let world = steps.world;
    let Work::Record { answer, from_redis } = steps.state.work[slot] else { return };
    steps.add(NAMES[slot], "records revision #", answer.before.revision() + 1, |next| {
        next.work[slot] = Work::Idle;
        match next.ledger.record(world, &answer) {
            Recorded::Done => {
                next.work[slot] = after(answer.cause);
                ""
            }
            Recorded::Moved => "the generation moved",
            // It is tried again.
            Recorded::Absent => {
                next.work[slot] = Work::Record { answer, from_redis };
                ""
            }
            Recorded::Refused if slot < CONSUMERS && next.memory[slot].is_some() => {
                next.memory[slot] = None;
                "refused: its memory is dropped"
            }
            Recorded::Refused => {
                next.hurt |= from_redis && answer.generation == next.ledger.generation;
                doubt(world, next, slot, answer.generation)
            }
        }
    });
}
