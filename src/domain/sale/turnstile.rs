//! The turnstile: the state machine that decides, for one sale, who gets which units and who waits.
//!
//! This is the specification; `lua/turnstile` mirrors it, and a contract and a differential test hold the two together.
//! It knows no time, no money, and no state finer than taken or standby.
//!
//! Between calls no unit is free while a standby party fits: every call that frees units hands them on before it returns.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::sale::turn::{Answer, Cause, Chain, Known, Promotion, Raised, Released, Reserved, Stamp};
use crate::domain::sale::{Allotment, PARTY_MAX};
use crate::domain::shared::id::{BuyerId, ReservationId};

/// Answers kept between calls for batches that are sent again, at most; the oldest go first. Older ones are in the ledger, and a
/// caller looks there before it asks: this many answers may be on their way to the ledger at once.
pub const ANSWERS_MAX: usize = 1024;

/// What the turnstile says to a call that carries a generation and a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<T> {
    Done(T),
    /// The sale is missing, of another generation, or its history is not the one the caller knows. Nothing was changed.
    Stale,
}

/// Units of one live reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub buyer: BuyerId,
    /// Ascending.
    pub units: Vec<u32>,
}

/// What a release takes back: all that a reservation has, which has ended, or a part of what another one goes on with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ended {
    /// The release's cause.
    pub id: ReservationId,
    pub part: Option<Part>,
}

/// Units of a reservation that keeps the others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub of: ReservationId,
    pub units: Vec<u32>,
}

impl From<ReservationId> for Ended {
    fn from(id: ReservationId) -> Self {
        Self { id, part: None }
    }
}

/// A standby party.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub reservation: ReservationId,
    pub buyer: BuyerId,
    pub quantity: u8,
    pub arrival: u64,
}

/// A turnstile's whole state in canonical form, but for the answers it keeps. Equal snapshots behave alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub generation: u64,
    pub revision: u64,
    pub chain: Chain,
    pub allotment: Allotment,
    /// Units `next_unit..=capacity` were never handed out, `returned` were handed back.
    pub next_unit: u32,
    pub returned: BTreeSet<u32>,
    pub taken: BTreeMap<ReservationId, Taken>,
    /// By arrival.
    pub standby: Vec<Party>,
    pub next_arrival: u64,
}

/// The few figures that others want often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub generation: u64,
    pub revision: u64,
    pub chain: Chain,
    pub allotment: Allotment,
    pub free: u32,
    /// Parties.
    pub standby: u32,
}

impl Level {
    /// Nothing is free and standby is full. A buyer who asks now gets neither.
    pub fn is_exhausted(&self) -> bool {
        self.free == 0 && self.standby >= self.allotment.standby_max
    }
}

#[derive(Debug, Clone)]
enum Kept {
    Reserved(Reserved),
    Released(Released),
    Raised(Raised),
}

impl Kept {
    fn stamp(&self) -> Stamp {
        match self {
            Kept::Reserved(reserved) => reserved.stamp,
            Kept::Released(released) => released.stamp,
            Kept::Raised(raised) => raised.stamp,
        }
    }
}

#[derive(Debug, Clone)]
pub struct Turnstile {
    state: Snapshot,
    buyers: HashMap<BuyerId, ReservationId>,
    /// For each party size, who waits, by arrival.
    lines: BTreeMap<u8, BTreeMap<u64, ReservationId>>,
    parties: HashMap<ReservationId, Party>,
    answers: HashMap<Cause, Kept>,
    answered: VecDeque<Cause>,
}

impl Snapshot {
    /// A sale of which nothing was ever given.
    pub fn empty(generation: u64, allotment: Allotment) -> Self {
        Self {
            generation,
            revision: 0,
            chain: Chain::default(),
            allotment,
            next_unit: 1,
            returned: BTreeSet::new(),
            taken: BTreeMap::new(),
            standby: Vec::new(),
            next_arrival: 1,
        }
    }

    /// From what the ledger holds: units claimed by live reservations, and parties in the order in which they are served.
    /// Arrivals are numbered anew from 1.
    pub fn rebuilt(
        generation: u64,
        allotment: Allotment,
        taken: BTreeMap<ReservationId, Taken>,
        parties: Vec<(ReservationId, BuyerId, u8)>,
    ) -> Self {
        let claimed: BTreeSet<u32> = taken.values().flat_map(|t| t.units.iter().copied()).collect();
        let next_unit = claimed.last().map_or(1, |last| last + 1);
        let standby: Vec<Party> = parties
            .into_iter()
            .zip(1..)
            .map(|((reservation, buyer, quantity), arrival)| Party { reservation, buyer, quantity, arrival })
            .collect();
        Self {
            next_unit,
            returned: (1..next_unit).filter(|unit| !claimed.contains(unit)).collect(),
            taken,
            next_arrival: standby.len() as u64 + 1,
            standby,
            ..Self::empty(generation, allotment)
        }
    }

    pub fn free(&self) -> u32 {
        (self.allotment.capacity + 1).saturating_sub(self.next_unit) + self.returned.len() as u32
    }
}

impl Turnstile {
    pub fn open(generation: u64, allotment: Allotment) -> Self {
        Self::restore(Snapshot::empty(generation, allotment))
    }

    /// Kept answers start empty: what the ledger recorded it can repeat by itself.
    pub fn restore(state: Snapshot) -> Self {
        let mut turnstile = Self {
            buyers: state.taken.iter().map(|(&id, taken)| (taken.buyer, id)).collect(),
            lines: BTreeMap::new(),
            parties: HashMap::new(),
            answers: HashMap::new(),
            answered: VecDeque::new(),
            state,
        };
        for party in std::mem::take(&mut turnstile.state.standby) {
            turnstile.wait(party);
        }
        turnstile
    }

    pub fn snapshot(&self) -> Snapshot {
        let mut standby: Vec<Party> = self.parties.values().cloned().collect();
        standby.sort_by_key(|party| party.arrival);
        Snapshot { standby, ..self.state.clone() }
    }

    pub fn level(&self) -> Level {
        Level {
            generation: self.state.generation,
            revision: self.state.revision,
            chain: self.state.chain,
            allotment: self.state.allotment,
            free: self.state.free(),
            standby: self.parties.len() as u32,
        }
    }

    /// Gives units to each attempt of the batches in order; one that does not fit waits, if it would, or is refused. Each batch is a
    /// turn of its own.
    pub fn reserve(&mut self, known: Known, batches: &[&Batch]) -> Reply<Vec<Reserved>> {
        if self.is_behind(known) {
            return Reply::Stale;
        }
        let reserved = batches.iter().map(|batch| self.reserve_one(batch)).collect();
        self.forget();
        Reply::Done(reserved)
    }

    /// Takes back what each of the ended has, or its place on standby, and gives on what is free. What it does not know is a
    /// turn without effect. Each is a turn of its own.
    pub fn release(&mut self, known: Known, ended: &[Ended]) -> Reply<Vec<Released>> {
        if self.is_behind(known) {
            return Reply::Stale;
        }
        let released = ended.iter().map(|one| self.release_one(one)).collect();
        self.forget();
        Reply::Done(released)
    }

    /// More units; never fewer.
    pub fn raise(&mut self, known: Known, capacity: u32) -> Reply<Raised> {
        if self.is_behind(known) {
            return Reply::Stale;
        }
        let cause = Cause::Raise(capacity);
        if let Some(Kept::Raised(raised)) = self.answers.get(&cause) {
            return Reply::Done(raised.clone());
        }
        self.state.allotment.capacity = self.state.allotment.capacity.max(capacity);
        let promotions = self.promote();
        let raised = Raised { stamp: self.advance(&cause), capacity, promotions };
        self.keep(cause, Kept::Raised(raised.clone()));
        self.forget();
        Reply::Done(raised)
    }

    /// Gives what is free to the first parties that fit, in order of arrival.
    pub fn promote(&mut self) -> Vec<Promotion> {
        let mut promotions = Vec::new();
        while let Some(reservation) = self.next_that_fits() {
            let party = self.leave(reservation).expect("a line names parties that wait");
            let units = self.take(party.quantity);
            self.buyers.insert(party.buyer, reservation);
            self.state.taken.insert(reservation, Taken { buyer: party.buyer, units: units.clone() });
            promotions.push(Promotion { reservation, units });
        }
        promotions
    }

    fn is_behind(&self, known: Known) -> bool {
        known.generation != self.state.generation || self.chain_at(known.revision) != Some(known.chain)
    }

    /// Of the current revision, and of those whose answers are kept; a caller that knows an older one looks again.
    fn chain_at(&self, revision: u64) -> Option<Chain> {
        if revision == 0 {
            return Some(Chain::default());
        }
        let back = usize::try_from(self.state.revision.checked_sub(revision)?).ok()?;
        if back == 0 {
            return Some(self.state.chain);
        }
        let cause = self.answered.get(self.answered.len().checked_sub(back + 1)?)?;
        self.answers.get(cause).map(|kept| kept.stamp().chain)
    }

    fn reserve_one(&mut self, batch: &Batch) -> Reserved {
        let cause = Cause::Batch(batch.id);
        if let Some(Kept::Reserved(reserved)) = self.answers.get(&cause) {
            return reserved.clone();
        }
        let attempts = batch.attempts.iter().enumerate();
        let answers = attempts.map(|(index, attempt)| self.decide(batch.attempt_id(index).into(), attempt)).collect();
        let reserved = Reserved { stamp: self.advance(&cause), answers };
        self.keep(cause, Kept::Reserved(reserved.clone()));
        reserved
    }

    fn decide(&mut self, id: ReservationId, attempt: &Attempt) -> Answer {
        let allotment = self.state.allotment;
        if attempt.quantity == 0 || attempt.quantity > allotment.quantity_max.min(PARTY_MAX) {
            return Answer::Refused;
        }
        if let Some(&reservation) = self.buyers.get(&attempt.buyer) {
            return Answer::Already { reservation };
        }
        if self.state.free() >= u32::from(attempt.quantity) {
            let units = self.take(attempt.quantity);
            self.buyers.insert(attempt.buyer, id);
            self.state.taken.insert(id, Taken { buyer: attempt.buyer, units: units.clone() });
            return Answer::Taken { units };
        }
        if !attempt.waits || self.parties.len() as u32 >= allotment.standby_max {
            return Answer::Refused;
        }
        let arrival = self.state.next_arrival;
        self.state.next_arrival += 1;
        self.wait(Party { reservation: id, buyer: attempt.buyer, quantity: attempt.quantity, arrival });
        Answer::Standby { arrival, position: self.parties.len() as u32 }
    }

    fn release_one(&mut self, ended: &Ended) -> Released {
        let cause = Cause::Release(ended.id);
        if let Some(Kept::Released(released)) = self.answers.get(&cause) {
            return released.clone();
        }
        match &ended.part {
            None => self.take_back(ended.id),
            Some(part) => self.take_back_part(part),
        }
        let promotions = self.promote();
        let released = Released { stamp: self.advance(&cause), reservation: ended.id, promotions };
        self.keep(cause, Kept::Released(released.clone()));
        released
    }

    fn take_back(&mut self, reservation: ReservationId) {
        if let Some(taken) = self.state.taken.remove(&reservation) {
            self.buyers.remove(&taken.buyer);
            self.state.returned.extend(taken.units);
        } else if let Some(party) = self.leave(reservation) {
            self.buyers.remove(&party.buyer);
        }
    }

    /// Only units that the reservation still has: by now another may have been given them. Its buyer goes with the last.
    fn take_back_part(&mut self, part: &Part) {
        let Some(taken) = self.state.taken.get_mut(&part.of) else { return };
        let (back, rest): (Vec<u32>, Vec<u32>) = taken.units.iter().partition(|unit| part.units.contains(unit));
        taken.units = rest;
        self.state.returned.extend(back);
        if taken.units.is_empty() {
            self.take_back(part.of);
        }
    }

    /// Units handed back go first, lowest first; the caller has seen that there are enough.
    fn take(&mut self, quantity: u8) -> Vec<u32> {
        (0..quantity)
            .map(|_| {
                self.state.returned.pop_first().unwrap_or_else(|| {
                    self.state.next_unit += 1;
                    self.state.next_unit - 1
                })
            })
            .collect()
    }

    fn wait(&mut self, party: Party) {
        self.buyers.insert(party.buyer, party.reservation);
        self.lines.entry(party.quantity).or_default().insert(party.arrival, party.reservation);
        self.parties.insert(party.reservation, party);
    }

    fn leave(&mut self, reservation: ReservationId) -> Option<Party> {
        let party = self.parties.remove(&reservation)?;
        if let Some(line) = self.lines.get_mut(&party.quantity) {
            line.remove(&party.arrival);
        }
        Some(party)
    }

    fn next_that_fits(&self) -> Option<ReservationId> {
        let free = u8::try_from(self.state.free()).unwrap_or(u8::MAX);
        let heads = self.lines.range(..=free).filter_map(|(_, line)| line.first_key_value());
        heads.min_by_key(|(arrival, _)| **arrival).map(|(_, &reservation)| reservation)
    }

    fn advance(&mut self, cause: &Cause) -> Stamp {
        let before = self.state.chain;
        self.state.revision += 1;
        self.state.chain = before.then(cause);
        Stamp { generation: self.state.generation, revision: self.state.revision, chain: self.state.chain, before }
    }

    fn keep(&mut self, cause: Cause, answer: Kept) {
        self.answers.insert(cause, answer);
        self.answered.push_back(cause);
    }

    /// At the end of a call: what it asked for was kept until then.
    fn forget(&mut self) {
        let over = self.answered.len().saturating_sub(ANSWERS_MAX);
        for oldest in self.answered.drain(..over) {
            self.answers.remove(&oldest);
        }
    }
}
