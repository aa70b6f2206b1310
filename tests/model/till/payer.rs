//! The payment-consumer: a payment that has been unfinished for long is voided, which has a definite answer, and that
//! is written.

use super::Steps;
use super::checkout::{give_back, void};
use super::state::{Broken, CHECKOUTS, Payer, Standing, Written};

const WHO: &str = "Payment-consumer";

pub fn steps(steps: &mut Steps) {
    let world = steps.world;
    match steps.state.payer {
        Payer::Idle => {
            for payment in (0..CHECKOUTS).filter(|p| steps.state.written[*p] == Written::Recorded) {
                steps.add(WHO, "finds payment # unfinished", payment, |next| {
                    next.payer = Payer::Void(payment as u8);
                    ""
                });
            }
        }
        Payer::Void(payment) => steps.add(WHO, "voids payment #", payment as usize, |next| {
            let is_captured = void(world, next, payment as usize);
            next.payer = Payer::Settle { payment, is_captured };
            if is_captured { "it is captured" } else { "void" }
        }),
        Payer::Settle { payment, is_captured: false } => {
            steps.add(WHO, "gives the hold of payment # back", payment as usize, |next| {
                give_back(world, next, payment as usize);
                next.payer = Payer::Idle;
                ""
            });
        }
        Payer::Settle { payment, is_captured: true } => {
            let at = payment as usize;
            steps.add(WHO, "writes the order of payment #", at, |next| {
                next.payer = Payer::Idle;
                let row = &mut next.rows[world.checkouts[at].hold];
                if !row.names(at) {
                    // The money would have to go back.
                    next.broken = Some(Broken::Money);
                    return "it is not paying with this payment";
                }
                row.becomes(Standing::Confirmed, at);
                next.written[at] = Written::Captured;
                ""
            });
        }
    }
}
