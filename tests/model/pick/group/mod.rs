//! The limit, and the transaction that picks share: two gateways, each with a group of picks, and buyers who pay.
//!
//! **What is modelled.** A gateway takes what has been asked of it into one transaction: it locks the map row, reads,
//! judges each pick in memory, commits, answers. A commit may fail. With a rule off, it reads before it locks, or locks what it
//! counts instead.
//!
//! **What is checked.** 4 (**Limit**, of what the sale gave, open and paid), that an answer is true when it is given
//! (**Answer**), that no pick fails for another one's (**Alone**), and that no two transactions wait for each other (**Deadlock**).

mod state;
mod transaction;

use crate::check::{Needed, each_is_needed, holds};
use crate::event::{Event, Events};
use crate::explorer::Model;

use state::{Broken, Has, Said, Stage, State};

const GATEWAYS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A transaction locks the map row before it reads anything. Off: it counts first, in its snapshot.
    LockFirst,
    /// … and nothing else. Off: it locks the rows that it counts instead, and so a gap between them.
    NoGapLock,
    /// The limit counts what is paid, too. Off: only what is open.
    LimitCountsPaid,
    /// Who is taken is judged under the lock. Off: units are claimed in one statement, which fails as a whole.
    JudgedUnderLock,
    /// All answers of a group are given after its commit. Off: a refusal at once.
    AnswersAfterCommit,
}

const ALL: [Rule; 5] =
    [Rule::LockFirst, Rule::NoGapLock, Rule::LimitCountsPaid, Rule::JudgedUnderLock, Rule::AnswersAfterCommit];

/// Of a buyer, at a gateway; all of these units or none.
#[derive(Debug, Clone, Copy)]
struct Pick {
    buyer: u8,
    gateway: usize,
    units: u8,
}

const fn pick(buyer: u8, gateway: usize, units: u8) -> Pick {
    Pick { buyer, gateway, units }
}

#[derive(Clone, Copy)]
struct World {
    name: &'static str,
    limit: u32,
    picks: &'static [Pick],
    /// Commits that fail.
    failures: u8,
    without: Option<Rule>,
}

/// One buyer in two tabs, and another one.
const TABS: World = World {
    name: "pick: limit",
    limit: 1,
    picks: &[pick(0, 0, 0b01), pick(0, 1, 0b10), pick(1, 1, 0b10)],
    failures: 0,
    without: None,
};

/// Two strangers and one buyer who comes back, in one group or in several.
const GROUP: World = World {
    name: "pick: group",
    limit: 2,
    picks: &[pick(0, 0, 0b001), pick(1, 0, 0b001), pick(1, 0, 0b110), pick(0, 1, 0b110)],
    failures: 1,
    ..TABS
};

const LARGE: World = World {
    name: "pick: group, other units",
    picks: &[pick(0, 0, 0b011), pick(1, 0, 0b100), pick(0, 1, 0b100), pick(1, 1, 0b001)],
    failures: 3,
    ..GROUP
};

type Steps<'a> = Events<'a, World, State>;

impl World {
    fn has(&self, rule: Rule) -> bool {
        self.without != Some(rule)
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
        State { failures: self.failures, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        for one in (0..self.picks.len()).filter(|one| state.said[*one] == Said::Unasked) {
            steps.add("Buyer", "asks for pick #", one, |next| {
                next.said[one] = Said::Asked;
                ""
            });
        }
        for buyer in (0..state.has.len()).filter(|buyer| state.has[*buyer].open != 0) {
            // A payment locks the map row as well.
            if state.lock.is_none() {
                steps.add("Buyer", "# pays", buyer, |next| {
                    let has = &mut next.has[buyer];
                    has.paid |= std::mem::take(&mut has.open);
                    ""
                });
            }
        }
        (0..GATEWAYS).for_each(|at| transaction::gateway(&mut steps, at));
    }

    fn always(&self, state: &State) -> Option<Broken> {
        let is_over = |has: &Has| (has.open | has.paid).count_ones() > self.limit;
        state.broken.or(state.has.iter().any(is_over).then_some(Broken::Limit))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        let is_answered = |said: &Said| !matches!(said, Said::Unasked | Said::Asked);
        state.said[..self.picks.len()].iter().all(is_answered)
            && state.transactions.iter().all(|transaction| transaction.stage == Stage::Idle)
    }

    fn picture(&self, state: &State) -> String {
        let lock = state.lock.map(|at| format!(" | locked by {}", at + 1)).unwrap_or_default();
        format!("{:?} | {:?}{lock}", state.has, &state.said[..self.picks.len()])
    }
}

#[test]
fn the_limit_holds_in_small_worlds() {
    [TABS, GROUP].iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn the_limit_holds_in_larger_worlds() {
    holds(&LARGE, 12_000_000);
}

const NEEDED: &Needed<World, Rule> = &[
    (Rule::LockFirst, TABS, "Limit"),
    (Rule::NoGapLock, TABS, "Deadlock"),
    (Rule::LimitCountsPaid, TABS, "Limit"),
    (Rule::JudgedUnderLock, GROUP, "Alone"),
    (Rule::AnswersAfterCommit, GROUP, "Answer"),
];

#[test]
fn every_rule_of_the_limit_is_needed() {
    each_is_needed(&ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
