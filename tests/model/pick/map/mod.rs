//! The live map: the ledger's revisions and log, notices on their way to two gateways, and a client that moves between them.
//!
//! **What is modelled.** Every move of a seat takes the next revision and writes it into a short log. A gateway has
//! (epoch, revision) and the seats; a notice is a seat's absolute state at a revision. Notices pass each other and are lost,
//! a gateway reads from a replica that lags, the log is cut off, the ledger is restored as it was one move earlier.
//!
//! **What is checked.** In every state no revision goes back, at a gateway or a client (12: **Back**), and who has a
//! revision has its seats (**Truth**). At rest a gateway has the ledger's seats (**Truth**).
//!
//! **What is absent.** Time: that a gateway asks twice a second is a step that may come at any moment.

mod ledger;
mod rules;
mod state;
mod world;

use crate::check::{Needed, each_is_needed, holds};

use rules::Rule;
use world::{CLIENT, LARGE, LATE, LOG, RESTORED, SMALL, World};

#[test]
fn the_live_map_holds_in_small_worlds() {
    SMALL.iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn the_live_map_holds_in_larger_worlds() {
    LARGE.iter().for_each(|world| holds(world, 12_000_000));
}

const NEEDED: &Needed<World, Rule> = &[
    (Rule::RevisionOrders, LATE, "Truth"),
    (Rule::GapReads, LATE, "Truth"),
    (Rule::RevisionAsked, LATE, "Truth"),
    (Rule::CutLogIsNoLog, LOG, "Truth"),
    (Rule::OneSnapshot, LOG, "Truth"),
    (Rule::ReadsNoLess, LOG, "Back"),
    (Rule::NobodyAnswersWithLess, CLIENT, "Back"),
    (Rule::EpochRaised, RESTORED, "Truth"),
];

#[test]
fn every_rule_of_the_live_map_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
