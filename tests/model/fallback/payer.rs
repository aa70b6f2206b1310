//! The payment-consumer: releases, sweeps and feeds every sale that is not left to the holder of a lease, and asks
//! Redis alone.

use super::consumer::unfreed;
use super::restore::{is_left, is_to_sweep, rewrite};
use super::rules::Rule;
use super::state::{Broken, PAYER, State, Work, in_set, release_of};
use super::work::{at_work, begin};
use super::worlds::World;
use super::{NAMES, Steps};

const WHO: &str = NAMES[PAYER];

pub fn steps(steps: &mut Steps) {
    feed(steps);
    let (world, state) = (steps.world, steps.state);
    if state.work[PAYER] != Work::Idle {
        return at_work(steps, PAYER);
    }
    if !is_left(world, state, PAYER) {
        unfreed(state).into_iter().for_each(|reservation| begin(steps, PAYER, release_of(reservation)));
    }
    if is_to_sweep(world, state) && state.lock == 0 {
        steps.add(WHO, "sweeps: restores from the ledger", 0, |next| {
            rewrite(world, next, PAYER);
            ""
        });
    }
}

/// What publishers are told: the sale as the ledger has it, and whether its turnstile is exhausted.
fn feed(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.feed != 0 {
        return steps.add(WHO, "tells publishers what Redis says", 0, |next| {
            let read = std::mem::take(&mut next.feed);
            let redis = &next.redis;
            let is_one = redis.generation == read || !world.has(Rule::OtherGenerationIsNone);
            if !in_set(next.reach, PAYER) || redis.generation == 0 || !is_one || !redis.is_exhausted(world) {
                return "not exhausted";
            }
            // A generation that moved since has been told of, or will be, and publishers keep the higher one.
            if next.ledger.generation == read && has_room(world, next) {
                next.broken = Some(Broken::Told);
            }
            "exhausted"
        });
    }
    if world.feeds && !is_left(world, state, PAYER) {
        steps.add(WHO, "reads the sale for the feed", 0, |next| {
            next.feed = next.ledger.generation;
            ""
        });
    }
}

/// The sale's own turnstile has a unit to give; where it is nowhere yet, the ledger does.
fn has_room(world: &World, state: &State) -> bool {
    let all = state.memory.iter().flatten().chain([&state.redis]);
    let mut own = all.filter(|turnstile| turnstile.generation == state.ledger.generation).peekable();
    let ledger = state.ledger.turnstile();
    if own.peek().is_none() { ledger.free(world).is_some() } else { own.any(|own| own.free(world).is_some()) }
}
