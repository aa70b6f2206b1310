//! What a world is made of: its attempts, its workers, what may go wrong and how often.

use crate::rules::Rules;
use crate::state::R;

/// How often something may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    pub crashes: u8,
    pub takeovers: u8,
    pub wipes: u8,
    pub failovers: u8,
    /// A timer that runs out although a process is only slow.
    pub hasty: u8,
    pub raises: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Consumer,
    /// The payment-consumer's part that releases what has ended.
    Releaser,
    Sweeper,
    /// The gateway's checkout.
    Checkout,
    /// The payment-consumer's part that resolves stuck and orphaned payments.
    Payer,
    /// Raises the capacity by one, once.
    Raiser,
}

/// An attempt: its batch, its buyer, how many units.
pub type Attempt = (u8, u8, u8);

/// Bounds. The bit sets are of reservations.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub attempts: &'static [Attempt],
    pub capacity: u8,
    pub standby_max: usize,
    pub slots: &'static [Kind],
    /// That many batches were decided, recorded and acknowledged before the exploration starts.
    pub decided: u8,
    /// These were cancelled by then, and are not freed.
    pub cancelled: u8,
    pub left: Budget,
    /// May the buyer cancel it, run out of time, pay for it?
    pub cancels: u8,
    pub lapses: u8,
    pub pays: u8,
    /// These were paid for before the exploration starts.
    pub paid: u8,
    /// Of what is paid, an operator may give back one unit, and then the rest.
    pub refunds: bool,
    /// These are the house's: what they hold is out of sale until it is cancelled, and they never wait.
    pub house: u8,
    /// These would not wait: nobody could tell their buyers anything later.
    pub anonymous: u8,
    pub closes: bool,
    /// Standby ends when everything is paid, as the operator wished.
    pub until_paid: bool,
    /// Notices are steps.
    pub tells: bool,
    /// Releases may travel two in a call.
    pub pairs: bool,
    /// The consumer may ask for a second batch before it records the first, and records them together.
    pub gathers: bool,
    /// The sweeper looks at any time, not only when there is something to see.
    pub sweeps_always: bool,
    pub rules: Rules,
}

impl Scenario {
    pub fn batch(&self, batch: u8) -> impl Iterator<Item = usize> + '_ {
        (0..self.attempts.len()).filter(move |r| self.attempts[*r].0 == batch)
    }

    pub fn batches(&self) -> u8 {
        self.attempts.iter().map(|a| a.0 + 1).max().unwrap_or(0)
    }

    pub fn buyer(&self, reservation: usize) -> u8 {
        self.attempts[reservation].1
    }

    pub fn quantity(&self, reservation: usize) -> u32 {
        u32::from(self.attempts[reservation].2)
    }

    /// The row that a paid reservation's unit becomes when it goes back alone: one beyond the attempts.
    pub fn split_of(&self, reservation: usize) -> Option<usize> {
        let split = R - 1 - reservation;
        (self.refunds && in_set(self.paid, reservation) && split >= self.attempts.len()).then_some(split)
    }

    /// The reservation that a row was split from.
    pub fn whole_of(&self, split: usize) -> Option<usize> {
        self.reservations().find(|whole| self.split_of(*whole) == Some(split))
    }

    pub fn reservations(&self) -> std::ops::Range<usize> {
        0..self.attempts.len()
    }
}

pub fn in_set(set: u8, reservation: usize) -> bool {
    set & (1 << reservation) != 0
}
