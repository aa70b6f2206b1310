//! What a buyer's page knows of his rows: notices that pass each other or are lost, and a read that may be late itself.
//!
//! **What is checked.** At rest the page has each row as the ledger has it (10: **Told**).

use crate::check::{Needed, each_is_needed, holds};
use crate::event::{Event, Events};
use crate::explorer::Model;

/// Rows of one buyer: an order, and the hold after it. How often each may still move.
const ROWS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// Of one row the newer version stands. Off: what arrives last.
    VersionOrders,
    /// A status is a set of rows, each ordered by itself. Off: a page that knows a younger row drops what comes of an
    /// older one.
    StatusIsASet,
    /// The page reads again once in a while. Off: it lives on notices alone.
    ReadsAgain,
}

const ALL: [Rule; 3] = [Rule::VersionOrders, Rule::StatusIsASet, Rule::ReadsAgain];

#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    moves: u8,
    losses: u8,
    without: Option<Rule>,
}

const SMALL: World = World { name: "pick: status", moves: 3, losses: 1, without: None };

const LARGE: World = World { name: "pick: status, longer", moves: 6, losses: 2, without: None };

type Versions = [u8; ROWS];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct State {
    ledger: Versions,
    page: Versions,
    /// Bits by version: of each row, notices on their way.
    notices: [u8; ROWS],
    /// An answer on its way.
    read: Option<Versions>,
    moves: u8,
    losses: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Broken {
    Told,
}

impl World {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }

    fn hear(&self, page: &mut Versions, row: usize, version: u8) {
        let is_older_row = page[row + 1..].iter().any(|version| *version != 0);
        if is_older_row && !self.has(Rule::StatusIsASet) {
            return;
        }
        if version > page[row] || !self.has(Rule::VersionOrders) {
            page[row] = version;
        }
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
        State { moves: self.moves, losses: self.losses, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Events { world: self, state, out };
        for row in 0..ROWS {
            if state.moves > 0 {
                steps.add("Ledger", "moves r#", row, |next| {
                    next.moves -= 1;
                    next.ledger[row] += 1;
                    next.notices[row] |= 1 << next.ledger[row];
                    ""
                });
            }
            for version in (1..8).filter(|version| state.notices[row] & (1 << version) != 0) {
                steps.add("Page", "hears of r#", row, |next| {
                    next.notices[row] &= !(1 << version);
                    self.hear(&mut next.page, row, version);
                    ""
                });
                if state.losses > 0 {
                    steps.fault("a notice of r# is lost", row, |next| {
                        next.losses -= 1;
                        next.notices[row] &= !(1 << version);
                    });
                }
            }
        }
        if state.read.is_none() && self.has(Rule::ReadsAgain) {
            steps.add("Gateway", "reads the buyer's rows for the page", 0, |next| {
                next.read = Some(next.ledger);
                ""
            });
        }
        if let Some(read) = state.read {
            steps.add("Page", "gets what was read", 0, |next| {
                next.read = None;
                (0..ROWS).for_each(|row| self.hear(&mut next.page, row, read[row]));
                ""
            });
        }
    }

    fn always(&self, _: &State) -> Option<Broken> {
        None
    }

    /// Nothing is on its way, and, where the page reads, it has read since.
    fn is_at_rest(&self, state: &State) -> bool {
        let is_quiet = state.moves == 0 && state.notices == [0; ROWS] && state.read.is_none();
        is_quiet && (state.losses == self.losses || !self.has(Rule::ReadsAgain) || state.page == state.ledger)
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        (state.page != state.ledger).then_some(Broken::Told)
    }

    fn picture(&self, state: &State) -> String {
        format!("{state:?}")
    }
}

#[test]
fn a_status_is_true_in_the_end() {
    holds(&SMALL, 400_000);
}

#[test]
#[ignore = "minutes: make prove"]
fn a_status_is_true_in_the_end_of_longer_histories() {
    holds(&LARGE, 12_000_000);
}

const NEEDED: &Needed<World, Rule> =
    &[(Rule::VersionOrders, SMALL, "Told"), (Rule::StatusIsASet, SMALL, "Told"), (Rule::ReadsAgain, SMALL, "Told")];

#[test]
fn every_rule_of_a_status_is_needed() {
    each_is_needed(&ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
