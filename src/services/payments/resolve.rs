//! Payments that nobody finished: voided, because a void's answer is definite and a time-out's is none.
//!
//! Until the provider has answered, the unit stays taken. Money that moved becomes an order where it still can, and is given
//! back where it cannot.

use crate::domain::id::{PaymentId, ReservationId};
use crate::domain::order;
use crate::domain::payment::RefundEntry;
use crate::ports::fault::Point;
use crate::ports::ledger::{Confirmed, Ledger};
use crate::ports::payments::{Payments, Voided};
use crate::ports::{Fault, Result, World};
use crate::services::payments::metric::Metric;
use crate::services::payments::{Settings, give_on};
use crate::services::tell::try_to_notify;
use crate::services::turns::sure_now;

/// Settles the payment, tells the buyer, and gives on what came free.
pub(super) async fn resolve<W: World>(
    world: &W,
    settings: &Settings,
    reservation: ReservationId,
    payment: PaymentId,
) -> Result<()> {
    settle(world, reservation, payment).await?;
    // A hold that goes on has its alarm still before it.
    let Some(row) = world.store().reservation(reservation).await? else { return Ok(()) };
    let told = try_to_notify(world, &settings.tell, std::slice::from_ref(&row));
    let ended = [row.id];
    let ((), given) = tokio::join!(told, give_on(world, settings, row.sale, &ended));
    given
}

/// Asks the provider to void the payment, and writes down what it answers: void, or an order, or a refund to be made.
pub async fn settle<W: World>(world: &W, reservation: ReservationId, payment: PaymentId) -> Result<()> {
    let voided = world.payments().void(payment).await?;
    world.faults().reach(Point::ResolveAfterVoid).await;
    let now = sure_now(world)?;
    let answer = match voided {
        Voided::Voided => {
            world.store().payment_voided(reservation, payment, now).await?;
            "voided"
        }
        Voided::Captured => {
            let chance = getrandom::u64().map_err(|error| Fault::new("chance", error))?;
            match world.store().confirm(reservation, payment, &order::number(chance), now).await? {
                Confirmed::Order(_) => "order",
                Confirmed::RefundDue(_) => "refund_due",
            }
        }
    };
    metrics::counter!(Metric::Resolved.name(), "answer" => answer).increment(1);
    Ok(())
}

/// Money that is to go back goes back, until it has.
pub(super) async fn give_back<W: World>(world: &W, settings: &Settings, due: &RefundEntry) -> Result<()> {
    world.payments().refund(&due.refund).await?;
    world.faults().reach(Point::RefundAfterProvider).await;
    world.store().refund_done(due.refund.id, sure_now(world)?).await?;
    metrics::counter!(Metric::Refunded.name()).increment(1);
    let row = world.store().reservation(due.reservation).await?;
    try_to_notify(world, &settings.tell, row.as_slice()).await;
    Ok(())
}
