//! Unfinished payments: voided, because a void's answer is definite and a time-out's is none.
//!
//! Until the provider has answered, the unit stays taken. Money that moved becomes an order where it still can, and is given
//! back where it cannot.

use crate::app::money;
use crate::app::money::metric::Metric;
use crate::app::money::points;
use crate::app::sale::turns::sure_now;
use crate::domain::money::order;
use crate::domain::shared::id::{PaymentId, ReservationId};
use crate::ports::money::paying::Confirmed;
use crate::ports::money::payments::Voided;
use crate::ports::{Fault, Result};

/// Asks the provider to void the payment, and writes down what it answers: void, or an order, or a refund to be made.
pub async fn settle(needs: &money::Needs, reservation: ReservationId, payment: PaymentId) -> Result<()> {
    let voided = needs.payments.void(payment).await?;
    needs.faults.reach(points::RESOLVE_AFTER_VOID).await;
    let now = sure_now(&*needs.clock)?;
    let answer = match voided {
        Voided::Voided => {
            needs.paying.payment_voided(reservation, payment, now).await?;
            "voided"
        }
        Voided::Captured => {
            let chance = getrandom::u64().map_err(|error| Fault::new("chance", error))?;
            match needs.paying.confirm(reservation, payment, &order::number(chance), now).await? {
                Confirmed::Order(_) => "order",
                Confirmed::RefundDue(_) => "refund_due",
            }
        }
    };
    metrics::counter!(Metric::Resolved.name(), "answer" => answer).increment(1);
    Ok(())
}
