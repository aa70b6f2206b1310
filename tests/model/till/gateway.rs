//! A gateway's two groups, each one transaction for all who are there: what begins, and what finishes.

use super::rules::Rule;
use super::state::{Answer, Broken, CHECKOUTS, Claim, Row, Standing, State, Work, Written};
use super::worlds::World;
use super::{GATEWAY_NAMES, Steps};

pub fn steps(steps: &mut Steps, gateway: usize) {
    let (world, who) = (steps.world, GATEWAY_NAMES[gateway]);
    let at = |state: &State, is: fn(Work) -> bool| -> Vec<usize> {
        let here = |c: &usize| world.checkouts.get(*c).is_some_and(|checkout| checkout.gateway == gateway);
        (0..CHECKOUTS).filter(here).filter(|c| is(state.work[*c])).collect()
    };
    let waiting = at(steps.state, |work| work == Work::Waiting);
    let group = at(steps.state, |work| matches!(work, Work::Planned { .. }));
    let captured = at(steps.state, |work| work == Work::Finish);
    if group.is_empty() && !waiting.is_empty() {
        steps.add(who, "reads what a group of # asks for", waiting.len(), |next| {
            waiting.iter().for_each(|checkout| plan(world, next, *checkout));
            ""
        });
    }
    if !group.is_empty() {
        steps.add(who, "begins a group of #", group.len(), |next| begin(world, next, &group));
    }
    if !captured.is_empty() {
        steps.add(who, "finishes a group of #", captured.len(), |next| {
            captured.iter().for_each(|checkout| finish(world, next, *checkout));
            ""
        });
    }
}

fn plan(world: &World, next: &mut State, checkout: usize) {
    let row = next.rows[world.checkouts[checkout].hold];
    let is_payable = row.standing == Standing::Held && !row.overdue;
    next.work[checkout] = Work::Planned { says: (!is_payable).then(|| as_it_stands(&row)) };
}

fn as_it_stands(row: &Row) -> Answer {
    match row.standing {
        Standing::Confirmed => Answer::Order(row.payment),
        Standing::Paying => Answer::Paying,
        Standing::Held | Standing::Lapsed => Answer::Lapsed,
    }
}

/// Undone where one cannot be written, and then written one by one.
fn begin(world: &World, next: &mut State, group: &[usize]) -> &'static str {
    let is_bad = |checkout: &usize| world.unwritable & (1 << checkout) != 0;
    let locked = next.rows;
    let fails = group.iter().any(is_bad);
    for &checkout in group {
        if is_bad(&checkout) || fails && !world.has(Rule::OneFailsAlone) {
            if !is_bad(&checkout) {
                next.broken = Some(Broken::Alone);
            }
            next.work[checkout] = Work::Told(Answer::Fault);
        } else {
            begin_one(world, next, checkout, &locked);
        }
    }
    if fails { "one cannot be written" } else { "" }
}

fn begin_one(world: &World, next: &mut State, checkout: usize, locked: &[Row]) {
    let Work::Planned { says } = next.work[checkout] else { return };
    let super::worlds::Checkout { hold, key, .. } = world.checkouts[checkout];
    if world.has(Rule::RequestIsClaimed) {
        match next.claims[key] {
            Claim::Free => next.claims[key] = Claim::Taken(checkout as u8),
            Claim::Taken(_) => return next.work[checkout] = Work::Told(Answer::InFlight),
            Claim::Kept(answer) => return next.work[checkout] = Work::Told(answer),
        }
    }
    if let Some(answer) = says {
        next.work[checkout] = Work::Say(answer);
        return;
    }
    let is_free = world.free & (1 << hold) != 0;
    if !world.has(Rule::TakenBeforeAsked) && !is_free {
        next.written[checkout] = Written::Recorded;
        next.work[checkout] = Work::Open;
        return;
    }
    // What was read said that it can be paid.
    let row = if world.has(Rule::JudgedInOrder) { next.rows[hold] } else { locked[hold] };
    let is_held = row.standing == Standing::Held || !world.has(Rule::RowAsLocked);
    let is_in_time = !row.overdue || !world.has(Rule::TimeAsLocked);
    if !is_held || !is_in_time {
        next.work[checkout] = Work::Say(as_it_stands(&row));
        return;
    }
    if row.overdue {
        next.broken = Some(Broken::Deadline);
    }
    if !is_free {
        next.rows[hold].becomes(Standing::Paying, checkout);
        next.written[checkout] = Written::Recorded;
        next.work[checkout] = Work::Open;
        return;
    }
    next.rows[hold].becomes(Standing::Confirmed, checkout);
    if world.has(Rule::FreeIsCaptured) {
        next.written[checkout] = Written::Captured;
        keep(world, next, checkout, Answer::Order(checkout as u8));
        next.work[checkout] = Work::Told(Answer::Order(checkout as u8));
    } else {
        next.work[checkout] = Work::Note;
    }
}

/// Where the row is still being paid with it, the order and the request's answer.
fn finish(world: &World, next: &mut State, checkout: usize) {
    let row = &mut next.rows[world.checkouts[checkout].hold];
    let order = Answer::Order(checkout as u8);
    let is_named = row.names(checkout) || !world.has(Rule::PayingNamesPayment);
    match row.standing {
        Standing::Paying if is_named => {
            row.becomes(Standing::Confirmed, checkout);
            next.written[checkout] = Written::Captured;
            keep(world, next, checkout, order);
            next.work[checkout] = Work::Told(order);
        }
        // The payment-consumer wrote it.
        Standing::Confirmed if row.names(checkout) => next.work[checkout] = Work::Say(order),
        // The money would have to go back.
        _ => next.broken = Some(Broken::Money),
    }
}

/// What a request is answered from now on; or, where nothing definite came of it, its key is free again.
pub fn keep(world: &World, next: &mut State, checkout: usize, answer: Answer) {
    let claim = &mut next.claims[world.checkouts[checkout].key];
    let is_its = *claim == Claim::Taken(checkout as u8);
    if is_its && !answer.is_definite() {
        *claim = Claim::Free;
    }
    let claims = world.has(Rule::RequestIsClaimed) && world.has(Rule::OverIsOver);
    if answer.is_definite() && (is_its || !claims) {
        if matches!(*claim, Claim::Kept(kept) if kept != answer) {
            next.broken = Some(Broken::Once);
        }
        *claim = Claim::Kept(answer);
    }
}
