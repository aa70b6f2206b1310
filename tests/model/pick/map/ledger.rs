//! The ledger's moves, and how a gateway learns of them: notices, the log, a snapshot.

use crate::event::Events;

use super::rules::Rule;
use super::state::{Broken, GATEWAYS, Notice, Picture, SEATS, State};
use super::world::World;

pub type Steps<'a> = Events<'a, World, State>;

const NAMES: [&str; GATEWAYS] = ["Gateway 1", "Gateway 2"];

/// Picks and ends are alike here: a seat changes.
pub fn moves(steps: &mut Steps) {
    let world = steps.world;
    for seat in (0..SEATS).filter(|_| steps.state.left.moves > 0) {
        steps.add("Ledger", "seat # changes", seat, |next| {
            next.left.moves -= 1;
            let seats = next.now().seats ^ (1 << seat);
            next.history.push(seats);
            let (epoch, revision, is_taken) = (next.epoch, next.revision(), seats & (1 << seat) != 0);
            for to in 0..world.gateways as u8 {
                next.notices.push(Notice { to, epoch, revision, seat: seat as u8, is_taken });
            }
            next.notices.sort_unstable();
            ""
        });
    }
}

pub fn notices(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for (at, notice) in state.notices.iter().enumerate() {
        steps.add(NAMES[notice.to as usize], "hears of revision #", notice.revision as usize, |next| {
            next.notices.remove(at);
            hear(world, next, notice)
        });
        if state.left.losses > 0 {
            steps.fault("a notice of revision # is lost", notice.revision as usize, |next| {
                next.left.losses -= 1;
                next.notices.remove(at);
            });
        }
    }
}

fn hear(world: &World, next: &mut State, notice: &Notice) -> &'static str {
    let own = next.gateways[notice.to as usize];
    let number = (notice.epoch, notice.revision);
    let is_next = number == (own.epoch, own.revision + 1);
    if number <= own.number() && world.has(Rule::RevisionOrders) {
        return "it is old";
    }
    if number > own.number() && !is_next && world.has(Rule::GapReads) {
        read(world, next, notice.to as usize);
        return "a gap: it reads";
    }
    let bit = 1 << notice.seat;
    let seats = if notice.is_taken { own.seats | bit } else { own.seats & !bit };
    let (epoch, revision) = number.max(own.number());
    next.gateways[notice.to as usize] = Picture { epoch, revision, seats };
    ""
}

/// The log since its own revision, or a snapshot.
fn read(world: &World, next: &mut State, gateway: usize) {
    let (own, now) = (next.gateways[gateway], next.now());
    let is_in_log = own.epoch == now.epoch && own.revision >= next.log_from;
    if !is_in_log && !world.has(Rule::CutLogIsNoLog) && own.epoch == now.epoch {
        // Of the seats that what is left of the log names, the newest state.
        let states = &next.history[next.log_from as usize..];
        let named = states.windows(2).fold(0, |named, pair| named | (pair[0] ^ pair[1]));
        next.gateways[gateway] = Picture { seats: own.seats & !named | now.seats & named, ..now };
        return;
    }
    if now.number() > own.number() {
        next.gateways[gateway] = now;
    }
}

/// The gateway asks for the revision, and reads when it has less.
pub fn asks(steps: &mut Steps, gateway: usize) {
    let (world, state) = (steps.world, steps.state);
    let (own, now) = (state.gateways[gateway], state.now());
    if own.number() < now.number() && world.has(Rule::RevisionAsked) {
        if world.has(Rule::OneSnapshot) {
            steps.add(NAMES[gateway], "asks for the revision, and reads", 0, |next| {
                read(world, next, gateway);
                ""
            });
        } else if state.half_read.is_none() {
            steps.add(NAMES[gateway], "reads the seats", 0, |next| {
                next.half_read = Some(now.seats);
                ""
            });
        }
    }
    if let Some(seats) = state.half_read {
        steps.add(NAMES[gateway], "reads the revision", 0, |next| {
            next.half_read = None;
            next.gateways[gateway] = Picture { seats, ..now };
            ""
        });
    }
    lags(steps, gateway);
}

/// A replica answers, as it was one move ago.
fn lags(steps: &mut Steps, gateway: usize) {
    let (world, state) = (steps.world, steps.state);
    if state.left.lags == 0 || state.revision() == 0 {
        return;
    }
    steps.fault("gateway # reads from a replica that is behind", gateway + 1, |next| {
        next.left.lags -= 1;
        let old = next.at_revision(next.revision() - 1);
        if old.number() < next.gateways[gateway].number() {
            if world.has(Rule::ReadsNoLess) {
                return;
            }
            next.broken = Some(Broken::Back);
        }
        next.gateways[gateway] = old;
    });
}
