//! The turnstile in small: every attempt is for one unit. Between two calls no unit is free while a party waits.

use super::state::{Answer, Said, Turnstile, released};
use super::worlds::World;

impl Turnstile {
    /// A cause that was asked for before is answered as it was then.
    pub fn ask(&mut self, world: &World, cause: u8) -> Answer {
        let generation = self.generation;
        if let Some(said) = self.kept[cause as usize] {
            return Answer { cause, generation, before: self.history.before(cause), said };
        }
        let before = self.history;
        let said = match released(cause) {
            Some(reservation) => self.release(world, reservation),
            None => self.decide(world, cause as usize),
        };
        self.history = before.then(cause);
        self.kept[cause as usize] = Some(said);
        Answer { cause, generation, before, said }
    }

    pub fn free(&self, world: &World) -> Option<usize> {
        self.owner[..world.capacity].iter().position(|owner| *owner == 0)
    }

    pub fn waiting(&self) -> usize {
        self.standby.iter().take_while(|party| **party != 0).count()
    }

    pub fn is_exhausted(&self, world: &World) -> bool {
        self.free(world).is_none() && self.waiting() == world.standby_max
    }

    pub fn wait(&mut self, reservation: usize) {
        self.standby[self.waiting()] = reservation as u8 + 1;
    }

    /// Gives a free unit to the first party that waits.
    pub fn promote(&mut self, world: &World) -> Option<(usize, usize)> {
        let unit = self.free(world)?;
        let party = (self.standby[0] as usize).checked_sub(1)?;
        self.leave(party);
        self.owner[unit] = party as u8 + 1;
        Some((party, unit))
    }

    fn decide(&mut self, world: &World, reservation: usize) -> Said {
        if let Some(unit) = self.free(world) {
            self.owner[unit] = reservation as u8 + 1;
            Said::Taken(unit as u8)
        } else if self.waiting() < world.standby_max {
            self.wait(reservation);
            Said::Waits
        } else {
            Said::Refused
        }
    }

    fn release(&mut self, world: &World, reservation: usize) -> Said {
        for owner in self.owner.iter_mut().filter(|owner| **owner == reservation as u8 + 1) {
            *owner = 0;
        }
        self.leave(reservation);
        self.promote(world).map_or(Said::Freed, |(party, unit)| Said::Promoted(party as u8, unit as u8))
    }

    fn leave(&mut self, reservation: usize) {
        if let Some(at) = self.standby.iter().position(|party| *party == reservation as u8 + 1) {
            self.standby[at..].rotate_left(1);
            self.standby[self.standby.len() - 1] = 0;
        }
    }
}
