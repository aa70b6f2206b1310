//! Everything that is not a worker (time, buyers, faults), put together with the workers into one model.

use crate::explorer::Model;
use crate::invariants;
use crate::ledger;
use crate::rules::Rule;
use crate::state::{Broken, Kind, Ledger, Money, P, RAISE, SLOTS, Scenario, Standing, State, Turnstile, Work, in_set};
use crate::step::{Action, Steps, Who, picture};
use crate::{checkout, consumer, releaser, sweeper};

impl Model for Scenario {
    type State = State;
    type Action = Action;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        let mut state = State {
            turnstile: Turnstile { generation: 1, ..Turnstile::default() },
            ledger: Ledger { generation: 1, capacity: self.capacity, ..Ledger::default() },
            left: self.left,
            ..State::default()
        };
        state.turnstile.core.capacity = self.capacity;
        for batch in 0..self.decided {
            let answer = state.turnstile.reserve(self, batch, 1, (0, 0)).ok().expect("nothing is stale yet");
            ledger::record(self, &mut state, &[answer]);
            state.acked |= 1 << batch;
        }
        for (payment, reservation) in self.reservations().filter(|r| in_set(self.paid, *r)).enumerate() {
            let row = &mut state.ledger.rows[reservation];
            row.becomes(Standing::Confirmed);
            row.payment = payment as u8;
            state.ledger.payments[payment] = reservation as u8 + 1;
            state.provider.money[payment] = Money::Captured;
        }
        for reservation in self.reservations().filter(|r| in_set(self.cancelled, *r)) {
            state.ledger.end(reservation, Standing::Cancelled);
        }
        state
    }

    fn steps(&self, state: &State, out: &mut Vec<(Action, State)>) {
        let mut steps = Steps { scenario: self, state, out };
        for (slot, kind) in self.slots.iter().enumerate() {
            match kind {
                Kind::Consumer => consumer::steps(&mut steps, slot),
                Kind::Releaser => releaser::steps(&mut steps, slot),
                Kind::Sweeper => sweeper::steps(&mut steps, slot),
                Kind::Checkout => checkout::steps(&mut steps, slot),
                Kind::Payer => checkout::resolve(&mut steps, slot),
                Kind::Raiser => raise(&mut steps, slot),
            }
        }
        passage(&mut steps);
        faults(&mut steps);
    }

    fn always(&self, state: &State) -> Option<Broken> {
        state.broken.or_else(|| invariants::always(self, state))
    }

    fn is_at_rest(&self, state: &State) -> bool {
        invariants::is_at_rest(self, state)
    }

    fn at_rest(&self, state: &State) -> Option<Broken> {
        invariants::at_rest(self, state)
    }

    fn picture(&self, state: &State) -> String {
        picture(self, state)
    }
}

/// Raises the ledger's capacity, and then the turnstile's, while it lags and that raise has no turn. The other way round, with that rule off, a
/// raise that was lost on its way is repeated by no actor.
fn raise(steps: &mut Steps, slot: usize) {
    let state = steps.state;
    if state.work[slot] != Work::Idle {
        return releaser::steps(steps, slot);
    }
    let ledger_first = steps.scenario.rules.has(Rule::LedgerRaisesFirst);
    // The capacity of a closed sale stays as it is.
    let may_raise = state.left.raises > 0 && !state.ledger.closed;
    if may_raise && ledger_first {
        steps.add(Who::Operator, "raises the capacity in the ledger", 0, |next| {
            next.left.raises -= 1;
            next.ledger.capacity += 1;
            ""
        });
    } else if may_raise {
        let before = steps.out.len();
        releaser::start(steps, slot, RAISE, None);
        steps.out[before..].iter_mut().for_each(|(_, next)| next.left.raises -= 1);
    } else if ledger_first && !state.ledger.is_recorded(RAISE) && lags(state) {
        releaser::start(steps, slot, RAISE, None);
    }
}

/// The turnstile is there, and does not know of a raise.
pub fn lags(state: &State) -> bool {
    state.turnstile.generation != 0 && state.turnstile.core.capacity < state.ledger.capacity
}

/// Time passes, holds lapse, buyers cancel, the sale closes, standby ends, late captures come through.
fn passage(steps: &mut Steps) {
    let scenario = steps.scenario;
    let rows = &steps.state.ledger.rows;
    for reservation in scenario.reservations() {
        let row = rows[reservation];
        let ticks = matches!(row.standing, Standing::Held | Standing::Paying) && !row.overdue;
        if ticks && in_set(scenario.lapses, reservation) {
            steps.add(Who::Time, "the hold of r# runs out", reservation, |next| {
                next.ledger.rows[reservation].overdue = true;
                ""
            });
        }
        if row.standing == Standing::Held && row.overdue {
            steps.add(Who::Time, "an alarm lapses r#", reservation, |next| {
                next.ledger.end(reservation, Standing::Lapsed);
                ""
            });
        }
        let may_cancel = matches!(row.standing, Standing::Held | Standing::Standby);
        if may_cancel && in_set(scenario.cancels, reservation) {
            steps.add(Who::Buyer, "cancels r#", reservation, |next| {
                next.ledger.end(reservation, Standing::Cancelled);
                ""
            });
        }
    }
    let ends: Vec<usize> = scenario.reservations().filter(|r| standby_ends(scenario, steps.state, *r)).collect();
    if let Some(&first) = ends.first() {
        steps.add(Who::Time, "the sweeper ends standby, of r# and all behind it", first, |next| {
            ends.iter().for_each(|r| next.ledger.end(*r, Standing::Ended));
            ""
        });
    }
    for reservation in scenario.reservations().filter(|r| scenario.split_of(*r).is_some()) {
        refund_units(steps, reservation);
    }
    if scenario.closes {
        steps.add(Who::Operator, "closes the sale", 0, |next| {
            next.ledger.closed = true;
            ""
        });
    }
    for payment in (0..P).filter(|p| steps.state.provider.late[*p]) {
        steps.add(Who::Provider, "a late capture of payment # comes through", payment, |next| {
            next.provider.late[payment] = false;
            if next.provider.money[payment] == Money::Open {
                next.provider.money[payment] = Money::Captured;
            }
            ""
        });
    }
}

/// An operator gives back a unit of what is paid, or all that is left of it.
fn refund_units(steps: &mut Steps, reservation: usize) {
    let scenario = steps.scenario;
    let Some(split) = scenario.split_of(reservation) else { return };
    let rows = &steps.state.ledger.rows;
    if rows[reservation].standing != Standing::Confirmed {
        return;
    }
    if rows[split].standing == Standing::Unborn && rows[reservation].units.count_ones() > 1 {
        steps.add(Who::Operator, "gives back a unit of r#", reservation, |next| {
            next.ledger.split(scenario, reservation, split);
            ""
        });
    }
    steps.add(Who::Operator, "gives back what is left of r#", reservation, |next| {
        let payment = next.ledger.rows[reservation].payment;
        next.provider.money[payment as usize] = Money::Back;
        // Of a sale whose standby goes on until the close, no party is sent away before.
        let ends = next.ledger.closed || scenario.until_paid;
        if ends && next.ledger.rows.iter().any(|row| row.standing == Standing::Ended) {
            next.ledger.late += next.ledger.rows[reservation].units.count_ones() as u8;
        }
        next.ledger.end(reservation, Standing::Refunded);
        ""
    });
}

/// The sale is closed and nothing can come back, or everything is paid and the operator wished it so.
pub fn standby_ends(scenario: &Scenario, state: &State, reservation: usize) -> bool {
    let (ledger, rules) = (&state.ledger, scenario.rules);
    let rows = &ledger.rows;
    let free =
        u32::from(ledger.capacity).saturating_sub(ledger.claims.iter().filter(|owner| **owner != 0).count() as u32);
    let fits = scenario.quantity(reservation) <= free && rules.has(Rule::StandbyOutlastsRaise);
    if rows[reservation].standing != Standing::Standby || fits {
        return false;
    }
    let comes_back =
        rows.iter().any(|row| matches!(row.standing, Standing::Held | Standing::Paying) || row.is_unfreed());
    let paid = rows.iter().filter(|row| row.standing == Standing::Confirmed);
    let all_paid = paid.map(|row| row.units.count_ones()).sum::<u32>() == u32::from(ledger.capacity);
    let paid = all_paid && (scenario.until_paid || !rules.has(Rule::StandbyOutlastsPayment));
    paid || (ledger.closed && !(comes_back && rules.has(Rule::StandbyOutlastsHolds)))
}

fn faults(steps: &mut Steps) {
    let left = steps.state.left;
    let consumers = steps.scenario.slots.iter().filter(|kind| **kind == Kind::Consumer).count();
    if left.crashes > 0 {
        for slot in (0..SLOTS).filter(|slot| steps.state.work[*slot] != Work::Idle) {
            let what = "slot # dies with what it had in hand";
            steps.add(Who::Fault, what, slot, |next| {
                next.left.crashes -= 1;
                next.work[slot] = Work::Idle;
                ""
            });
        }
    }
    if left.takeovers > 0 {
        steps.add(Who::Fault, "the consumer falls asleep, another takes over", 0, |next| {
            next.left.takeovers -= 1;
            next.active = (next.active + 1) % consumers as u8;
            ""
        });
    }
    if left.wipes > 0 {
        steps.add(Who::Fault, "the turnstile is wiped", 0, |next| {
            next.left.wipes -= 1;
            next.turnstile = Turnstile::wiped();
            next.hurt = true;
            ""
        });
    }
    if left.failovers > 0 {
        steps.add(Who::Fault, "the turnstile's replica stops following", 0, |next| {
            next.replica.get_or_insert(next.turnstile);
            ""
        });
        if let Some(replica) = steps.state.replica {
            steps.add(Who::Fault, "the turnstile fails over to its replica", 0, |next| {
                next.left.failovers -= 1;
                next.hurt |= replica != next.turnstile;
                next.turnstile = replica;
                next.replica = None;
                ""
            });
        }
    }
}
