//! The consumer: batches in the broker's order, from Redis, or from its memory while Redis is away; and the way there
//! and back.

use super::restore::{self, fall_back, forget, is_locked, may_fall_back, rewrite, write_lease};
use super::rules::Rule;
use super::state::{CONSUMERS, State, Work, in_set, release_of};
use super::work::{at_work, begin};
use super::worlds::World;
use super::{NAMES, Steps};

pub fn steps(steps: &mut Steps, slot: usize) {
    if steps.state.work[slot] != Work::Idle {
        return at_work(steps, slot);
    }
    look(steps, slot);
    let (world, state, who) = (steps.world, steps.state, NAMES[slot]);
    let is_of_now = state.memory[slot].is_some_and(|memory| memory.generation == state.ledger.generation);
    if may_fall_back(world, state, slot) && !is_of_now {
        steps.add(who, "falls back: Redis has been away for long", 0, |next| {
            fall_back(world, next, slot);
            ""
        });
    }
    let has_lease = state.ledger.lease.by == 0 && is_of_now && state.active as usize == slot;
    if has_lease {
        steps.add(who, "renews its lease", 0, |next| {
            write_lease(world, next, slot);
            ""
        });
    }
    go_back(steps, slot);
}

fn look(steps: &mut Steps, slot: usize) {
    let (world, state) = (steps.world, steps.state);
    let batches = (1..=world.batches).filter(|batch| !in_set(state.acked, *batch));
    // In the order of its partition, of which it has the first batch that is left.
    let here = batches.filter(|batch| consumer_of(world, state, *batch).is_none_or(|consumer| consumer == slot));
    for batch in here.take(if world.has(Rule::OneActive) { 1 } else { world.batches }) {
        begin(steps, slot, batch as u8);
    }
    if state.memory[slot].is_some() && world.has(Rule::ReleasesItself) {
        unfreed(state).into_iter().for_each(|reservation| begin(steps, slot, release_of(reservation)));
    }
}

/// Who is given a batch by the broker; anybody, with that rule off.
fn consumer_of(world: &World, state: &State, batch: usize) -> Option<usize> {
    let active = state.active as usize;
    let is_elsewhere = batch > 1 && !world.has(Rule::PartitionsStay);
    world.has(Rule::OneActive).then_some(if is_elsewhere { CONSUMERS - 1 - active } else { active })
}

pub fn unfreed(state: &State) -> Vec<usize> {
    (0..state.ledger.rows.len()).filter(|r| state.ledger.rows[*r].is_unfreed()).collect()
}

/// Redis has been well for long enough.
fn go_back(steps: &mut Steps, slot: usize) {
    let (world, state, who) = (steps.world, steps.state, NAMES[slot]);
    let Some(memory) = state.memory[slot].filter(|_| in_set(state.reach, slot)) else { return };
    if memory.generation != state.ledger.generation && world.has(Rule::OldMemoryIsNone) {
        steps.add(who, "drops its memory of generation #", memory.generation as usize, |next| {
            forget(next, slot);
            ""
        });
    } else if !is_locked(state, slot) {
        steps.add(who, "goes back to Redis", 0, |next| {
            forget(next, slot);
            if world.has(Rule::ReturnRestores) {
                rewrite(world, next, slot);
                return "restores from the ledger";
            }
            next.ledger.generation += 1;
            let copied = restore::copied(&memory, next.ledger.generation);
            (next.work[slot], next.lock, next.hurt) = (Work::Put(copied), slot as u8 + 1, true);
            "copies its memory"
        });
    }
}
