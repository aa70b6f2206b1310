//! One checkout between its two groups: it asks the provider by itself, side by side with the others.

use super::gateway::keep;
use super::rules::Rule;
use super::state::{Answer, Money, Standing, State, Work, Written};
use super::worlds::World;
use super::{GATEWAY_NAMES, Steps};

pub fn steps(steps: &mut Steps, checkout: usize) {
    let world = steps.world;
    let hold = world.checkouts[checkout].hold;
    let who = GATEWAY_NAMES[world.checkouts[checkout].gateway];
    match steps.state.work[checkout] {
        Work::Unsent => unsent(steps, checkout),
        Work::Open => open(steps, checkout, who),
        Work::Take => steps.add(who, "takes the hold for payment #", checkout, |next| {
            let row = &mut next.rows[hold];
            if row.standing != Standing::Held || row.overdue {
                next.work[checkout] = Work::Unopened;
                return "it is not held any more";
            }
            row.becomes(Standing::Paying, checkout);
            next.work[checkout] = Work::Capture;
            ""
        }),
        Work::Capture => capture(steps, checkout, who),
        Work::Decline => steps.add(who, "writes the decline of payment #", checkout, |next| {
            give_back(world, next, checkout);
            next.work[checkout] = Work::Say(Answer::Declined);
            ""
        }),
        Work::Unopened => steps.add(who, "voids payment #", checkout, |next| {
            next.work[checkout] = match void(world, next, checkout) {
                true => Work::Say(Answer::Paying),
                false => Work::GiveBack,
            };
            ""
        }),
        Work::GiveBack => steps.add(who, "gives the hold of payment # back", checkout, |next| {
            give_back(world, next, checkout);
            next.work[checkout] = Work::Say(Answer::Fault);
            ""
        }),
        Work::Note => steps.add(who, "writes the payment of nothing, #", checkout, |next| {
            next.written[checkout] = Written::Captured;
            next.work[checkout] = Work::Say(Answer::Order(checkout as u8));
            ""
        }),
        Work::Say(answer) => steps.add(who, "keeps and tells the answer to checkout #", checkout, |next| {
            keep(world, next, checkout, answer);
            next.work[checkout] = Work::Told(answer);
            ""
        }),
        Work::Waiting | Work::Planned { .. } | Work::Finish | Work::Told(_) | Work::Lost => {}
    }
}

fn unsent(steps: &mut Steps, checkout: usize) {
    let is = |set: u8| set & (1 << checkout) != 0;
    if !is(steps.state.gone) || !steps.world.has(Rule::CallerIsThere) {
        let who = if is(steps.world.faces) { "Face" } else { "Buyer" };
        steps.add(who, "sends checkout #", checkout, |next| {
            next.work[checkout] = Work::Waiting;
            ""
        });
    }
    if is(steps.world.faces) {
        steps.add("Caller", "hangs up before checkout #", checkout, |next| {
            next.gone |= 1 << checkout;
            ""
        });
    }
}

fn open(steps: &mut Steps, checkout: usize, who: &'static str) {
    let is_taken = steps.world.has(Rule::TakenBeforeAsked);
    steps.add(who, "opens payment #", checkout, |next| {
        let money = &mut next.money[checkout];
        if *money == Money::Dead {
            next.work[checkout] = Work::Unopened;
            return "it is void";
        }
        *money = Money::Open;
        next.work[checkout] = if is_taken { Work::Capture } else { Work::Take };
        ""
    });
    if steps.state.left.timeouts > 0 {
        steps.add(who, "opens payment #", checkout, |next| {
            next.left.timeouts -= 1;
            next.late_opens |= 1 << checkout;
            next.work[checkout] = Work::Unopened;
            "time-out"
        });
    }
}

fn capture(steps: &mut Steps, checkout: usize, who: &'static str) {
    let world = steps.world;
    if steps.state.money[checkout] != Money::Open {
        return steps.add(who, "captures payment #", checkout, |next| {
            next.work[checkout] = Work::Decline;
            "it is void"
        });
    }
    for (money, work, result) in [(Money::Captured, Work::Finish, "captured"), (Money::Dead, Work::Decline, "declined")]
    {
        steps.add(who, "captures payment #", checkout, |next| {
            (next.money[checkout], next.work[checkout]) = (money, work);
            result
        });
    }
    if steps.state.left.timeouts > 0 {
        steps.add(who, "captures payment #", checkout, |next| {
            next.left.timeouts -= 1;
            next.late_captures |= 1 << checkout;
            let is_known = world.has(Rule::TimeoutIsNoDecline);
            next.work[checkout] = if is_known { Work::Say(Answer::Paying) } else { Work::Decline };
            "time-out"
        });
    }
}

/// Says whether money had moved already: otherwise it never will.
pub fn void(world: &World, next: &mut State, payment: usize) -> bool {
    let money = &mut next.money[payment];
    if *money == Money::Open || *money == Money::Unheard && world.has(Rule::VoidIsFinal) {
        *money = Money::Dead;
    }
    *money == Money::Captured
}

/// The payment came to nothing. One conditional UPDATE: it asks for Paying with this payment.
pub fn give_back(world: &World, next: &mut State, payment: usize) {
    let row = &mut next.rows[world.checkouts[payment].hold];
    let is_named = row.names(payment) || !world.has(Rule::PayingNamesPayment);
    if row.standing == Standing::Paying && is_named {
        row.goes_back();
    }
    if next.written[payment] == Written::Recorded {
        next.written[payment] = Written::Void;
    }
}
