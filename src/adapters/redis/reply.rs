//! Reading what the scripts answer. A value that does not fit is a fault: another program wrote into the sale's keys.

use std::str::{FromStr, SplitAsciiWhitespace};

use fred::types::Value;

use super::fault;
use super::scripts::STALE;
use crate::domain::sale::Allotment;
use crate::domain::sale::turn::{Answer, Promotion, Stamp};
use crate::domain::sale::turnstile::{Level, Party, Reply, Snapshot, Taken};
use crate::domain::shared::id::{BuyerId, ReservationId};
use crate::ports::{Fault, Result};

/// The words of one line, each read as what it must be.
pub(super) struct Words<'a> {
    line: &'a str,
    rest: SplitAsciiWhitespace<'a>,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { line, rest: line.split_ascii_whitespace() }
    }

    fn word(&mut self) -> Result<&'a str> {
        self.rest.next().ok_or_else(|| self.odd())
    }

    fn read<T: FromStr>(&mut self) -> Result<T> {
        let word = self.word()?;
        word.parse().map_err(|_| self.odd())
    }

    fn units(&mut self) -> Result<Vec<u32>> {
        units(self.word()?).ok_or_else(|| self.odd())
    }

    fn odd(&self) -> Fault {
        fault(format!("a script answered what cannot be read: {}", self.line))
    }

    /// `generation` is the one the call carried: any other would have been STALE.
    pub(super) fn stamp(&mut self, generation: u64) -> Result<Stamp> {
        Ok(Stamp { generation, revision: self.read()?, chain: self.read()?, before: self.read()? })
    }

    /// One byte for each attempt, then the details of those that have any.
    pub(super) fn answers(&mut self, count: usize) -> Result<Vec<Answer>> {
        let codes = if count == 0 { "" } else { self.word()? };
        if codes.len() != count {
            return Err(self.odd());
        }
        codes.bytes().map(|code| self.answer(code)).collect()
    }

    fn answer(&mut self, code: u8) -> Result<Answer> {
        match code {
            b'T' => Ok(Answer::Taken { units: self.units()? }),
            b'S' => {
                let both = self.word()?.split_once(':').ok_or_else(|| self.odd())?;
                let (Ok(arrival), Ok(position)) = (both.0.parse(), both.1.parse()) else { return Err(self.odd()) };
                Ok(Answer::Standby { arrival, position })
            }
            b'A' => Ok(Answer::Already { reservation: self.read()? }),
            b'R' => Ok(Answer::Refused),
            _ => Err(self.odd()),
        }
    }

    /// All that is left.
    pub(super) fn promotions(&mut self) -> Result<Vec<Promotion>> {
        let mut promotions = Vec::new();
        while let Some(word) = self.rest.next() {
            let promotion = word.split_once(':').and_then(|(reservation, list)| {
                Some(Promotion { reservation: reservation.parse().ok()?, units: units(list)? })
            });
            promotions.push(promotion.ok_or_else(|| self.odd())?);
        }
        Ok(promotions)
    }

    fn allotment(&mut self) -> Result<Allotment> {
        Ok(Allotment { capacity: self.read()?, quantity_max: self.read()?, standby_max: self.read()? })
    }

    pub(super) fn level(&mut self) -> Result<Level> {
        Ok(Level {
            generation: self.read()?,
            revision: self.read()?,
            chain: self.read()?,
            allotment: self.allotment()?,
            free: self.read()?,
            standby: self.read()?,
        })
    }

    fn figures(&mut self) -> Result<Snapshot> {
        let (generation, revision, chain) = (self.read()?, self.read()?, self.read()?);
        let empty = Snapshot::empty(generation, self.allotment()?);
        Ok(Snapshot { revision, chain, next_unit: self.read()?, next_arrival: self.read()?, ..empty })
    }

    /// What `live` says of a reservation.
    fn standing(&mut self, reservation: ReservationId, state: &mut Snapshot) -> Result<()> {
        let code = self.word()?;
        let buyer = BuyerId(self.read()?);
        match code {
            "T" => {
                state.taken.insert(reservation, Taken { buyer, units: self.units()? });
            }
            "S" => {
                let (quantity, arrival) = (self.read()?, self.read()?);
                state.standby.push(Party { reservation, buyer, quantity, arrival });
            }
            _ => return Err(self.odd()),
        }
        Ok(())
    }
}

pub(super) fn snapshot(value: &Value) -> Result<Snapshot> {
    let Value::Array(parts) = value else { return Err(not_due(value)) };
    let [figures, Value::Array(returned), Value::Array(live)] = parts.as_slice() else { return Err(not_due(value)) };
    let mut state = Words::new(text(figures)?).figures()?;
    for unit in returned {
        state.returned.insert(Words::new(text(unit)?).read()?);
    }
    for pair in live.chunks_exact(2) {
        let reservation = Words::new(text(&pair[0])?).read()?;
        Words::new(text(&pair[1])?).standing(reservation, &mut state)?;
    }
    state.standby.sort_unstable_by_key(|party| party.arrival);
    Ok(state)
}

/// Each line of the answer of a verb that moves a sale.
pub(super) fn lines(value: &Value) -> Result<Reply<Vec<&str>>> {
    match value {
        Value::Array(lines) => lines.iter().map(text).collect::<Result<_>>().map(Reply::Done),
        line => match text(line)? {
            STALE => Ok(Reply::Stale),
            line => Ok(Reply::Done(vec![line])),
        },
    }
}

pub(super) fn text(value: &Value) -> Result<&str> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(not_due(value)),
    }
}

fn not_due(value: &Value) -> Fault {
    fault(format!("a script answered {:?} where something else was due", value.kind()))
}

fn units(list: &str) -> Option<Vec<u32>> {
    list.split(',').map(|unit| unit.parse().ok()).collect()
}
