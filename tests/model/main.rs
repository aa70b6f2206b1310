//! An executable model of the protocol: every interleaving of its workers, in worlds of a few attempts, a few units and a
//! fault or two. What is true here is true of the design, not yet of the code; the code follows the same steps.
//!
//! **What is modelled.** The turnstile as a state machine that keeps its answers; the ledger as transactions; the broker as
//! batches that come again until they are acknowledged. Consumers, releasers, the sweeper, checkouts with their payment
//! provider, the payment-consumer that voids, an operator who raises the capacity or gives back what was paid, unit by unit, or takes units out of sale, and a
//! restore by any of them. Each step is one call, to the ledger, the turnstile, the provider or the broker, and between any two
//! steps everybody else may act: a worker that sleeps for ever is a worker that crashed. Faults, each as often as the world's budget says: a worker crashes and forgets
//! what it had in hand, a consumer sleeps while another takes over and wakes late, the turnstile is wiped, the turnstile falls
//! back to any older state it was in, the restore lock is lost, a timer runs out too early.
//!
//! **What is checked.** By the design's numbers: in every state 1 (no oversell), 3 (accepted is answered, and no retry changes
//! it: an ended row stays ended, an acknowledged batch has its turn, ALREADY is true), 4 (limit), 7 (a capture stands: its
//! reservation names it), claims equal to holds; as it is written down 5 (order); as it is told 10. At rest, which is when no actor
//! has anything left to do: 2 (conservation), 5, 6 (no idle unit; in both, who was sent away by the sale counts as waiting, but for
//! units that were given back after that), 9 (authority). That from every state rest can be reached without a fault. And two more that rest needs under any schedule:
//! **Calm**, no restore that no fault called for, or two workers could restore each other's turnstile for ever; **Stuck**, no actor
//! waits for what will never come.
//!
//! **What is absent.** Time as a number: a hold runs out, an alarm comes or is forgotten, a timer ends at any moment. So 8 is
//! only the condition of an UPDATE. Publishers, sockets, several sales, the provider's part of a refund (an operator's is money that
//! goes back from the moment it is written; a capture that cannot stand is a broken invariant), refusals because standby is full but
//! for one world, answers the turnstile forgot, a broker that loses.
//!
//! **What it found**, beside the rules it was made to show; each is a rule here, and the code must keep it:
//! - `AheadIsInFlight`: who came for STALE and finds, under the lock, a turnstile that is merely ahead of the ledger, has found
//!   an answer on its way, not a disagreement. Otherwise two workers restore in turns.
//! - `ChainCarried`: a call carries the chain of the highest revision it knows, not only the number. A turnstile that fell back
//!   may be carried past that number by two releases that are not recorded yet; the next batch is then recorded over
//!   the gap, where no neighbour contradicts it, and a newcomer gets the unit of a party that waits in the ledger. The same
//!   question tells an answer on its way from a turnstile that went another way: ahead of the ledger, but not from its last turn.
//! - `LedgerRaisesFirst`: with the turnstile first, a unit of a raise can be handed out and recorded before the raise is, and the
//!   claims do not know that the sale has no such unit. And a raise that its generation's ledger has recorded is not asked again.
//! - A refused answer is not settled by a look at the highest revision alone: where a revision below it has no turn, turnstile
//!   and ledger do not agree (see `restore`), or the worker is refused for ever. For the same reason the sweeper looks for any
//!   revision without a turn, not only the turnstile's own.
//! - Turns cannot simply be made to wait for the turn before them: a consumer that records revisions 2 and 4 in one transaction and
//!   a releaser that has 3 would wait for each other.
//!
//! Two rules are covered by others, and their switches say what that costs: without `OldGenerationReads` taken by the letter the
//! holder's look would prevent the needless restore; without `AbsentRestores` the sweeper would find the answer that no actor
//! records, once it has been missing for long.
//!
//! Three parts have models of their own, which stand on the same explorer: the till, whose checkouts share transactions (`till`), the
//! turnstile in a consumer's memory while Redis is away (`fallback`), and sales whose units are picked by hand (`pick`).
//!
//! `make test` explores the small worlds, and each rule's world without its rule; `make prove` the larger ones. Read a
//! counter-example with `cargo test --test model every_rule -- --nocapture`.

mod check;
mod checkout;
mod consumer;
mod event;
mod explorer;
mod fallback;
mod invariants;
mod ledger;
mod pick;
mod releaser;
mod restore;
mod rules;
mod scenarios;
mod setting;
mod state;
mod step;
mod sweeper;
mod till;
mod turnstile;
mod work;
mod world;

use crate::check::{Needed, each_is_needed, holds};
use crate::rules::{Rule, Rules};
use crate::scenarios::{
    ABSENT, ADDED, BLOCK, BORN, CLOSE, COUNTER, ENDED_LINE, GATHER, GIVEN_BACK, LARGE, LINE, MONEY, RAISE, REFUND,
    SMALL, STALE, SWAP, TOLD,
};
use crate::state::Scenario;

#[test]
fn every_invariant_holds_in_small_worlds() {
    SMALL.iter().for_each(|scenario| holds(scenario, 1_000_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn every_invariant_holds_in_larger_worlds() {
    LARGE.iter().for_each(|scenario| holds(scenario, 12_000_000));
}

const NEEDED: &Needed<Scenario, Rule> = &[
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
    (Rule::StandbyOutlastsPayment, GIVEN_BACK, "Idle"),
    (Rule::StandbyOutlastsRaise, ADDED, "Idle"),
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
    (Rule::PartLeavesTheRest, REFUND, "Calm"),
    (Rule::PartIsItsOwners, REFUND, "Authority"),
    (Rule::PartIsUnfreed, REFUND, "Authority"),
    (Rule::DeniedIsUnfreed, BLOCK, "Authority"),
    (Rule::AnonymousNeverWaits, COUNTER, "Unheard"),
];

#[test]
fn every_rule_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |scenario, rule| Scenario { rules: Rules::ALL.without(rule), ..*scenario });
}
