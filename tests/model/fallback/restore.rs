//! Restores: into Redis, in two halves under the lock, or into a consumer's memory, which has only the first.

use super::Steps;
use super::rules::Rule;
use super::state::{Broken, CONSUMERS, Lease, PAYER, State, Turnstile, Work, in_set};
use super::worlds::World;

/// Redis has the sale's generation, and what the ledger knows of its history.
pub fn is_one_history(state: &State) -> bool {
    let (redis, ledger) = (&state.redis, &state.ledger);
    redis.generation == ledger.generation && redis.history.begins_with(&ledger.highest())
}

/// An answer of Redis has no turn, and no worker is about to record it.
pub fn has_lost_an_answer(state: &State) -> bool {
    let generation = state.ledger.generation;
    let in_hand = |work: &Work| matches!(work, Work::Record { answer, .. } if answer.generation == generation);
    let ahead = state.redis.history.revision() > state.ledger.highest().revision();
    let lost = state.redis.generation == generation && (ahead || state.ledger.has_gap());
    lost && !state.work.iter().any(in_hand)
}

/// The sale is another's, by its lease.
pub fn is_left(world: &World, state: &State, slot: usize) -> bool {
    let by = state.ledger.lease.by as usize;
    world.has(Rule::LeaseIsLeft) && by != 0 && by != slot + 1
}

pub fn is_locked(state: &State, slot: usize) -> bool {
    state.lock != 0 && state.lock as usize != slot + 1
}

/// The sweeper has something to do.
pub fn is_to_sweep(world: &World, state: &State) -> bool {
    let is_wrong = !is_one_history(state) || has_lost_an_answer(state);
    in_set(state.reach, PAYER) && is_wrong && !is_left(world, state, PAYER)
}

/// What a worker does whose call was answered STALE, or whose answer was refused: it takes the lock and looks again.
pub fn doubt(world: &World, next: &mut State, slot: usize, carried: u8) -> &'static str {
    next.work[slot] = Work::Idle;
    if is_locked(next, slot) {
        "in doubt, and another worker restores"
    } else if is_left(world, next, slot) {
        "in doubt, and the sale is another's"
    } else if next.ledger.generation != carried || is_one_history(next) && !has_lost_an_answer(next) {
        "in doubt, and the doubt is gone"
    } else {
        rewrite(world, next, slot);
        "in doubt: restores from the ledger"
    }
}

/// The first half, for Redis.
pub fn rewrite(world: &World, next: &mut State, slot: usize) {
    if !next.hurt {
        next.broken = Some(Broken::Calm);
    }
    next.work[slot] = Work::Put(next.ledger.restore(world, true));
    (next.lock, next.hurt) = (slot as u8 + 1, true);
}

/// The second half.
pub fn put(steps: &mut Steps, slot: usize, who: &'static str) {
    let Work::Put(turnstile) = steps.state.work[slot] else { return };
    steps.add(who, "puts generation # into Redis", turnstile.generation as usize, |next| {
        next.work[slot] = Work::Idle;
        unlock(next, slot);
        if !in_set(next.reach, slot) {
            return "it cannot be reached";
        }
        if turnstile.generation <= next.redis.generation {
            return "KEPT";
        }
        next.redis = turnstile;
        next.hurt = turnstile.generation != next.ledger.generation;
        ""
    });
}

pub fn may_fall_back(world: &World, state: &State, slot: usize) -> bool {
    let is_its = state.active as usize == slot || !world.has(Rule::OneActive);
    let may = slot < CONSUMERS && is_its && !in_set(state.reach, slot);
    may && !is_left(world, state, slot) && !is_locked(state, slot)
}

/// One transaction: the restore's, with the lease.
pub fn fall_back(world: &World, next: &mut State, slot: usize) {
    let turnstile = next.ledger.restore(world, world.has(Rule::NextGeneration));
    next.memory[slot] = Some(turnstile);
    next.hurt = true;
    write_lease(world, next, slot);
    if !world.has(Rule::LockWhileRestoring) {
        next.lock = slot as u8 + 1;
    }
}

pub fn write_lease(world: &World, next: &mut State, slot: usize) {
    let endless = slot == 0 && next.fast && !world.has(Rule::LeaseByLedgerTime);
    next.ledger.lease = Lease { by: slot as u8 + 1, endless };
}

/// The memory is dropped, and what went with it.
pub fn forget(next: &mut State, slot: usize) {
    next.memory[slot] = None;
    if next.ledger.lease.by as usize == slot + 1 {
        next.ledger.lease = Lease::default();
    }
    unlock(next, slot);
}

pub fn unlock(next: &mut State, slot: usize) {
    if next.lock as usize == slot + 1 {
        next.lock = 0;
    }
}

/// What goes to Redis where the memory is copied.
pub fn copied(memory: &Turnstile, generation: u8) -> Turnstile {
    Turnstile { generation, ..*memory }
}
