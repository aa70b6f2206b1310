//! What the payment provider tells us: a hint where to look.
//!
//! Nothing it says is believed. What is done is what the sweeper would do of the same payment, every step of it conditional, so
//! that a word may come twice, late, in any order or never, and none is written down. It is answered when its effect is committed.

use crate::domain::id::{PaymentId, ReservationId};
use crate::domain::payment::PaymentState;
use crate::domain::reservation::State;
use crate::ports::ledger::{Confirmed, GiveBack, Ledger};
use crate::ports::payments::Payments;
use crate::ports::{Result, World};
use crate::services::gateway::Settings;
use crate::services::gateway::effort::{tell, wake};
use crate::services::payments::settle;
use crate::services::turns::sure_now;

/// What came of it, for the metrics.
pub async fn heed<W: World>(world: &W, settings: &Settings, id: PaymentId) -> Result<&'static str> {
    let Some(payment) = world.store().payment(id).await? else { return Ok("unknown") };
    let settles = match payment.state {
        // Something final is said of it and nobody has written that down: the gateway is about to, or died.
        PaymentState::Opened => true,
        // Mostly the echo of our own void. If money moved all the same, it goes back.
        PaymentState::Voided => world.payments().kept_minor(id).await? > 0,
        PaymentState::Captured => false,
    };
    if !settles {
        return Ok("known");
    }
    settle(world, payment.reservation, id).await?;
    pass_on(world, settings, payment.reservation).await?;
    Ok("settled")
}

/// Money went back. When that was not us, and nothing of it is left, its order goes as if an operator had given it back here.
pub async fn heed_refund<W: World>(world: &W, settings: &Settings, id: PaymentId) -> Result<&'static str> {
    let Some(payment) = world.store().payment(id).await? else { return Ok("unknown") };
    let row = world.store().reservation(payment.reservation).await?;
    let stands = row.is_some_and(|row| matches!(row.state, State::Confirmed { payment, .. } if payment == id));
    if !stands {
        return Ok("known");
    }
    if world.payments().kept_minor(id).await? > 0 {
        // Units that we gave back, or a part that somebody gave back elsewhere: which units that means, nobody can say here.
        return Ok("in_part");
    }
    // Confirming what is confirmed with this payment reads its order.
    let now = sure_now(world)?;
    if let Confirmed::Order(order) = world.store().confirm(payment.reservation, id, "", now).await? {
        let reason = Some("given back at the payment provider".to_owned());
        world.store().give_back(&GiveBack { number: order.number, units: None, reason, request: None }, now).await?;
    }
    pass_on(world, settings, payment.reservation).await?;
    Ok("given_back")
}

async fn pass_on<W: World>(world: &W, settings: &Settings, reservation: ReservationId) -> Result<()> {
    if let Some(row) = world.store().reservation(reservation).await? {
        tokio::join!(tell(world, settings, &row), wake(world, settings, &row));
    }
    Ok(())
}
