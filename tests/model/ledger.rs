//! The ledger of the model. Every method that writes is one transaction: it happens as a whole, or not at all.

use crate::rules::Rule;
use crate::state::{
    ALREADY, Answer, Broken, Core, Ledger, Note, R, RAISE, Row, STANDBY, Scenario, Standing, State, TAKEN, Turn, U,
    UNTRUE, in_set, release_of, released, units_of,
};

pub enum Recorded {
    /// Written now, or found written.
    Done,
    /// The generation is not the answer's any more.
    Moved,
    /// A fence, a unique key or a chain says that the turnstile is not the one the ledger knows.
    Refused,
    /// A promotion's row is not there yet.
    Absent,
}

/// Why a transaction was rolled back.
enum Rollback {
    Refused,
    Absent,
}

impl Ledger {
    /// Revision and chain of the highest turn of the sale's generation.
    pub fn highest(&self) -> (u8, u32) {
        let turns = self.turns.iter().filter(|t| t.generation == self.generation);
        turns.map(|t| (t.revision, t.chain)).max().unwrap_or((0, 0))
    }

    pub fn turn_at(&self, generation: u8, revision: u8) -> Option<Turn> {
        self.turns.iter().find(|t| t.generation == generation && t.revision == revision).copied()
    }

    pub fn is_recorded(&self, cause: u8) -> bool {
        self.turns[cause as usize].generation != 0
    }

    pub fn unclaimed(&self, scenario: &Scenario) -> u32 {
        let units = scenario.capacity as usize + usize::from(scenario.left.raises > 0);
        self.claims[..units].iter().filter(|c| **c == 0).count() as u32
    }

    /// What invariant 9 compares with the turnstile, and what a restore starts from.
    pub fn core(&self) -> Core {
        let mut core = Core { capacity: self.capacity, ..Core::default() };
        for (reservation, row) in self.rows.iter().enumerate().filter(|(_, row)| row.is_holding()) {
            for unit in (0..U).filter(|unit| row.units & (1 << unit) != 0) {
                core.owner[unit] = reservation as u8 + 1;
            }
        }
        let mut parties: Vec<usize> = (0..R).filter(|r| self.rows[*r].standing == Standing::Standby).collect();
        parties.sort_by_key(|r| (self.rows[*r].arrival, *r));
        for party in parties {
            core.wait(party);
        }
        core
    }

    /// Ends a row, if it is live: its claims go in the same transaction.
    pub fn end(&mut self, reservation: usize, standing: Standing) {
        self.rows[reservation].becomes(standing);
        for claim in self.claims.iter_mut().filter(|c| **c == reservation as u8 + 1) {
            *claim = 0;
        }
    }

    /// The lowest unit of a paid row goes back alone: it is claimed no more, and a row of its own says whose it was.
    pub fn split(&mut self, scenario: &Scenario, reservation: usize, split: usize) {
        let unit = self.rows[reservation].units.trailing_zeros();
        let row = &mut self.rows[reservation];
        row.units &= !(1 << unit);
        row.version += 1;
        self.claims[unit as usize] = 0;
        let freed = !scenario.rules.has(Rule::PartIsUnfreed);
        self.rows[split] = Row { standing: Standing::Refunded, units: 1 << unit, version: 1, freed, ..Row::default() };
    }
}

/// Records one or two answers in one transaction.
pub fn record(scenario: &Scenario, state: &mut State, answers: &[Answer]) -> Recorded {
    let before = (state.ledger, state.broken);
    for answer in answers {
        if answer.generation != state.ledger.generation {
            (state.ledger, state.broken) = before;
            return Recorded::Moved;
        }
        if let Err(rollback) = record_one(scenario, state, answer) {
            (state.ledger, state.broken) = before;
            return match rollback {
                Rollback::Refused => Recorded::Refused,
                Rollback::Absent => Recorded::Absent,
            };
        }
    }
    Recorded::Done
}

fn record_one(scenario: &Scenario, state: &mut State, answer: &Answer) -> Result<(), Rollback> {
    let turn =
        Turn { generation: answer.generation, revision: answer.revision, chain: answer.chain, before: answer.before };
    let ledger = &mut state.ledger;
    let same_cause = ledger.turns[answer.cause as usize];
    let same_key = ledger.turn_at(turn.generation, turn.revision);
    if same_cause == turn {
        return Ok(());
    }
    if same_cause.generation != 0 || same_key.is_some() {
        return if scenario.rules.has(Rule::DoneIsExact) { Err(Rollback::Refused) } else { Ok(()) };
    }
    if !fits(scenario, ledger, &turn) {
        return Err(Rollback::Refused);
    }
    ledger.turns[answer.cause as usize] = turn;
    if answer.cause == RAISE && !scenario.rules.has(Rule::LedgerRaisesFirst) {
        ledger.capacity = scenario.capacity + 1;
    }
    if let Some(reservation) = released(answer.cause) {
        ledger.rows[reservation].freed = true;
    }
    for reservation in scenario.reservations().filter(|r| answer.said[*r] != 0) {
        if release_of(0) > answer.cause {
            bear(scenario, state, reservation, answer)?;
        } else {
            promote(scenario, state, reservation, units_of(answer.said[reservation]))?;
        }
    }
    Ok(())
}

fn fits(scenario: &Scenario, ledger: &Ledger, turn: &Turn) -> bool {
    if !scenario.rules.has(Rule::NeighboursFit) {
        return true;
    }
    let below = ledger.turn_at(turn.generation, turn.revision - 1);
    let above = ledger.turn_at(turn.generation, turn.revision + 1);
    below.is_none_or(|below| below.chain == turn.before) && above.is_none_or(|above| above.before == turn.chain)
}

/// A row is created in its batch's turn; what is neither taken nor standby is only a byte.
fn bear(scenario: &Scenario, state: &mut State, reservation: usize, answer: &Answer) -> Result<(), Rollback> {
    let said = answer.said[reservation];
    state.ledger.bytes[reservation] = said;
    let row = &mut state.ledger.rows[reservation];
    if row.standing != Standing::Unborn {
        return Ok(());
    }
    match said & 0xf0 {
        STANDBY if in_set(scenario.house, reservation) => {
            row.becomes(Standing::Cancelled);
            row.freed = !scenario.rules.has(Rule::DeniedIsUnfreed);
            Ok(())
        }
        TAKEN => hold(scenario, state, reservation, units_of(said)),
        STANDBY => {
            row.arrival = (answer.generation, said & 0x0f);
            row.becomes(Standing::Standby);
            let arrival = row.arrival;
            if state.ledger.rows.iter().filter(|row| row.arrival == arrival).count() > 1 {
                return Err(Rollback::Refused);
            }
            buyer_is_unique(scenario, state, reservation)
        }
        ALREADY if said & UNTRUE != 0 => {
            state.broken = Some(Broken::Accepted);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The reservations of a batch whose buyers' earlier ones are all over, and freed, in the ledger: ALREADY would be untrue.
pub fn free_buyers(scenario: &Scenario, ledger: &Ledger, batch: u8) -> u8 {
    let over = |o: usize| {
        let row = &ledger.rows[o];
        ledger.is_recorded(scenario.attempts[o].0) && !row.is_live() && !row.is_unfreed()
    };
    let is_free = |r: &usize| (0..*r).all(|o| scenario.buyer(o) != scenario.buyer(*r) || over(o));
    scenario.batch(batch).filter(is_free).map(|r| 1 << r).sum()
}

fn promote(scenario: &Scenario, state: &mut State, reservation: usize, units: u8) -> Result<(), Rollback> {
    let row = state.ledger.rows[reservation];
    match row.standing {
        Standing::Unborn if scenario.rules.has(Rule::BornInItsTurn) => Err(Rollback::Absent),
        Standing::Unborn | Standing::Standby => hold(scenario, state, reservation, units),
        Standing::Held | Standing::Paying | Standing::Confirmed => Err(Rollback::Refused),
        Standing::Lapsed | Standing::Cancelled | Standing::Ended | Standing::Refunded
            if scenario.rules.has(Rule::EndedStays) =>
        {
            Ok(())
        }
        Standing::Lapsed | Standing::Cancelled | Standing::Ended | Standing::Refunded => {
            state.broken = Some(Broken::Accepted);
            hold(scenario, state, reservation, units)
        }
    }
}

/// Claims the units: the unique keys are the fence.
fn hold(scenario: &Scenario, state: &mut State, reservation: usize, units: u8) -> Result<(), Rollback> {
    for unit in (0..U).filter(|unit| units & (1 << unit) != 0) {
        if state.ledger.claims[unit] != 0 {
            return Err(Rollback::Refused);
        }
        state.ledger.claims[unit] = reservation as u8 + 1;
    }
    let row = &mut state.ledger.rows[reservation];
    row.units = units;
    row.becomes(Standing::Held);
    if jumps_the_line(scenario, &state.ledger, reservation) {
        state.broken = Some(Broken::Order);
    }
    buyer_is_unique(scenario, state, reservation)
}

fn buyer_is_unique(scenario: &Scenario, state: &State, reservation: usize) -> Result<(), Rollback> {
    let rows = &state.ledger.rows;
    let same = |r: usize| r != reservation && rows[r].is_live() && scenario.buyer(r) == scenario.buyer(reservation);
    if scenario.reservations().any(same) { Err(Rollback::Refused) } else { Ok(()) }
}

/// A party that came earlier still waits, would fit where this one sits, and what is unclaimed is not enough for it:
/// an earlier party whose promotion is on its way to the ledger still has its units there.
fn jumps_the_line(scenario: &Scenario, ledger: &Ledger, reservation: usize) -> bool {
    (0..reservation).any(|earlier| {
        ledger.rows[earlier].standing == Standing::Standby
            && scenario.quantity(earlier) <= scenario.quantity(reservation)
            && scenario.quantity(earlier) > ledger.unclaimed(scenario)
    })
}

/// The first step of a restore: the next generation, promotions by the state machine, and what had ended is freed.
pub fn rewrite(scenario: &Scenario, state: &mut State) -> Core {
    state.ledger.generation += 1;
    for row in state.ledger.rows.iter_mut().filter(|row| row.is_ended()) {
        row.freed = true;
    }
    let mut core = state.ledger.core();
    let said = core.promote(scenario);
    for reservation in scenario.reservations().filter(|r| said[*r] != 0) {
        let held = hold(scenario, state, reservation, units_of(said[reservation]));
        debug_assert!(held.is_ok(), "a restore gives what the ledger has free");
    }
    core
}

/// What to tell about a recorded cause: from the rows, or, with that rule off, from what the turnstile said.
pub fn notes(scenario: &Scenario, ledger: &Ledger, said: &[u8; R]) -> [Note; R] {
    let mut notes = [Note::default(); R];
    for reservation in scenario.reservations().filter(|r| said[*r] != 0) {
        let row: Row = ledger.rows[reservation];
        if row.standing == Standing::Unborn {
            continue;
        }
        notes[reservation] = match said[reservation] & 0xf0 {
            _ if scenario.rules.has(Rule::NoticeFromRow) => (row.standing, row.version),
            TAKEN => (Standing::Held, row.version),
            _ => (Standing::Standby, row.version),
        };
    }
    notes
}
