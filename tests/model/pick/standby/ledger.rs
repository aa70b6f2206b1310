//! The transactions: a party asks, a hold ends or is paid, what ended is offered.

use super::Steps;
use super::chooser::{can_never_fit, fits, given, next as next_party};
use super::rules::Rule;
use super::state::{Broken, OFFERS_MAX, Read, Row, Standing, State};
use super::worlds::World;

pub fn rows(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for row in 0..world.rows() {
        let (is_party, standing) = (world.party(row).is_some(), state.rows[row].standing);
        let is = |set: u8| set & (1 << row) != 0;
        if is_party && standing == Standing::Unborn && state.reads[0] == Read::Nothing {
            ask(steps, row);
        }
        if standing == Standing::Held && is(world.pays) {
            steps.add("Buyer", "pays for r#", row, |next| {
                next.rows[row].standing = Standing::Confirmed;
                if world.has(Rule::PaidIsOffered) {
                    offer(world, next, next.free() & !next.unfreed);
                }
                ""
            });
        } else if standing == Standing::Held && (!is_party || is(world.lapses)) {
            steps.add("Time", "r# ends", row, |next| {
                end(world, next, row);
                ""
            });
        }
        if standing == Standing::Standby && can_never_fit(world, state, row) && world.has(Rule::NeverFitsIsEnded) {
            steps.add("Sweeper", "ends r#, which can never fit", row, |next| {
                next.leave(row);
                next.rows[row].standing = Standing::Ended;
                ""
            });
        }
    }
    if let Read::NoneFits(row) = state.reads[0] {
        steps.add("Buyer", "joins with r#", row as usize, |next| {
            next.reads[0] = Read::Nothing;
            next.join(row as usize);
            ""
        });
    }
}

fn ask(steps: &mut Steps, row: usize) {
    let (world, state) = (steps.world, steps.state);
    let can_be_served = fits(world, state, row, state.free() & !state.unfreed).is_some();
    if !world.has(Rule::LockFirst) && !can_be_served {
        return steps.add("Buyer", "reads that nothing fits r#", row, |next| {
            next.reads[0] = Read::NoneFits(row as u8);
            ""
        });
    }
    steps.add("Buyer", "asks with r#", row, |next| {
        next.join(row);
        if world.has(Rule::JoiningChooses) {
            offer(world, next, next.free() & !next.unfreed);
        }
        ""
    });
}

/// Its seats are open to all at once when nobody waits.
fn end(world: &World, next: &mut State, row: usize) {
    let seats = next.rows[row].seats;
    next.rows[row] = Row { standing: Standing::Ended, seats: 0 };
    if next.waiting().count() > 0 || !world.has(Rule::LockFirst) {
        next.unfreed |= seats;
        if world.has(Rule::FreedIsForParties) {
            return;
        }
    }
    open_to_all(world, next, seats);
}

/// In haste somebody else has them at once, of the rows that held them.
fn open_to_all(world: &World, next: &mut State, seats: u8) {
    if world.haste {
        for (row, held) in world.holders.iter().enumerate().filter(|(_, held)| *held & seats != 0) {
            let has = if next.rows[row].standing == Standing::Held { next.rows[row].seats } else { 0 };
            next.rows[row] = Row { standing: Standing::Held, seats: has | held & seats };
        }
    }
}

/// As many offers as a transaction makes; says whether the chooser has nothing more to say.
fn offer(world: &World, next: &mut State, free: u8) -> bool {
    let mut free = free;
    for _ in 0..OFFERS_MAX {
        let Some((row, seats)) = next_party(world, next, free) else { return true };
        if given(world, next, row).0 {
            next.broken = Some(Broken::Alone);
            return true;
        }
        let is_before = |other: &usize| *other != row;
        if next.waiting().take_while(is_before).any(|earlier| fits(world, next, earlier, free).is_some()) {
            next.broken = Some(Broken::Order);
        }
        if seats & next.taken() != 0 {
            next.broken = Some(Broken::Oversell);
        }
        next.leave(row);
        next.rows[row] = Row { standing: Standing::Held, seats };
        next.unfreed &= !seats;
        next.reserved &= !seats;
        free &= !seats;
    }
    next_party(world, next, free).is_none()
}

pub fn release(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.unfreed != 0 && state.reads[1] == Read::Nothing {
        let is_wanted = next_party(world, state, state.free()).is_some();
        if !world.has(Rule::LockFirst) && !is_wanted {
            steps.add("Releaser", "reads that nobody waits for what ended", 0, |next| {
                next.reads[1] = Read::NobodyWaits(next.unfreed);
                ""
            });
        } else if world.has(Rule::FreedWithOffer) {
            steps.add("Releaser", "offers what ended", 0, |next| {
                let is_done = offer(world, next, next.free());
                if is_done || !world.has(Rule::RestStaysUnfreed) {
                    let seats = next.unfreed;
                    freed(world, next, seats);
                    return "and frees it";
                }
                "and more is to be offered"
            });
        } else {
            steps.add("Releaser", "frees what ended", 0, |next| {
                next.in_hand |= next.unfreed;
                let seats = next.unfreed;
                freed(world, next, seats);
                ""
            });
        }
    }
    if let Read::NobodyWaits(seats) = state.reads[1] {
        steps.add("Releaser", "frees what nobody waits for", 0, |next| {
            next.reads[1] = Read::Nothing;
            freed(world, next, seats);
            ""
        });
    }
    if state.in_hand != 0 {
        steps.add("Releaser", "offers what it freed", 0, |next| {
            if offer(world, next, next.free()) {
                next.in_hand = 0;
            }
            ""
        });
    }
    if state.reserved != 0 {
        steps.add("Time", "what was for parties is open to all", 0, |next| {
            let seats = std::mem::take(&mut next.reserved);
            open_to_all(world, next, seats);
            ""
        });
    }
}

/// What nobody took of what ended.
fn freed(world: &World, next: &mut State, seats: u8) {
    next.unfreed &= !seats;
    let seats = seats & next.free();
    let wanted = next.waiting().filter_map(|row| world.party(row)).fold(0, |wanted, party| wanted | party.seats);
    if world.has(Rule::FreedIsForParties) && world.haste {
        next.reserved |= seats & wanted;
        open_to_all(world, next, seats & !wanted);
    } else {
        open_to_all(world, next, seats);
    }
}
