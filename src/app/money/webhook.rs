//! What the payment provider tells us: a hint where to look.
//!
//! Nothing it says is believed. What is done is what the sweeper would do of the same payment, every step of it conditional, so
//! that a webhook may come twice, late, in any order or never, and none is stored. It is answered when its effect is committed.

use crate::app::money::Needs;
use crate::app::money::refunds::take_over;
use crate::app::money::settle::settle;
use crate::app::sale::best_effort::{Effort, tell, wake};
use crate::app::sale::tell::Settings as Telling;
use crate::domain::money::payment::PaymentState;
use crate::domain::shared::id::{PaymentId, ReservationId};
use crate::ports::Result;

/// What came of it, for the metrics.
pub async fn handle_webhook(needs: &Needs, effort: Effort, id: PaymentId) -> Result<&'static str> {
    let Some(payment) = needs.paying.payment(id).await? else { return Ok("unknown") };
    let settles = match payment.state {
        // The provider's answer is final and not written down: the gateway is about to, or crashed.
        PaymentState::Opened => true,
        // Mostly the echo of our own void. If money moved all the same, it goes back.
        PaymentState::Voided => needs.payments.kept_minor(id).await? > 0,
        PaymentState::Captured => false,
    };
    if !settles {
        return Ok("known");
    }
    settle(needs, payment.reservation, id).await?;
    pass_on(needs, effort, payment.reservation).await?;
    Ok("settled")
}

/// Money went back, or did not after all. What the provider has is what our books say afterwards; where all that was left was
/// refunded there, the order goes as if an operator had given it back here.
pub async fn heed_refund(needs: &Needs, effort: Effort, id: PaymentId) -> Result<&'static str> {
    let Some(payment) = needs.paying.payment(id).await? else { return Ok("unknown") };
    if payment.state != PaymentState::Captured {
        // The webhook of the payment is still on its way, or was lost.
        handle_webhook(needs, effort, id).await?;
    }
    if !take_over(needs, &Telling::default(), id).await? {
        return Ok("known");
    }
    pass_on(needs, effort, payment.reservation).await?;
    Ok("taken_over")
}

async fn pass_on(needs: &Needs, effort: Effort, reservation: ReservationId) -> Result<()> {
    if let Some(row) = needs.reservations.reservation(reservation).await? {
        tokio::join!(tell(&needs.tell, effort, &row), wake(&needs.tell, effort, &row));
    }
    Ok(())
}
