//! A gateway's group, in one transaction: begin, judge, commit, or fail.

use super::state::{Broken, Has, Said, Stage, State, Transaction, taken};
use super::{GATEWAYS, Pick, Rule, Steps, World};

const NAMES: [&str; GATEWAYS] = ["Gateway 1", "Gateway 2"];

impl World {
    fn of(&self, picks: u8) -> impl Iterator<Item = (usize, &Pick)> {
        self.picks.iter().enumerate().filter(move |(at, _)| picks & (1 << at) != 0)
    }

    fn judge(&self, seen: &[Has; 2], taken: u8, pick: &Pick) -> Said {
        let Has { open, paid } = seen[pick.buyer as usize];
        let counted = if self.has(Rule::LimitCountsPaid) { open | paid } else { open };
        if (counted | pick.units).count_ones() > self.limit {
            Said::Limit
        } else if pick.units & taken & !(open | paid) != 0 {
            Said::Taken
        } else {
            Said::Granted
        }
    }
}

pub fn gateway(steps: &mut Steps, at: usize) {
    let (world, state) = (steps.world, steps.state);
    match state.transactions[at].stage {
        Stage::Idle => begin(steps, at),
        Stage::Begun if state.gaps != 0 => {
            let others = state.gaps & !(1 << at);
            let waits = |other: &usize| others & (1 << other) != 0 && state.transactions[*other].stage == Stage::Begun;
            if (0..GATEWAYS).any(|other| waits(&other)) {
                steps.add(NAMES[at], "waits for another one's gap, who waits for this one's", 0, |next| {
                    next.broken = Some(Broken::Deadlock);
                    ""
                });
            } else if others == 0 {
                steps.add(NAMES[at], "judges and writes", 0, |next| judge(world, next, at));
            }
        }
        Stage::Begun if state.lock.is_none() || state.lock == Some(at as u8) => {
            steps.add(NAMES[at], "judges and writes", 0, |next| {
                next.lock = Some(at as u8);
                judge(world, next, at)
            });
        }
        Stage::Begun => {}
        Stage::Judged => {
            steps.add(NAMES[at], "commits and answers", 0, |next| commit(world, next, at));
            if state.failures > 0 {
                steps.fault("the commit of gateway # fails", at + 1, |next| {
                    next.failures -= 1;
                    fail(world, next, at);
                });
            }
        }
    }
}

fn begin(steps: &mut Steps, at: usize) {
    let (world, state) = (steps.world, steps.state);
    let is_here = |one: usize| world.picks[one].gateway == at && state.said[one] == Said::Asked;
    let picks = (0..world.picks.len()).filter(|one| is_here(*one)).fold(0, |picks, one| picks | 1 << one);
    let locks = world.has(Rule::LockFirst) && world.has(Rule::NoGapLock);
    if picks == 0 || locks && state.lock.is_some() {
        return;
    }
    let what = match world.without {
        Some(Rule::LockFirst) => "begins a group, and counts in its snapshot",
        Some(Rule::NoGapLock) => "begins a group, and locks what it counts",
        _ => "begins a group, locks the map row, and reads",
    };
    steps.add(NAMES[at], what, 0, |next| {
        let seen = next.has;
        next.transactions[at] = Transaction { stage: Stage::Begun, picks, seen, ..Transaction::default() };
        if locks {
            next.lock = Some(at as u8);
        }
        if !world.has(Rule::NoGapLock) {
            next.gaps |= 1 << at;
        }
        ""
    });
}

/// The limit by what was read; what is taken by the claims, whose unique key is of now.
fn judge(world: &World, next: &mut State, at: usize) -> &'static str {
    let mut transaction = next.transactions[at];
    let (mut all, before) = (taken(&next.has), taken(&next.has));
    for (one, pick) in world.of(transaction.picks) {
        let said = world.judge(&transaction.seen, all, pick);
        if said == Said::Granted {
            transaction.seen[pick.buyer as usize].open |= pick.units;
            all |= pick.units;
        }
        transaction.said[one] = said;
        if said != Said::Granted && !world.has(Rule::AnswersAfterCommit) {
            next.said[one] = said;
        }
    }
    transaction.stage = Stage::Judged;
    let is = |said: Said| world.of(transaction.picks).any(|(one, _)| transaction.said[one] == said);
    if !world.has(Rule::JudgedUnderLock) && is(Said::Taken) && all != before {
        next.broken = Some(Broken::Alone);
        return "one unit of a statement is taken, and nobody gets any";
    }
    next.transactions[at] = transaction;
    ""
}

fn commit(world: &World, next: &mut State, at: usize) -> &'static str {
    let transaction = next.transactions[at];
    for (one, pick) in world.of(transaction.picks) {
        let said = transaction.said[one];
        if said == Said::Granted {
            let others = taken(&[next.has[1 - pick.buyer as usize], Has::default()]);
            if pick.units & others != 0 {
                next.broken = Some(Broken::Oversell);
            }
            next.has[pick.buyer as usize].open |= pick.units & !next.has[pick.buyer as usize].paid;
        }
        next.said[one] = said;
    }
    leave(next, at);
    check_answers(world, next, transaction.picks);
    ""
}

fn fail(world: &World, next: &mut State, at: usize) {
    let picks = next.transactions[at].picks;
    leave(next, at);
    check_answers(world, next, picks);
    for (one, _) in world.of(picks) {
        next.said[one] = Said::Fault;
    }
}

fn leave(next: &mut State, at: usize) {
    next.transactions[at] = Transaction::default();
    next.gaps &= !(1 << at);
    if next.lock == Some(at as u8) {
        next.lock = None;
    }
}

/// What has been refused is so in the ledger.
fn check_answers(world: &World, next: &mut State, picks: u8) {
    let is_true = |(one, pick): (usize, &Pick)| {
        let Has { open, paid } = next.has[pick.buyer as usize];
        match next.said[one] {
            Said::Taken => pick.units & taken(&next.has) & !(open | paid) != 0,
            Said::Limit => (open | paid | pick.units).count_ones() > world.limit,
            _ => true,
        }
    };
    if !world.of(picks).all(is_true) {
        next.broken = next.broken.or(Some(Broken::Answer));
    }
}
