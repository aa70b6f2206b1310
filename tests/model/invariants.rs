//! What must hold, by the design's numbers: in every state, and when no actor has anything left to do.

use crate::checkout;
use crate::releaser;
use crate::rules::Rule;
use crate::state::{Broken, R, STANDBY, Scenario, Standing, State, TAKEN, U, Work, in_set};
use crate::sweeper;
use crate::world::{self, standby_ends};

pub fn always(scenario: &Scenario, state: &State) -> Option<Broken> {
    let rows = &state.ledger.rows;
    let mut owner = [0u8; U];
    for (reservation, row) in rows.iter().enumerate().filter(|(_, row)| row.is_holding()) {
        for unit in (0..U).filter(|unit| row.units & (1 << unit) != 0) {
            if owner[unit] != 0 {
                return Some(Broken::Oversell);
            }
            owner[unit] = reservation as u8 + 1;
        }
    }
    if owner != state.ledger.claims {
        return Some(Broken::Conservation);
    }
    // Two live rows of one buyer: the limit is what one attempt may have.
    let live = |r: usize| rows[r].is_live();
    for r in scenario.reservations().filter(|r| live(*r)) {
        if scenario.reservations().any(|o| o < r && live(o) && scenario.buyer(o) == scenario.buyer(r)) {
            return Some(Broken::Limit);
        }
    }
    let is_unheard = |r: usize| in_set(scenario.anonymous, r) && rows[r].standing == Standing::Standby;
    if scenario.reservations().any(is_unheard) {
        return Some(Broken::Unheard);
    }
    let acked = |r: usize| state.acked & (1 << scenario.attempts[r].0) != 0;
    if scenario.reservations().any(|r| acked(r) && !is_answered(scenario, state, r)) {
        return Some(Broken::Accepted);
    }
    let waits = |work: &Work| match work {
        Work::Record { first, second } => releaser::never_born(scenario, state, &[*first, *second]),
        _ => false,
    };
    if !scenario.rules.has(Rule::AbsentRestores) && state.work.iter().any(waits) {
        return Some(Broken::Stuck);
    }
    (!checkout::money_is_right(scenario, state)).then_some(Broken::Money)
}

/// Its batch has a turn, and what the turn gave has a row.
fn is_answered(scenario: &Scenario, state: &State, reservation: usize) -> bool {
    let byte = state.ledger.bytes[reservation] & 0xf0;
    let given = byte == TAKEN || byte == STANDBY;
    let row = state.ledger.rows[reservation].standing != Standing::Unborn;
    state.ledger.is_recorded(scenario.attempts[reservation].0) && byte != 0 && (row || !given)
}

/// Every queue is empty, no actor works, nothing is unfreed, overdue or paying, and the sweeper sees nothing to do.
pub fn is_at_rest(scenario: &Scenario, state: &State) -> bool {
    let ledger = &state.ledger;
    let (revision, chain) = ledger.highest();
    let to_raise = scenario.rules.has(Rule::LedgerRaisesFirst) && world::lags(state);
    state.work.iter().all(|work| *work == Work::Idle)
        && state.acked == (1 << scenario.batches()) - 1
        && !ledger.rows.iter().any(|row| row.is_unfreed() || row.standing == Standing::Paying)
        && !ledger.rows.iter().any(|row| row.standing == Standing::Held && row.overdue)
        && !scenario.reservations().any(|r| standby_ends(scenario, state, r))
        && !to_raise
        && (0..ledger.payments.len()).all(|p| checkout::unresolved(state, p).is_none())
        && sweeper::finding(scenario, &state.turnstile, ledger, (ledger.generation, revision, chain)).is_none()
}

pub fn at_rest(scenario: &Scenario, state: &State) -> Option<Broken> {
    let ledger = &state.ledger;
    let core = ledger.core();
    if core != state.turnstile.core {
        return Some(Broken::Authority);
    }
    let taken = core.owner.iter().filter(|o| **o != 0).count() as u32;
    if core.free() + taken != u32::from(ledger.capacity) {
        return Some(Broken::Conservation);
    }
    // A party that was ended by the sale, not by its buyer, still counts: nothing may come free after it was sent away, but for
    // what an operator gives back then.
    let row = |r: usize| &ledger.rows[r];
    let waits = |r: &usize| matches!(row(*r).standing, Standing::Standby | Standing::Ended);
    for party in (0..R).filter(waits) {
        let late = if row(party).standing == Standing::Ended { u32::from(ledger.late) } else { 0 };
        if scenario.quantity(party) <= core.free().saturating_sub(late) {
            return Some(Broken::Idle);
        }
        let came_later = |r: usize| row(r).is_holding() && scenario.quantity(r) >= scenario.quantity(party);
        if late == 0 && (party + 1..scenario.attempts.len()).any(came_later) {
            return Some(Broken::Order);
        }
    }
    None
}
