mod checkout;
mod consumer;
mod explorer;
mod invariants;
mod ledger;
mod releaser;
mod restore;
mod rules;
mod scenarios;
mod state;
mod step;
mod sweeper;
mod turnstile;
mod world;

use std::time::Instant;

use crate::explorer::{Failure, explore};
use crate::rules::{Rule, Rules};
use crate::scenarios::{
    ABSENT, BORN, CLOSE, ENDED_LINE, GATHER, LARGE, LINE, MONEY, RAISE, SMALL, STALE, SWAP, TOLD,
};
use crate::state::Scenario;

/// With every rule on, everything holds; says how much was explored.
fn holds(scenario: &Scenario, states_max: usize) {
    let begun = Instant::now();
    let report = explore(scenario, states_max);
    if let Some(Failure { what, trace }) = report.failure {
        panic!("{}: {what}\n{}", scenario.name, trace.join("\n"));
    }
    println!(
        "{:28} {:9} states {:10} steps, {:3} deep, {:.1?}",
        scenario.name,
        report.states,
        report.steps,
        report.depth,
        begun.elapsed()
    );
}

#[test]
fn every_invariant_holds_in_small_worlds() {
    SMALL.iter().for_each(|scenario| holds(scenario, 1_000_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn every_invariant_holds_in_larger_worlds() {
    LARGE.iter().for_each(|scenario| holds(scenario, 40_000_000));
}

/// For each rule, a world in which the model fails without it, and what is broken first.
const NEEDED: &[(Rule, Scenario, &str)] = &[
    (Rule::ReleaseRepeats, LINE, "Order"),
    (Rule::RevisionCarried, GATHER, "Order"),
    (Rule::OldGenerationReads, BORN, "Calm"),
    (Rule::Chained, SWAP, "Authority"),
    (Rule::DoneIsExact, LINE, "Accepted"),
    (Rule::NeighboursFit, ENDED_LINE, "Order"),
    (Rule::BornInItsTurn, BORN, "Authority"),
    (Rule::AbsentRestores, ABSENT, "Stuck"),
    (Rule::EndedStays, LINE, "Accepted"),
    (Rule::NoticeFromRow, TOLD, "Told"),
    (Rule::TimeoutIsNoDecline, MONEY, "Money"),
    (Rule::PayingNamesPayment, MONEY, "Money"),
    (Rule::StandbyOutlastsHolds, CLOSE, "Idle"),
    (Rule::SweepsMissing, BORN, "Authority"),
    (Rule::SweepsGeneration, SWAP, "Authority"),
    (Rule::SweepsBehind, STALE, "Authority"),
    (Rule::SweepsChain, SWAP, "Authority"),
    (Rule::SweepsLostAnswer, RAISE, "Authority"),
    (Rule::OneRestorer, BORN, "Calm"),
    (Rule::HolderReads, LINE, "Calm"),
    (Rule::HolderCompares, BORN, "Calm"),
    (Rule::AheadIsInFlight, BORN, "Calm"),
    (Rule::ChainCarried, LINE, "Order"),
    (Rule::LedgerRaisesFirst, ABSENT, "Conservation"),
];

#[test]
fn every_rule_is_needed() {
    assert!(Rule::ALL.iter().all(|rule| NEEDED.iter().any(|(needed, ..)| needed == rule)), "every rule has a line");
    for (rule, scenario, broken) in NEEDED {
        let without = Scenario { rules: Rules::ALL.without(*rule), ..*scenario };
        let Some(Failure { what, trace }) = explore(&without, 1_000_000).failure else {
            panic!("without {rule}, {} still holds", scenario.name);
        };
        println!("== without {rule}: {what} is broken after {} steps ({})", trace.len() - 1, scenario.name);
        println!("{}\n", trace.join("\n"));
        assert_eq!(what, *broken, "without {rule}, in {}", scenario.name);
    }
}
