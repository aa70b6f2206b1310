//! The fallback turnstile: Redis is away for long, and the consumer that has the sale's partition restores its
//! turnstile into its own memory, as the next generation, until Redis has been well for long enough.
//!
//! **What is modelled.** Two consumers of one sale, a payment-consumer that knows Redis alone, turnstile and ledger
//! in small (an attempt is for one unit, and a batch of its own; a revision and its chain are the causes so far). Who
//! falls back writes, in the restore's transaction, a lease on the sale's row: by whom, until when. It renews it
//! while it is the active one, releases what has ended by itself, and gives the lease back when it stops or goes
//! back. Faults: Redis away for all or for one consumer, emptied, or back as it was at any earlier moment; the broker
//! makes another consumer active, a worker dies or sleeps between any two steps, stands still for good with its
//! connections open, loses the lock; a lease ends too early, a clock runs far ahead.
//!
//! **What is checked.** In every state 1 (no unit twice, no more than there are), 3 (what is acknowledged has its
//! outcome), 5 (order), 10 as far as publishers are told that a sale is exhausted (**Told**), and **Calm**. At rest,
//! with Redis or while it stays away, 6 and 9. That from every state rest can be reached without a fault (**rest**).
//!
//! **What it shows.** Leases are for calm, not for safety: without them two workers restore for each other for ever,
//! and the generation, which every record compares, is what keeps their answers apart. A lease that ends too early
//! costs restores and nothing else. What no counter-example asks for, and is therefore no rule here: that the lease
//! is given back (it runs out), that the memory is dropped before and not after the way back (it is of an older
//! generation by then).
//!
//! **What is absent.** Time as a number: "for long" is any moment, and that a lease is over or renewed are steps. The
//! lock and the look of an ordinary restore are one step; their own interleavings are the kernel's model. Several
//! sales of one partition.

mod consumer;
mod invariants;
mod ledger;
mod payer;
mod picture;
mod restore;
mod rules;
mod state;
mod turnstile;
mod work;
mod world;
mod worlds;

use crate::check::{Needed, each_is_needed, holds};
use crate::event::Events;

use rules::Rule;
use state::{SLOTS, State};
use worlds::{FEED, FROZEN, LARGE, LASTING, ONE_SIDED, SMALL, TAKEOVER, WIPED, World};

const NAMES: [&str; SLOTS] = ["Consumer 1", "Consumer 2", "Payment-consumer"];

type Steps<'a> = Events<'a, World, State>;

#[test]
fn fallback_holds_in_small_worlds() {
    SMALL.iter().for_each(|world| holds(world, 400_000));
}

#[test]
#[ignore = "minutes: make prove"]
fn fallback_holds_in_larger_worlds() {
    LARGE.iter().for_each(|world| holds(world, 12_000_000));
}

const REST: &str = "rest: from here no state at rest can be reached";

const NEEDED: &Needed<World, Rule> = &[
    (Rule::NextGeneration, WIPED, "Authority"),
    (Rule::RecordCompares, TAKEOVER, "Authority"),
    (Rule::OneActive, TAKEOVER, "Order"),
    (Rule::PartitionsStay, TAKEOVER, "Order"),
    (Rule::OldMemoryIsNone, TAKEOVER, "Calm"),
    (Rule::LeaseIsLeft, ONE_SIDED, "Calm"),
    (Rule::LeaseEnds, WIPED, REST),
    (Rule::LeaseByLedgerTime, FROZEN, REST),
    (Rule::LockWhileRestoring, FROZEN, REST),
    (Rule::ReleasesItself, LASTING, REST),
    (Rule::ReturnRestores, TAKEOVER, "Calm"),
    (Rule::OtherGenerationIsNone, FEED, "Told"),
];

#[test]
fn every_rule_of_the_fallback_is_needed() {
    each_is_needed(&Rule::ALL, NEEDED, |world, rule| World { without: Some(rule), ..*world });
}
