//! The ledger in small. Every method that writes is one transaction.

use super::rules::Rule;
use super::state::{Answer, History, Ledger, R, Row, Said, Standing, Turn, Turnstile, released};
use super::worlds::World;

pub enum Recorded {
    /// Written now, or found written.
    Done,
    /// The generation is not the answer's any more.
    Moved,
    /// A promotion's row is not there yet.
    Absent,
    /// A unique key or the chain of a neighbour says that this is not the turnstile the ledger knows.
    Refused,
}

impl Ledger {
    fn turns(&self) -> impl Iterator<Item = History> + '_ {
        let turns = self.turns.iter().zip(0..);
        turns.filter(move |(turn, _)| turn.generation == self.generation).map(|(turn, cause)| turn.before.then(cause))
    }

    /// Of the sale's generation.
    pub fn highest(&self) -> History {
        self.turns().max_by_key(History::revision).unwrap_or_default()
    }

    /// A revision below the highest has no turn.
    pub fn has_gap(&self) -> bool {
        self.turns().count() < self.highest().revision()
    }

    pub fn is_recorded(&self, cause: u8) -> bool {
        self.turns[cause as usize].generation != 0
    }

    pub fn held(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.rows.iter().enumerate().filter(|(_, row)| row.standing == Standing::Held);
        rows.map(|(reservation, row)| (reservation, row.unit as usize))
    }

    /// A turnstile as it follows from the rows.
    pub fn turnstile(&self) -> Turnstile {
        let mut turnstile = Turnstile { generation: self.generation, ..Turnstile::default() };
        for (reservation, unit) in self.held() {
            turnstile.owner[unit] = reservation as u8 + 1;
        }
        (0..R).filter(|r| self.rows[*r].standing == Standing::Standby).for_each(|party| turnstile.wait(party));
        turnstile
    }

    pub fn record(&mut self, world: &World, answer: &Answer) -> Recorded {
        let before = *self;
        let recorded = self.try_to_record(world, answer);
        if !matches!(recorded, Recorded::Done) {
            *self = before;
        }
        recorded
    }

    fn try_to_record(&mut self, world: &World, answer: &Answer) -> Recorded {
        if answer.generation != self.generation && world.has(Rule::RecordCompares) {
            return Recorded::Moved;
        }
        let turn = Turn { generation: answer.generation, before: answer.before };
        if self.is_recorded(answer.cause) {
            return if self.turns[answer.cause as usize] == turn { Recorded::Done } else { Recorded::Refused };
        }
        if !self.fits(answer) {
            return Recorded::Refused;
        }
        self.turns[answer.cause as usize] = turn;
        if let Some(reservation) = released(answer.cause) {
            self.rows[reservation].freed = true;
        }
        let born = answer.cause as usize;
        let is_born = released(answer.cause).is_none() && self.rows[born].standing != Standing::Unborn;
        match answer.said {
            _ if is_born => Recorded::Refused,
            Said::Taken(unit) => self.hold(born, unit),
            Said::Waits => self.becomes(born, Standing::Standby),
            Said::Refused => self.becomes(born, Standing::Refused),
            Said::Freed => Recorded::Done,
            Said::Promoted(party, unit) => match self.rows[party as usize].standing {
                Standing::Unborn => Recorded::Absent,
                Standing::Standby => self.hold(party as usize, unit),
                Standing::Held | Standing::Refused => Recorded::Refused,
                Standing::Ended => Recorded::Done,
            },
        }
    }

    /// The same revision is taken by no other cause, and what stands beside it is of one history with it.
    fn fits(&self, answer: &Answer) -> bool {
        let turn = answer.before.then(answer.cause);
        self.turns.iter().zip(0..).filter(|(other, _)| other.generation == answer.generation).all(|(other, cause)| {
            let other = other.before.then(cause);
            let apart = other.revision() as i32 - turn.revision() as i32;
            match apart {
                0 => false,
                1 => other.begins_with(&turn),
                -1 => turn.begins_with(&other),
                _ => true,
            }
        })
    }

    fn becomes(&mut self, reservation: usize, standing: Standing) -> Recorded {
        self.rows[reservation].standing = standing;
        Recorded::Done
    }

    /// A unit that is claimed is claimed by no other row: the unique key.
    fn hold(&mut self, reservation: usize, unit: u8) -> Recorded {
        if self.held().any(|(_, taken)| taken == unit as usize) {
            return Recorded::Refused;
        }
        self.rows[reservation] = Row { standing: Standing::Held, unit, freed: false };
        Recorded::Done
    }

    /// A restore's first half: what has ended is freed, parties that fit are promoted. Of the next generation, but
    /// for that rule.
    pub fn restore(&mut self, world: &World, is_next: bool) -> Turnstile {
        self.rows.iter_mut().filter(|row| row.standing == Standing::Ended).for_each(|row| row.freed = true);
        let known = if is_next { History::default() } else { self.highest() };
        self.generation += u8::from(is_next);
        let mut turnstile = self.turnstile();
        turnstile.history = known;
        while let Some((party, unit)) = turnstile.promote(world) {
            self.rows[party] = Row { standing: Standing::Held, unit: unit as u8, freed: false };
        }
        turnstile
    }
}
