//! Standby by areas: parties wait for seats in areas that would do, as many, together or not, in order of arrival.
//!
//! **What is modelled.** Three seats beside each other, the third of an area of its own; holds that end or are paid for,
//! parties that ask, are offered seats, and let the offer lapse; a hand on the map that picks whatever is open to all. Asking
//! and offering run the chooser under the map row's lock, and are one step; with that rule off they read before.
//!
//! **What is checked.** In every state 1 (**Oversell**), 5 (**Order**), and that no row spoils the offers of others
//! (**Alone**). At rest 6 (**Idle**: the chooser can serve no party) and that nobody waits for what never comes
//! (**Stuck**). That rest can be reached, which where others are always quicker is a rest in which nobody waits.

mod chooser;
mod ledger;
mod rules;
mod state;
mod world;
mod worlds;

use crate::check::{Needed, each_is_needed, holds};
use crate::event::Events;

use rules::Rule;
use state::State;
use worlds::{HASTE, LARGE, LINE, OVER, PAID, SMALL, TOGETHER, World};

type Steps<'a> = Events<'a, World, State>;

#[test]
fn standby_by_areas_holds_in_small_worlds() {
    SMALL.iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn standby_by_areas_holds_in_larger_worlds() {
    LARGE.iter().for_each(|world| holds(world, 12_000_000));
}

const REST: &str = "rest: from here no state at rest can be reached";

const NEEDED: &Needed<World, Rule> = &[
    (Rule::LockFirst, TOGETHER, "Idle"),
    (Rule::JoiningChooses, TOGETHER, "Idle"),
    (Rule::FreedWithOffer, LINE, "Idle"),
    (Rule::RestStaysUnfreed, LINE, "Idle"),
    (Rule::InOrder, LINE, "Order"),
    (Rule::OpenIsPassedOver, OVER, "Alone"),
    (Rule::NeverFitsIsEnded, OVER, "Stuck"),
    (Rule::PaidIsOffered, PAID, "Idle"),
    (Rule::FreedIsForParties, HASTE, REST),
];

#[test]
fn every_rule_of_standby_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
