//! Rows, releasers and faults put together into one model, and what must hold in it.

use crate::event::Event;
use crate::explorer::Model;

use super::chooser::{can_never_fit, next as next_party};
use super::state::{Broken, Read, Row, Standing, State};
use super::worlds::World;
use super::{Steps, ledger};

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        let mut state = State { crashes: self.crashes, ..State::default() };
        for (row, seats) in self.holders.iter().enumerate() {
            state.rows[row] = Row { standing: Standing::Held, seats: *seats };
        }
        state
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        ledger::rows(&mut steps);
        ledger::release(&mut steps);
        if state.crashes > 0 && (state.in_hand != 0 || state.reads[1] != Read::Nothing) {
            steps.fault("the releaser dies", 0, |next| {
                next.crashes -= 1;
                (next.in_hand, next.reads[1]) = (0, Read::Nothing);
            });
        }
    }

    fn always(&self, state: &State) -> Option<Broken> {
        let owns = |row: &&Row| matches!(row.standing, Standing::Held | Standing::Confirmed);
        let owned: u32 = state.rows.iter().filter(owns).map(|row| row.seats.count_ones()).sum();
        state.broken.or((owned != state.taken().count_ones()).then_some(Broken::Oversell))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        let rows = &state.rows[..self.rows()];
        let ends = |row: usize| self.has(super::Rule::NeverFitsIsEnded) && can_never_fit(self, state, row);
        rows.iter().all(|row| row.standing != Standing::Unborn)
            && state.reads == [Read::Nothing; 2]
            && (state.unfreed, state.in_hand, state.reserved) == (0, 0, 0)
            && !state.waiting().any(|row| self.haste || ends(row))
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        if state.waiting().any(|row| can_never_fit(self, state, row)) {
            return Some(Broken::Stuck);
        }
        next_party(self, state, state.free()).map(|_| Broken::Idle)
    }

    fn picture(&self, state: &State) -> String {
        let rows = state.rows[..self.rows()].iter().enumerate();
        let rows = rows.map(|(at, row)| format!("r{at}:{:?} {:03b}", row.standing, row.seats));
        let line = state.waiting().map(|row| format!("r{row}"));
        format!(
            "{} | line {} | unfreed {:03b}, in hand {:03b}, for parties {:03b} | {:?}",
            rows.collect::<Vec<_>>().join(" "),
            line.collect::<Vec<_>>().join(" "),
            state.unfreed,
            state.in_hand,
            state.reserved,
            state.reads
        )
    }
}
