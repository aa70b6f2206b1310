//! What the payment provider tells us: a hint where to look.
//!
//! Nothing it says is believed. What is done is what the sweeper would do of the same payment, every step of it conditional, so
//! that a word may come twice, late, in any order or never, and none is written down. It is answered when its effect is committed.

use crate::domain::id::{PaymentId, ReservationId};
use crate::domain::payment::PaymentState;
use crate::ports::ledger::Ledger;
use crate::ports::payments::Payments;
use crate::ports::{Result, World};
use crate::services::gateway::Settings;
use crate::services::gateway::effort::{tell, wake};
use crate::services::payments::{settle, take_over};
use crate::services::tell::Settings as Telling;

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

/// Money went back, or did not after all. What the provider has is what our books say afterwards; where somebody gave back all
/// that was left, the order goes as if an operator had given it back here.
pub async fn heed_refund<W: World>(world: &W, settings: &Settings, id: PaymentId) -> Result<&'static str> {
    let Some(payment) = world.store().payment(id).await? else { return Ok("unknown") };
    if payment.state != PaymentState::Captured {
        // The word of the money's coming is still on its way, or was lost.
        heed(world, settings, id).await?;
    }
    if !take_over(world, &Telling::default(), id).await? {
        return Ok("known");
    }
    pass_on(world, settings, payment.reservation).await?;
    Ok("taken_over")
}

async fn pass_on<W: World>(world: &W, settings: &Settings, reservation: ReservationId) -> Result<()> {
    if let Some(row) = world.store().reservation(reservation).await? {
        tokio::join!(tell(world, settings, &row), wake(world, settings, &row));
    }
    Ok(())
}
