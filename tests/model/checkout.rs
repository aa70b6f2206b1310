//! The gateway's checkout, and the payment-consumer's part that resolves payments: a payment is recorded before it is opened,
//! named by the row that it pays, captured, and settled by the provider's definite word. Whatever is left over is voided.

use crate::rules::Rule;
use crate::state::{Money, P, R, Scenario, Standing, State, Verdict, Work, in_set};
use crate::step::Steps;

pub fn steps(steps: &mut Steps, slot: usize) {
    let who = steps.who(slot);
    match steps.state.work[slot] {
        Work::Idle => record(steps, slot),
        Work::Open { reservation, payment } => steps.add(who, "opens payment #", payment as usize, |next| {
            let money = &mut next.provider.money[payment as usize];
            if *money == Money::None {
                *money = Money::Open;
            }
            next.work[slot] = Work::Begin { reservation, payment };
            ""
        }),
        Work::Begin { reservation, payment } => {
            steps.add(who, "moves Held to Paying with payment #", payment as usize, |next| {
                let row = &mut next.ledger.rows[reservation as usize];
                if row.standing != Standing::Held || row.overdue {
                    next.work[slot] = Work::Idle;
                    return "it is not held any more";
                }
                row.becomes(Standing::Paying);
                row.payment = payment;
                next.work[slot] = Work::Capture { reservation, payment };
                ""
            })
        }
        Work::Capture { reservation, payment } => capture(steps, slot, reservation, payment),
        Work::Settle { .. } => settle(steps, slot),
        _ => {}
    }
}

fn record(steps: &mut Steps, slot: usize) {
    let ledger = &steps.state.ledger;
    let Some(payment) = (0..P).find(|p| ledger.payments[*p] == 0) else { return };
    for reservation in (0..R).filter(|r| in_set(steps.scenario.pays, *r)) {
        if ledger.rows[reservation].standing == Standing::Held {
            steps.add(steps.who(slot), "records a payment for r#", reservation, |next| {
                next.ledger.payments[payment] = reservation as u8 + 1;
                next.work[slot] = Work::Open { reservation: reservation as u8, payment: payment as u8 };
                ""
            });
        }
    }
}

fn capture(steps: &mut Steps, slot: usize, reservation: u8, payment: u8) {
    let rules = steps.scenario.rules;
    let who = steps.who(slot);
    let at = payment as usize;
    let settle = move |verdict| Work::Settle { reservation, payment, verdict };
    if steps.state.provider.money[at] == Money::Dead {
        steps.add(who, "captures payment #", at, |next| {
            next.work[slot] = settle(Verdict::Void);
            "it is void"
        });
        return;
    }
    steps.add(who, "captures payment #", at, |next| {
        next.provider.money[at] = Money::Captured;
        next.work[slot] = settle(Verdict::Captured);
        "captured"
    });
    steps.add(who, "captures payment #", at, |next| {
        next.provider.money[at] = Money::Dead;
        next.work[slot] = settle(Verdict::Void);
        "declined"
    });
    steps.add(who, "captures payment #", at, |next| {
        next.provider.late[at] = true;
        let declined = !rules.has(Rule::TimeoutIsNoDecline);
        next.work[slot] = if declined { settle(Verdict::Void) } else { Work::Idle };
        "time-out"
    });
}

/// One conditional UPDATE: it asks for Paying with this payment.
fn settle(steps: &mut Steps, slot: usize) {
    let Work::Settle { reservation, payment, verdict } = steps.state.work[slot] else { return };
    let names = steps.scenario.rules.has(Rule::PayingNamesPayment);
    let what = match verdict {
        Verdict::Captured => "writes the order of r#",
        Verdict::Void => "moves r# out of Paying",
    };
    steps.add(steps.who(slot), what, reservation as usize, |next| {
        next.work[slot] = Work::Idle;
        let at = reservation as usize;
        let row = &mut next.ledger.rows[at];
        if row.standing != Standing::Paying || (names && row.payment != payment) {
            return "it is not paying with this payment";
        }
        match verdict {
            Verdict::Captured => row.becomes(Standing::Confirmed),
            Verdict::Void if row.overdue => next.ledger.end(at, Standing::Lapsed),
            Verdict::Void => {
                row.becomes(Standing::Held);
                row.payment = 0;
            }
        }
        ""
    });
}

/// A Paying that is old, or a payment that no row took: voided, which has a definite answer.
pub fn resolve(steps: &mut Steps, slot: usize) {
    let who = steps.who(slot);
    match steps.state.work[slot] {
        Work::Idle => {
            for payment in 0..P {
                if let Some(reservation) = unresolved(steps.state, payment) {
                    steps.add(who, "finds payment # unresolved", payment, |next| {
                        next.work[slot] = Work::Void { reservation: reservation as u8, payment: payment as u8 };
                        ""
                    });
                }
            }
        }
        Work::Void { reservation, payment } => steps.add(who, "voids payment #", payment as usize, |next| {
            let money = &mut next.provider.money[payment as usize];
            let captured = *money == Money::Captured;
            if !captured {
                *money = Money::Dead;
                next.provider.late[payment as usize] = false;
            }
            let verdict = if captured { Verdict::Captured } else { Verdict::Void };
            next.work[slot] = Work::Settle { reservation, payment, verdict };
            if captured { "it is captured" } else { "voided" }
        }),
        Work::Settle { .. } => settle(steps, slot),
        _ => {}
    }
}

/// The reservation of a payment that is still to be resolved.
pub fn unresolved(state: &State, payment: usize) -> Option<usize> {
    let reservation = (state.ledger.payments[payment] as usize).checked_sub(1)?;
    let row = &state.ledger.rows[reservation];
    let named = row.payment as usize == payment && (row.standing == Standing::Paying);
    let dead = matches!(state.provider.money[payment], Money::Dead | Money::Back);
    let paid = row.standing == Standing::Confirmed && row.payment as usize == payment;
    (named || !(dead || paid)).then_some(reservation)
}

/// A capture stands when its reservation names it, and is the only one; money that goes back pays for nothing.
pub fn money_is_right(scenario: &Scenario, state: &State) -> bool {
    let captured = |p: &usize| state.provider.money[*p] == Money::Captured;
    let stands = (0..P).filter(captured).all(|payment| {
        let row = &state.ledger.rows[state.ledger.payments[payment] as usize - 1];
        row.payment as usize == payment && matches!(row.standing, Standing::Paying | Standing::Confirmed)
    });
    let paid = scenario.reservations().filter(|r| state.ledger.rows[*r].standing == Standing::Confirmed);
    stands && paid.into_iter().all(|r| captured(&(state.ledger.rows[r].payment as usize)))
}
