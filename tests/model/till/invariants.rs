//! What must hold: in every state, and when no worker has anything left to do.

use super::state::{Broken, Money, Payer, Standing, State, Written};
use super::worlds::World;

pub fn always(world: &World, state: &State) -> Option<Broken> {
    for (hold, row) in state.rows.iter().enumerate() {
        // Named by its hold, and so the only one of it; no refund is ever needed.
        if payments(world, state, hold, Money::Captured).any(|payment| !row.names(payment)) {
            return Some(Broken::Money);
        }
        if payments(world, state, hold, Money::Open).count() > 1 {
            return Some(Broken::TwoAtOnce);
        }
    }
    let is_unasked = |checkout: &usize| {
        let row = &state.rows[world.checkouts[*checkout].hold];
        state.gone & (1 << checkout) != 0 && row.standing == Standing::Confirmed && row.names(*checkout)
    };
    if (0..world.checkouts.len()).any(|checkout| is_unasked(&checkout)) {
        return Some(Broken::Unasked);
    }
    None
}

/// Of this hold, and so far at the provider.
fn payments(world: &World, state: &State, hold: usize, money: Money) -> impl Iterator<Item = usize> {
    let of_hold = (0..world.checkouts.len()).filter(move |payment| world.checkouts[*payment].hold == hold);
    of_hold.filter(move |payment| state.money[*payment] == money)
}

/// Whoever asked has an answer, or its gateway died; nothing is unfinished.
pub fn is_at_rest(world: &World, state: &State) -> bool {
    let row_is_done = |hold: usize| {
        let row = &state.rows[hold];
        row.standing != Standing::Paying && !(row.standing == Standing::Held && row.overdue)
    };
    state.work[..world.checkouts.len()].iter().all(|work| work.is_over())
        && state.payer == Payer::Idle
        && !state.written.contains(&Written::Recorded)
        && (0..state.rows.len()).all(row_is_done)
}

pub fn at_rest(world: &World, state: &State) -> Option<Broken> {
    for (hold, row) in state.rows.iter().enumerate().filter(|(_, row)| row.standing == Standing::Confirmed) {
        let is_free = world.free & (1 << hold) != 0;
        let payment = row.payment as usize;
        let has_moved = is_free || state.money[payment] == Money::Captured;
        if state.written[payment] != Written::Captured || !has_moved {
            return Some(Broken::Money);
        }
    }
    None
}
