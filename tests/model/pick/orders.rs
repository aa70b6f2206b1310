//! What is paid: units of an order move to other seats, are let in, and go back one by one; an operator blocks seats, and strangers
//! pick what is free. Every move is one transaction under the map row's lock.
//!
//! **What is checked.** In every state 1 (**Oversell**: blocks among the owners), 7 and 13 (**Price**: what is kept is worth what was
//! paid less what went back), that a unit is let in once (**Twice**), that a refund can be written (**Stuck**), and that a sale
//! which the ledger decides has no turns (**Turns**).

use crate::check::{Needed, each_is_needed, holds};
use crate::event::{Event, Events};
use crate::explorer::Model;

const SEATS: usize = 3;
const UNITS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// The id of what was split from a row takes the row's version in. Off: the row and the seats alone.
    SplitIdHasVersion,
    /// A unit that moves keeps its price. Off: it has the new seat's.
    MoveKeepsPrice,
    /// … and its admission. Off: the new seat is fresh at the door.
    MoveCarriesAdmission,
    /// A block is a claim. Off: it is written beside the claims, after a look at them.
    BlockIsClaim,
    /// What ended is freed by the way its row was claimed. Off: by the turnstile, as in a rush.
    FreedAsClaimed,
}

const ALL: [Rule; 5] = [
    Rule::SplitIdHasVersion,
    Rule::MoveKeepsPrice,
    Rule::MoveCarriesAdmission,
    Rule::BlockIsClaim,
    Rule::FreedAsClaimed,
];

#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    /// Of units to other seats.
    moves: u8,
    without: Option<Rule>,
}

const SMALL: World = World { name: "pick: orders", moves: 2, without: None };

const LARGE: World = World { name: "pick: orders, more moves", moves: 5, without: None };

/// Of the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Unit {
    seat: u8,
    price: u8,
    is_kept: bool,
    /// What the door's code says, and how many it let in.
    is_admitted: bool,
    let_in: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct State {
    units: [Unit; UNITS],
    version: u8,
    /// Paid, less what went back.
    paid: u8,
    /// Of rows that were split from the order's: its seat, and its version.
    splits: Vec<(u8, u8)>,
    /// Bits: seats of strangers, blocked ones, and one that is looked at for a block.
    others: u8,
    blocked: u8,
    looked_at: u8,
    unfreed: u8,
    has_turns: bool,
    moves: u8,
    broken: Option<Broken>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Broken {
    Oversell,
    Price,
    Twice,
    Stuck,
    Turns,
}

const fn price(seat: u8) -> u8 {
    1 << seat
}

impl World {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

impl State {
    fn kept(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.is_kept)
    }

    fn owned(&self) -> u8 {
        self.kept().fold(self.others, |owned, unit| owned | 1 << unit.seat)
    }

    fn is_free(&self, seat: usize) -> bool {
        (self.owned() | self.blocked) & (1 << seat) == 0
    }
}

type Steps<'a> = Events<'a, World, State>;

fn order(steps: &mut Steps, at: usize) {
    let (world, state) = (steps.world, steps.state);
    if !state.units[at].is_kept {
        return;
    }
    for seat in (0..SEATS).filter(|seat| state.is_free(*seat) && state.moves > 0) {
        steps.add("Operator", "moves a unit to seat #", seat, |next| {
            next.moves -= 1;
            next.version += 1;
            let unit = &mut next.units[at];
            unit.seat = seat as u8;
            if !world.has(Rule::MoveKeepsPrice) {
                unit.price = price(unit.seat);
            }
            unit.is_admitted &= world.has(Rule::MoveCarriesAdmission);
            ""
        });
    }
    if !state.units[at].is_admitted {
        steps.add("Door", "lets unit # in", at, |next| {
            next.units[at].is_admitted = true;
            next.units[at].let_in += 1;
            ""
        });
    }
    steps.add("Operator", "gives unit # back", at, |next| {
        let unit = next.units[at];
        let id = (unit.seat, if world.has(Rule::SplitIdHasVersion) { next.version } else { 0 });
        if next.splits.contains(&id) {
            next.broken = Some(Broken::Stuck);
            return "there is such a row, for ever";
        }
        next.splits.push(id);
        next.units[at].is_kept = false;
        next.version += 1;
        next.paid -= unit.price.min(next.paid);
        next.unfreed |= 1 << unit.seat;
        ""
    });
}

fn seats(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for seat in (0..SEATS).filter(|seat| state.is_free(*seat)) {
        steps.add("Stranger", "picks seat #", seat, |next| {
            next.others |= 1 << seat;
            ""
        });
        steps.add("Operator", "blocks seat #", seat, |next| {
            if world.has(Rule::BlockIsClaim) {
                next.blocked |= 1 << seat;
                return "";
            }
            next.looked_at = 1 << seat;
            "it is free"
        });
    }
    if state.looked_at != 0 {
        steps.add("Operator", "writes the block", 0, |next| {
            next.blocked |= std::mem::take(&mut next.looked_at);
            ""
        });
    }
    if state.unfreed != 0 {
        steps.add("Releaser", "frees what ended", 0, |next| {
            next.unfreed = 0;
            if world.has(Rule::FreedAsClaimed) {
                return "";
            }
            next.has_turns = true;
            "the turnstile is missing, and restored"
        });
    }
}

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        let unit = |seat: u8| Unit { seat, price: price(seat), is_kept: true, ..Unit::default() };
        State { units: [unit(0), unit(1)], paid: price(0) + price(1), moves: self.moves, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        (0..UNITS).for_each(|at| order(&mut steps, at));
        seats(&mut steps);
    }

    fn always(&self, state: &State) -> Option<Broken> {
        let worth: u8 = state.kept().map(|unit| unit.price).sum();
        if state.broken.is_some() {
            state.broken
        } else if state.owned() & state.blocked != 0 {
            Some(Broken::Oversell)
        } else if worth != state.paid {
            Some(Broken::Price)
        } else if state.units.iter().any(|unit| unit.let_in > 1) {
            Some(Broken::Twice)
        } else {
            state.has_turns.then_some(Broken::Turns)
        }
    }

    fn is_at_rest(&self, state: &State) -> bool {
        (state.unfreed, state.looked_at) == (0, 0)
    }

    fn picture(&self, state: &State) -> String {
        format!(
            "{:?} .{} worth {} | others {:03b}, blocked {:03b}, unfreed {:03b}",
            state.units, state.version, state.paid, state.others, state.blocked, state.unfreed
        )
    }
}

#[test]
fn what_is_paid_holds_in_small_worlds() {
    holds(&SMALL, 400_000);
}

#[test]
#[ignore = "minutes: make prove"]
fn what_is_paid_holds_in_larger_worlds() {
    holds(&LARGE, 12_000_000);
}

const NEEDED: &Needed<World, Rule> = &[
    (Rule::SplitIdHasVersion, SMALL, "Stuck"),
    (Rule::MoveKeepsPrice, SMALL, "Price"),
    (Rule::MoveCarriesAdmission, SMALL, "Twice"),
    (Rule::BlockIsClaim, SMALL, "Oversell"),
    (Rule::FreedAsClaimed, SMALL, "Turns"),
];

#[test]
fn every_rule_of_what_is_paid_is_needed() {
    each_is_needed(&ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
