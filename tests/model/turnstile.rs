//! The turnstile of the model: the same decisions as the real one, in arrays.
//!
//! Between calls no unit is free while a standby party fits. A call that answers STALE changes nothing.

use crate::rules::Rule;
use crate::state::{
    ALREADY, Answer, CAUSES, Core, Known, R, RAISE, REFUSED, STANDBY, Scenario, TAKEN, Turnstile, U, in_set, release_of,
};

/// The generation of the turnstile that would not answer; 0 when it is missing.
pub struct Stale(pub u8);

impl Core {
    pub fn free(&self) -> u32 {
        self.owner[..self.capacity as usize].iter().filter(|o| **o == 0).count() as u32
    }

    pub fn waiting(&self) -> impl Iterator<Item = usize> + '_ {
        self.standby.iter().take_while(|r| **r != 0).map(|r| *r as usize - 1)
    }

    pub fn wait(&mut self, reservation: usize) {
        let end = self.waiting().count();
        self.standby[end] = reservation as u8 + 1;
    }

    fn knows(&self, scenario: &Scenario, buyer: u8) -> bool {
        let holders = self.owner.iter().filter(|o| **o != 0).map(|o| *o as usize - 1);
        holders.chain(self.waiting()).any(|r| scenario.buyer(r) == buyer)
    }

    fn take(&mut self, reservation: usize, quantity: u32) -> u8 {
        let mut units = 0;
        for unit in 0..self.capacity as usize {
            if self.owner[unit] == 0 && units_count(units) < quantity {
                self.owner[unit] = reservation as u8 + 1;
                units |= 1 << unit;
            }
        }
        TAKEN | units
    }

    fn decide(&mut self, scenario: &Scenario, reservation: usize) -> u8 {
        let quantity = scenario.quantity(reservation);
        if self.knows(scenario, scenario.buyer(reservation)) {
            ALREADY
        } else if self.free() >= quantity {
            self.take(reservation, quantity)
        } else if self.waiting().count() < scenario.standby_max && would_wait(scenario, reservation) {
            self.wait(reservation);
            STANDBY
        } else {
            REFUSED
        }
    }

    /// Gives what is free to the first parties that fit.
    pub fn promote(&mut self, scenario: &Scenario) -> [u8; R] {
        let mut said = [0; R];
        loop {
            let fits = self.waiting().find(|r| scenario.quantity(*r) <= self.free());
            let Some(party) = fits else { return said };
            self.leave(party);
            said[party] = self.take(party, scenario.quantity(party));
        }
    }

    fn leave(&mut self, reservation: usize) {
        let place = self.waiting().position(|r| r == reservation);
        if let Some(at) = place {
            self.standby.copy_within(at + 1.., at);
            self.standby[R - 1] = 0;
        }
    }

    /// Of a reservation that keeps its others.
    fn release_part(&mut self, scenario: &Scenario, reservation: usize, units: u8) -> [u8; R] {
        for unit in 0..U {
            let asked = units & (1 << unit) != 0 || !scenario.rules.has(Rule::PartLeavesTheRest);
            let its = self.owner[unit] == reservation as u8 + 1 || !scenario.rules.has(Rule::PartIsItsOwners);
            if asked && its {
                self.owner[unit] = 0;
            }
        }
        self.promote(scenario)
    }

    fn release(&mut self, scenario: &Scenario, reservation: usize) -> [u8; R] {
        for unit in 0..U {
            if self.owner[unit] == reservation as u8 + 1 {
                self.owner[unit] = 0;
            }
        }
        self.leave(reservation);
        self.promote(scenario)
    }
}

fn would_wait(scenario: &Scenario, reservation: usize) -> bool {
    !in_set(scenario.anonymous, reservation) || !scenario.rules.has(Rule::AnonymousNeverWaits)
}

pub fn units_count(said: u8) -> u32 {
    (said & 0x0f).count_ones()
}

impl Turnstile {
    /// Nothing is known of the sale.
    pub fn wiped() -> Self {
        Self::default()
    }

    pub fn restored(generation: u8, core: Core) -> Self {
        Self { generation, core, arrived: core.waiting().count() as u8, ..Self::default() }
    }

    /// It went through that revision, and with another chain.
    pub fn contradicts(&self, (revision, chain): Known) -> bool {
        self.kept.iter().any(|kept| kept.revision != 0 && kept.revision == revision && kept.chain != chain)
    }

    fn checked(&self, scenario: &Scenario, generation: u8, known: Known) -> Result<(), Stale> {
        let behind = scenario.rules.has(Rule::RevisionCarried) && self.revision < known.0;
        let other = scenario.rules.has(Rule::ChainCarried) && self.contradicts(known);
        if self.generation == 0 || self.generation != generation || behind || other {
            return Err(Stale(self.generation));
        }
        Ok(())
    }

    pub fn reserve(&mut self, scenario: &Scenario, batch: u8, generation: u8, known: Known) -> Result<Answer, Stale> {
        self.checked(scenario, generation, known)?;
        let kept = self.kept[batch as usize];
        if kept.revision != 0 {
            return Ok(kept);
        }
        let mut said = [0; R];
        for reservation in scenario.batch(batch) {
            said[reservation] = self.core.decide(scenario, reservation);
            if said[reservation] == STANDBY {
                self.arrived += 1;
                said[reservation] |= self.arrived;
            }
        }
        Ok(self.answer(scenario, batch, said, true))
    }

    /// Each reservation is a turn of its own; one that it does not know is a turn without effect.
    pub fn release(&mut self, scenario: &Scenario, (reservation, units): (usize, u8)) -> Answer {
        let kept = self.kept[release_of(reservation) as usize];
        if kept.revision != 0 {
            return kept;
        }
        let said = match scenario.whole_of(reservation) {
            Some(whole) => self.core.release_part(scenario, whole, units),
            None => self.core.release(scenario, reservation),
        };
        self.answer(scenario, release_of(reservation), said, scenario.rules.has(Rule::ReleaseRepeats))
    }

    /// One call, for one or two reservations, each with the units of a part.
    pub fn releases(
        &mut self,
        scenario: &Scenario,
        (first, second): ((usize, u8), Option<(usize, u8)>),
        generation: u8,
        known: Known,
    ) -> Result<(Answer, Answer), Stale> {
        self.checked(scenario, generation, known)?;
        let first = self.release(scenario, first);
        Ok((first, second.map(|second| self.release(scenario, second)).unwrap_or_default()))
    }

    pub fn raise(&mut self, scenario: &Scenario, generation: u8, known: Known) -> Result<Answer, Stale> {
        self.checked(scenario, generation, known)?;
        let kept = self.kept[RAISE as usize];
        if kept.revision != 0 {
            return Ok(kept);
        }
        self.core.capacity = scenario.capacity + 1;
        let said = self.core.promote(scenario);
        Ok(self.answer(scenario, RAISE, said, true))
    }

    fn answer(&mut self, scenario: &Scenario, cause: u8, said: [u8; R], keep: bool) -> Answer {
        let before = self.chain;
        self.revision += 1;
        if scenario.rules.has(Rule::Chained) {
            self.chain = after(before, cause);
        }
        let answer =
            Answer { cause, generation: self.generation, revision: self.revision, chain: self.chain, before, said };
        if keep {
            self.kept[cause as usize] = answer;
        }
        answer
    }
}

/// Exact rather than hashed: the causes so far, as a number in base CAUSES + 1. It stays exact for eight turns.
fn after(chain: u32, cause: u8) -> u32 {
    chain.wrapping_mul(CAUSES as u32 + 1).wrapping_add(u32::from(cause) + 1)
}
