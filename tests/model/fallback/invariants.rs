//! What must hold: in every state, and when no worker has anything left to do.

use super::restore::is_to_sweep;
use super::state::{ALL, Broken, Standing, State, Turnstile, Work, in_set};
use super::worlds::World;

/// Generations that all faults of a world together can account for, at most.
pub const GENERATION_MAX: u8 = 8;

pub fn always(world: &World, state: &State) -> Option<Broken> {
    let ledger = &state.ledger;
    let mut taken = [false; super::state::U];
    for (_, unit) in ledger.held() {
        if unit >= world.capacity || std::mem::replace(&mut taken[unit], true) {
            return Some(Broken::Oversell);
        }
    }
    let is = |reservation: usize, standing: Standing| ledger.rows[reservation].standing == standing;
    if (1..=world.batches).any(|batch| in_set(state.acked, batch) && is(batch, Standing::Unborn)) {
        return Some(Broken::Accepted);
    }
    // Each later batch is decided after the earlier, and has no unit while the earlier waits for one.
    let overtaken = |later: usize| {
        let decided = !is(later, Standing::Unborn) && is(later - 1, Standing::Unborn);
        decided || is(later, Standing::Held) && is(later - 1, Standing::Standby)
    };
    if (2..=world.batches).any(overtaken) {
        return Some(Broken::Order);
    }
    (ledger.generation > GENERATION_MAX).then_some(Broken::Calm)
}

/// The sale's turnstile, as who decides now has it.
fn decides(state: &State) -> Option<Turnstile> {
    let active = state.active as usize;
    match state.memory[active] {
        None if in_set(state.reach, active) => Some(state.redis),
        memory => memory.filter(|_| !in_set(state.reach, active)),
    }
}

/// Everything is acknowledged and released, no worker works, and the sale's turnstile has the ledger's history. While
/// Redis is away that is a memory's; when it is back, every memory is dropped.
pub fn is_at_rest(world: &World, state: &State) -> bool {
    let ledger = &state.ledger;
    let moves = |slot: &usize| !(state.frozen && *slot == 0);
    let is_idle = (0..state.work.len()).filter(moves).all(|slot| state.work[slot] == Work::Idle);
    let is_back = state.reach != ALL || (0..state.memory.len()).filter(moves).all(|c| state.memory[c].is_none());
    is_idle
        && is_back
        && state.feed == 0
        && (1..=world.batches).all(|batch| in_set(state.acked, batch))
        && !ledger.rows.iter().any(|row| row.is_unfreed())
        && !ledger.has_gap()
        && !is_to_sweep(world, state)
        && decides(state).is_some_and(|own| own.generation == ledger.generation && own.history == ledger.highest())
}

pub fn at_rest(world: &World, state: &State) -> Option<Broken> {
    let own = decides(state)?;
    let ledger = state.ledger.turnstile();
    if (own.owner, own.standby) != (ledger.owner, ledger.standby) {
        return Some(Broken::Authority);
    }
    (ledger.free(world).is_some() && ledger.waiting() > 0).then_some(Broken::Idle)
}
