//! A checkout: read and price, take the row with a payment, capture, settle; and the payment-consumer that voids what is
//! left over.

use super::Steps;
use super::rules::Rule;
use super::state::{CHECKOUTS, HOLD, Money, P, Payment, Standing, State, Work};
use super::worlds::World;

const NAMES: [&str; CHECKOUTS] = ["Checkout 1", "Checkout 2"];

/// Each unit costs what no others cost together.
pub fn price(world: &World, units: u8) -> u8 {
    units & !world.free
}

pub fn steps(steps: &mut Steps, slot: usize) {
    let (world, state, who) = (steps.world, steps.state, NAMES[slot]);
    match state.work[slot] {
        Work::Idle => {
            let row = state.open().filter(|row| state.rows[*row].is_held_in_time());
            if let Some(row) = row.filter(|_| state.left.checkouts > 0) {
                steps.add(who, "reads r# and its price", row, |next| {
                    next.left.checkouts -= 1;
                    let its = &next.rows[row];
                    let (version, amount) = (its.version, price(world, its.units));
                    next.work[slot] = Work::Priced { row: row as u8, version, amount };
                    ""
                });
            }
        }
        Work::Priced { row, version, amount } => steps.add(who, "takes r#", row as usize, |next| {
            next.work[slot] = Work::Idle;
            let its = &mut next.rows[row as usize];
            let rule = if amount == 0 { Rule::FreeNamesVersion } else { Rule::PaymentNamesVersion };
            if !its.is_held_in_time() || its.version != version && world.has(rule) {
                return "it is not what was priced";
            }
            if amount == 0 {
                next.confirm(row as usize, 0);
                return "free, and confirmed";
            }
            let unused = (0..P).find(|payment| next.payments[*payment].money == Money::None);
            let Some(payment) = unused else { return "no payment is left" };
            (its.standing, its.payment) = (Standing::Paying, Some(payment as u8));
            its.version += 1;
            next.payments[payment] = Payment { row, amount, money: Money::Open };
            next.work[slot] = Work::Capture(payment as u8);
            "and records its payment"
        }),
        Work::Capture(payment) => capture(steps, slot, payment),
        Work::Settle(payment) => steps.add(who, "settles payment #", payment as usize, |next| {
            next.work[slot] = Work::Idle;
            settle(world, next, payment)
        }),
    }
}

fn capture(steps: &mut Steps, slot: usize, payment: u8) {
    let is_open = steps.state.payments[payment as usize].money == Money::Open;
    for (money, result) in [(Money::Captured, "captured"), (Money::Void, "declined")] {
        if is_open {
            steps.add(NAMES[slot], "captures payment #", payment as usize, |next| {
                next.payments[payment as usize].money = money;
                next.work[slot] = Work::Settle(payment);
                result
            });
        }
    }
    if !is_open {
        steps.add(NAMES[slot], "captures payment #", payment as usize, |next| {
            next.work[slot] = Work::Settle(payment);
            "it is settled by another"
        });
    }
}

/// By the provider's definite word. One conditional UPDATE: it asks for Paying with this payment.
fn settle(world: &World, next: &mut State, payment: u8) -> &'static str {
    let Payment { row, amount, money } = next.payments[payment as usize];
    let its = &mut next.rows[row as usize];
    let is_named = its.payment == Some(payment) || !world.has(Rule::PayingNamesPayment);
    if its.standing != Standing::Paying || !is_named {
        return "it is not paying with this payment";
    }
    if money == Money::Captured {
        next.confirm(row as usize, amount);
        return "confirmed";
    }
    (its.standing, its.payment) = (Standing::Held, None);
    its.version += 1;
    if its.age == HOLD {
        next.end(world, row as usize, true);
        return "lapsed";
    }
    "held again"
}

/// The payment-consumer finds a row that is Paying for long.
pub fn resolve(steps: &mut Steps) {
    let world = steps.world;
    for payment in 0..P {
        let Payment { row, money, .. } = steps.state.payments[payment];
        let its = &steps.state.rows[row as usize];
        if its.standing != Standing::Paying || its.payment != Some(payment as u8) {
            continue;
        }
        if money == Money::Open {
            steps.add("Payment-consumer", "voids payment #", payment, |next| {
                next.payments[payment].money = Money::Void;
                ""
            });
        } else {
            steps.add("Payment-consumer", "settles payment #", payment, |next| settle(world, next, payment as u8));
        }
    }
}
