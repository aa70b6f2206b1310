//! Tabs, checkouts, time and faults put together into one model, and what must hold in it.

use crate::event::Event;
use crate::explorer::Model;

use super::checkout::price;
use super::state::{Broken, CHECKOUTS, HOLD, Money, Payment, R, Row, Standing, State, Work};
use super::worlds::World;
use super::{Steps, checkout, tabs};

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        let mut state = State { left: self.left, ..State::default() };
        if self.waited_for {
            state.rows[0] = Row { standing: Standing::Standby, version: 1, ..Row::default() };
            state.rows[1] = Row { standing: Standing::Held, units: self.units, version: 1, ..Row::default() };
        }
        state
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        tabs::steps(&mut steps);
        (0..CHECKOUTS).for_each(|slot| checkout::steps(&mut steps, slot));
        checkout::resolve(&mut steps);
        faults(&mut steps);
    }

    fn always(&self, state: &State) -> Option<Broken> {
        let mut taken = 0;
        for row in state.rows.iter().filter(|row| row.is_open() || row.standing == Standing::Confirmed) {
            if taken & row.units != 0 {
                return Some(Broken::Oversell);
            }
            taken |= row.units;
            if row.standing == Standing::Confirmed && row.amount != price(self, row.units) {
                return Some(Broken::Price);
            }
        }
        let is_lost = |(payment, its): (usize, &Payment)| {
            let row = &state.rows[its.row as usize];
            let is_named = row.payment == Some(payment as u8);
            its.money == Money::Captured
                && !(is_named && matches!(row.standing, Standing::Paying | Standing::Confirmed))
        };
        if state.payments.iter().enumerate().any(is_lost) {
            return Some(Broken::Money);
        }
        if (1..R).filter(|row| state.rows[*row].is_open()).count() > 1 {
            return Some(Broken::TwoOpen);
        }
        state.broken.or((state.had > HOLD).then_some(Broken::Time))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        let is_overdue = |row: &Row| row.standing == Standing::Held && row.age == HOLD;
        let is_unfinished = |row: &Row| row.standing == Standing::Paying || is_overdue(row);
        state.work == [Work::Idle; CHECKOUTS]
            && !state.rows.iter().any(is_unfinished)
            && (state.unfreed, state.in_hand) == (0, 0)
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        let is_free = self.units & !state.taken() != 0;
        (is_free && state.rows[0].standing == Standing::Standby).then_some(Broken::Idle)
    }

    fn picture(&self, state: &State) -> String {
        let rows = state.rows.iter().enumerate().filter(|(_, row)| row.standing != Standing::Unborn);
        let rows = rows.map(|(at, row)| {
            let overdue = if row.age == HOLD { "(overdue)" } else { "" };
            format!("r{at}.{}:{:?}{overdue} {:03b}", row.version, row.standing, row.units)
        });
        let mut line = rows.collect::<Vec<_>>().join(" ");
        for (at, payment) in state.payments.iter().enumerate().filter(|(_, its)| its.money != Money::None) {
            line += &format!(" | p{at} of r{}: {:03b} {:?}", payment.row, payment.amount, payment.money);
        }
        for (slot, work) in state.work.iter().enumerate().filter(|(_, work)| **work != Work::Idle) {
            line += &format!(" | checkout {} {work:?}", slot + 1);
        }
        line + &format!(" | unfreed {:03b}, in hand {:03b}", state.unfreed, state.in_hand)
    }
}

fn faults(steps: &mut Steps) {
    let state = steps.state;
    if state.left.crashes == 0 {
        return;
    }
    for slot in (0..CHECKOUTS).filter(|slot| state.work[*slot] != Work::Idle) {
        steps.fault("checkout # dies", slot + 1, |next| {
            next.left.crashes -= 1;
            next.work[slot] = Work::Idle;
        });
    }
    if state.in_hand != 0 {
        steps.fault("the releaser dies", 0, |next| {
            next.left.crashes -= 1;
            next.in_hand = 0;
        });
    }
}
