//! Worlds, and everything put together into one model.

use crate::event::Event;
use crate::explorer::Model;

use super::ledger::{self, Steps};
use super::rules::Rule;
use super::state::{Broken, Budget, Picture, State};

#[derive(Clone, Copy)]
pub struct World {
    pub name: &'static str,
    pub gateways: usize,
    pub left: Budget,
    pub without: Option<Rule>,
}

impl World {
    pub fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

const NONE: Budget = Budget { moves: 3, losses: 0, cuts: 0, restores: 0, changes: 0, lags: 0 };

/// Notices pass each other, and two are lost.
pub const LATE: World = World { name: "map: late", gateways: 1, left: Budget { losses: 2, ..NONE }, without: None };

/// The log is cut off, and a replica lags.
pub const LOG: World = World { name: "map: log", left: Budget { losses: 1, cuts: 1, lags: 1, ..NONE }, ..LATE };

/// A client goes from one gateway to the other and back.
pub const CLIENT: World =
    World { name: "map: client", gateways: 2, left: Budget { moves: 2, losses: 1, changes: 2, ..NONE }, ..LATE };

/// The ledger is restored as it was.
pub const RESTORED: World = World { name: "map: restored", left: Budget { restores: 1, ..NONE }, ..LATE };

pub const SMALL: &[World] = &[LATE, LOG, CLIENT, RESTORED];

/// For `make prove`.
pub const LARGE: &[World] = &[
    World {
        name: "map: everything, one gateway",
        left: Budget { moves: 4, losses: 2, cuts: 1, restores: 1, changes: 0, lags: 1 },
        ..LATE
    },
    World { name: "map: client, and a restore", left: Budget { moves: 3, restores: 1, ..CLIENT.left }, ..CLIENT },
];

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        State { history: vec![0], left: self.left, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        ledger::moves(&mut steps);
        ledger::notices(&mut steps);
        (0..self.gateways).for_each(|gateway| ledger::asks(&mut steps, gateway));
        client(&mut steps);
        faults(&mut steps);
    }

    fn always(&self, state: &State) -> Option<Broken> {
        let is_true =
            |has: &Picture| has.epoch != state.epoch || state.history.get(has.revision as usize) == Some(&has.seats);
        let mut pictures = state.gateways[..self.gateways].iter().chain([&state.client]);
        // What a history that was taken back said of its numbers is known to nobody any more, unless it has an epoch.
        let can_be_known = self.has(Rule::EpochRaised);
        state.broken.or((can_be_known && !pictures.all(is_true)).then_some(Broken::Truth))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        let has_asked = |gateway: &Picture| gateway.number() >= state.now().number() || !self.has(Rule::RevisionAsked);
        state.left.moves == 0
            && state.notices.is_empty()
            && state.half_read.is_none()
            && state.gateways[..self.gateways].iter().all(has_asked)
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        let seats = state.now().seats;
        state.gateways[..self.gateways].iter().any(|gateway| gateway.seats != seats).then_some(Broken::Truth)
    }

    fn picture(&self, state: &State) -> String {
        let text = |its: &Picture| format!("{}.{} {:02b}", its.epoch, its.revision, its.seats);
        let mut line = format!("ledger {}, log from .{}", text(&state.now()), state.log_from);
        for gateway in &state.gateways[..self.gateways] {
            line += &format!(" | gateway {}", text(gateway));
        }
        let notices = state.notices.iter().map(|notice| format!("{}.{}", notice.epoch, notice.revision));
        line += &format!(" | on the way {}", notices.collect::<Vec<_>>().join(" "));
        line + &format!(" | client at {}: {}", state.at + 1, text(&state.client))
    }
}

/// Gets what its gateway has, in its turn.
fn client(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if world.gateways < 2 {
        return;
    }
    let has = state.gateways[state.at as usize];
    let is_less = has.number() < state.client.number();
    if !(is_less && world.has(Rule::NobodyAnswersWithLess)) {
        steps.add("Client", "is told by its gateway", 0, |next| {
            next.client = has;
            if is_less {
                next.broken = Some(Broken::Back);
            }
            ""
        });
    }
    if state.left.changes > 0 {
        steps.add("Client", "goes to the other gateway", 0, |next| {
            next.left.changes -= 1;
            next.at = 1 - next.at;
            ""
        });
    }
}

fn faults(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.left.cuts > 0 && state.log_from < state.revision() {
        steps.add("Ledger", "the log is cut off", 0, |next| {
            next.left.cuts -= 1;
            next.log_from += 1;
            ""
        });
    }
    if state.left.restores > 0 && state.revision() > state.log_from {
        steps.fault("the ledger is restored as it was one move ago", 0, |next| {
            next.left.restores -= 1;
            next.history.pop();
            next.epoch += u8::from(world.has(Rule::EpochRaised));
        });
    }
}
