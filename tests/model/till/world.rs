//! Everything that is not a worker (time, the provider, faults), put together with the workers into one model.

use crate::event::Event;
use crate::explorer::Model;

use super::state::{Broken, CHECKOUTS, Claim, GATEWAYS, Money, Payer, Standing, State, Work};
use super::worlds::World;
use super::{Steps, checkout, gateway, invariants, payer};

impl Model for World {
    type State = State;
    type Action = Event;
    type Broken = Broken;

    fn name(&self) -> &'static str {
        self.name
    }

    fn initial(&self) -> State {
        State { left: self.left, ..State::default() }
    }

    fn steps(&self, state: &State, out: &mut Vec<(Event, State)>) {
        let mut steps = Steps { world: self, state, out };
        (0..self.checkouts.len()).for_each(|one| checkout::steps(&mut steps, one));
        (0..GATEWAYS).for_each(|one| gateway::steps(&mut steps, one));
        payer::steps(&mut steps);
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
        let holds = state.rows.iter().map(|row| {
            let overdue = if row.overdue { "(overdue)" } else { "" };
            match row.standing {
                Standing::Paying | Standing::Confirmed => format!("{:?}(p{}){overdue}", row.standing, row.payment),
                Standing::Held | Standing::Lapsed => format!("{:?}{overdue}", row.standing),
            }
        });
        let mut line = format!("holds {}", holds.collect::<Vec<_>>().join(" "));
        for one in 0..self.checkouts.len() {
            let (work, written, money) = (state.work[one], state.written[one], state.money[one]);
            line += &format!(" | c{one} {work:?} p{one}:{written:?}/{money:?}");
        }
        line += &format!(" | keys {:?}", state.claims);
        if state.payer != Payer::Idle {
            line += &format!(" | payment-consumer {:?}", state.payer);
        }
        line
    }
}

/// Time passes, holds lapse, claims end, late effects come through.
fn passage(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    for (hold, row) in state.rows.iter().enumerate() {
        let ticks = matches!(row.standing, Standing::Held | Standing::Paying) && world.lapses & (1 << hold) != 0;
        if ticks && !row.overdue {
            steps.add("Time", "hold # runs out", hold, |next| {
                next.rows[hold].overdue = true;
                ""
            });
        }
        if row.standing == Standing::Held && row.overdue {
            steps.add("Payment-consumer", "lapses hold #", hold, |next| {
                next.rows[hold].standing = Standing::Lapsed;
                ""
            });
        }
    }
    for (key, claim) in state.claims.iter().enumerate() {
        let Claim::Taken(by) = *claim else { continue };
        if state.work[by as usize] == Work::Lost {
            steps.add("Time", "the claim of key # is over", key, |next| {
                next.claims[key] = Claim::Free;
                ""
            });
        } else if state.left.slow > 0 {
            steps.fault("the claim of key # is over, and its holder only slow", key, |next| {
                next.left.slow -= 1;
                next.claims[key] = Claim::Free;
            });
        }
    }
    for payment in 0..CHECKOUTS {
        if state.late_opens & (1 << payment) != 0 {
            steps.add("Provider", "payment # is opened late", payment, |next| {
                next.late_opens &= !(1 << payment);
                if next.money[payment] == Money::Unheard {
                    next.money[payment] = Money::Open;
                }
                ""
            });
        }
        if state.late_captures & (1 << payment) != 0 {
            steps.add("Provider", "payment # is captured late", payment, |next| {
                next.late_captures &= !(1 << payment);
                if next.money[payment] == Money::Open {
                    next.money[payment] = Money::Captured;
                }
                ""
            });
        }
    }
}

fn faults(steps: &mut Steps) {
    let (world, state) = (steps.world, steps.state);
    if state.left.crashes == 0 {
        return;
    }
    for gateway in 0..GATEWAYS {
        let is_here = |one: &usize| world.checkouts[*one].gateway == gateway && !state.work[*one].is_over();
        let here: Vec<usize> = (0..world.checkouts.len()).filter(is_here).collect();
        if !here.is_empty() {
            steps.fault("gateway # dies", gateway, |next| {
                next.left.crashes -= 1;
                here.iter().for_each(|one| lose(next, *one));
            });
        }
    }
    if state.payer != Payer::Idle {
        steps.fault("the payment-consumer dies", 0, |next| {
            next.left.crashes -= 1;
            next.payer = Payer::Idle;
        });
    }
}

/// What it was about to ask of the provider may be on its way.
fn lose(next: &mut State, checkout: usize) {
    match next.work[checkout] {
        Work::Open => next.late_opens |= 1 << checkout,
        Work::Capture => next.late_captures |= 1 << checkout,
        _ => {}
    }
    next.work[checkout] = Work::Lost;
}
