//! Which seats would do for a party, and which party is offered next.

use super::rules::Rule;
use super::state::{R, SEATS, Standing, State};
use super::worlds::{Party, World};

/// The first seats that would do, of those that are free. Beside each other: the numbers follow.
pub fn choose(party: &Party, free: u8) -> Option<u8> {
    let would_do = |seats: &u8| {
        let is_together = !party.together || *seats == ((1 << party.quantity) - 1) << seats.trailing_zeros();
        seats.count_ones() == party.quantity && seats & !(free & party.seats) == 0 && is_together
    };
    (1..1 << SEATS).find(would_do)
}

/// What the sale gave the buyer of a row, in other rows: open ones, and seats of them all.
pub fn given(world: &World, state: &State, row: usize) -> (bool, u32) {
    let others =
        (0..R).filter(|other| *other != row && *other < world.rows() && world.buyer(*other) == world.buyer(row));
    others.fold((false, 0), |(is_open, seats), other| {
        let its = &state.rows[other];
        let counts = matches!(its.standing, Standing::Held | Standing::Confirmed);
        (is_open || its.standing == Standing::Held, seats + if counts { its.seats.count_ones() } else { 0 })
    })
}

/// Its buyer has paid for so much that what he waits for is over his limit.
pub fn can_never_fit(world: &World, state: &State, row: usize) -> bool {
    let Some(party) = world.party(row) else { return false };
    let (is_open, given) = given(world, state, row);
    !is_open && given + party.quantity > world.limit
}

/// A party that is not passed over, and the seats for it.
pub fn fits(world: &World, state: &State, row: usize, free: u8) -> Option<u8> {
    let party = world.party(row)?;
    let (is_open, given) = given(world, state, row);
    let is_over = given + party.quantity > world.limit || is_open;
    choose(party, free).filter(|_| !is_over)
}

/// Who is offered next.
pub fn next(world: &World, state: &State, free: u8) -> Option<(usize, u8)> {
    let would = |row: usize| {
        let seats = match world.has(Rule::OpenIsPassedOver) {
            true => fits(world, state, row, free),
            false => world.party(row).and_then(|party| choose(party, free)),
        };
        seats.map(|seats| (row, seats))
    };
    match world.has(Rule::InOrder) {
        true => state.waiting().find_map(would),
        false => state.waiting().rev().find_map(would),
    }
}
