//! The till: checkouts that are at one gateway at the same time share its transactions, two groups with the provider
//! between them.
//!
//! **What is modelled.** Two gateways, a payment-consumer, two holds, up to three checkouts, each with a request's key
//! and a payment of its own. A group is read, and then begun in one transaction: requests claimed, payments recorded,
//! rows moved from Held to Paying, each by its own condition. Each checkout then opens and captures by itself; what
//! was captured is finished by groups, and a decline is written alone. Whatever is left over is voided by the
//! payment-consumer. What costs nothing is confirmed where others begin. Faults: a gateway dies with all it has in
//! hand, the payment-consumer dies; the provider does not answer, and its effect comes late or never; a claim ends
//! while its holder is only slow; one of a group cannot be written.
//!
//! **What is checked.** In every state 7 (**Money**: a capture is named by its hold, so that a hold is charged once,
//! and no refund is ever needed), 8 (**Deadline**: none begins late), **TwoAtOnce** (one checkout of a hold at a time
//! asks the provider), **Alone** (one that fails fails alone), **Once** (what was kept of a request stays). At rest 7
//! (an order has its captured payment). That from every state rest can be reached without a fault.
//!
//! **What is absent.** How often a card is declined; refunds by an operator; a void that is not answered, which is
//! one that was not asked.

mod checkout;
mod gateway;
mod invariants;
mod payer;
mod rules;
mod state;
mod world;
mod worlds;

use crate::check::{Needed, each_is_needed, holds};
use crate::event::Events;

use rules::Rule;
use state::{GATEWAYS, State};
use worlds::{FACE, FREE, GROUPS, LARGE, LATE, ONE_HOLD, SMALL, TWICE, UNWRITABLE, World};

const GATEWAY_NAMES: [&str; GATEWAYS] = ["Gateway 0", "Gateway 1"];

type Steps<'a> = Events<'a, World, State>;

#[test]
fn the_till_holds_in_small_worlds() {
    SMALL.iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn the_till_holds_in_larger_worlds() {
    LARGE.iter().for_each(|world| holds(world, 12_000_000));
}

const NEEDED: &Needed<World, Rule> = &[
    (Rule::VoidIsFinal, LATE, "Money"),
    (Rule::TakenBeforeAsked, GROUPS, "TwoAtOnce"),
    (Rule::RowAsLocked, GROUPS, "Money"),
    (Rule::TimeAsLocked, GROUPS, "Deadline"),
    (Rule::JudgedInOrder, ONE_HOLD, "Money"),
    (Rule::PayingNamesPayment, GROUPS, "Money"),
    (Rule::TimeoutIsNoDecline, LATE, "Money"),
    (Rule::OneFailsAlone, UNWRITABLE, "Alone"),
    (Rule::RequestIsClaimed, TWICE, "Once"),
    (Rule::OverIsOver, TWICE, "Once"),
    (Rule::FreeIsCaptured, FREE, "Money"),
    (Rule::CallerIsThere, FACE, "Unasked"),
];

#[test]
fn every_rule_of_the_till_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
