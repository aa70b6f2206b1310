//! A hold that grows and shrinks while it is paid for: one buyer in two tabs, each with a checkout, a payment-consumer,
//! time, and a party that waits for whatever comes free.
//!
//! **What is modelled.** Every pick, drop and cancel is one transaction under the map row's lock, and so one step. A unit's
//! price is a bit of its own, so that an amount says which units it is for; units may cost nothing. A checkout reads
//! version and amount, takes the row and records its payment in one transaction, captures, settles; it may die between
//! any two. What ended is offered by a releaser, which may die as well.
//!
//! **What is checked.** In every state: 1 (**Oversell**), 7 (**Money**: a capture is its row's), 8 (**Deadline**: nothing is
//! held beyond its time), 11 (**TwoOpen**), 13 (**Price**), that a pick's answer is the truth (**Answer**), and that
//! no buyer keeps units unpaid for longer than a hold's time (**Time**). At rest 6 (**Idle**).
//!
//! **What is absent.** The limit and the group of a transaction (`group`), who of many waits for what (`standby`).

mod checkout;
mod rules;
mod state;
mod tabs;
mod world;
mod worlds;

use crate::check::{Needed, each_is_needed, holds};
use crate::event::Events;

use rules::Rule;
use state::State;
use worlds::{AGAIN, FREE, LARGE, PAYING, SMALL, WAITED_FOR, World};

type Steps<'a> = Events<'a, World, State>;

#[test]
fn a_hold_and_its_payment_hold_in_small_worlds() {
    SMALL.iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn a_hold_and_its_payment_hold_in_larger_worlds() {
    LARGE.iter().for_each(|world| holds(world, 12_000_000));
}

const NEEDED: &Needed<World, Rule> = &[
    (Rule::PaymentNamesVersion, PAYING, "Price"),
    (Rule::FreeNamesVersion, FREE, "Price"),
    (Rule::PayingIsFixed, PAYING, "Money"),
    (Rule::PayingNamesPayment, PAYING, "Money"),
    (Rule::MineIsGranted, PAYING, "Answer"),
    (Rule::OverdueLapsesFirst, PAYING, "Deadline"),
    (Rule::GrowingKeepsTime, AGAIN, "Time"),
    (Rule::AgainCountsAnyEnd, AGAIN, "Time"),
    (Rule::FreedWithOffer, WAITED_FOR, "Idle"),
];

#[test]
fn every_rule_of_a_hold_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
