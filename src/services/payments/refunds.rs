//! Money that is to go back: asked for at the provider until it has gone, or definitely will not.
//!
//! A refund is claimed by one conditional write before the provider is asked, and the same write says when the next one may
//! ask: whoever dies, or hears nothing, leaves a refund that is due again when its wait is over. Each answer is written only
//! over the claim that it answers. What the provider did by itself, or somebody in its own window, is read from its list.

use crate::domain::id::PaymentId;
use crate::domain::payment::{MadeRefund, Payment, PaymentState, RefundAnswer, RefundEntry, RefundKind, RefundState};
use crate::ports::fault::Point;
use crate::ports::ledger::Ledger;
use crate::ports::payments::Payments;
use crate::ports::{Fault, Result, World};
use crate::services::payments::Settings;
use crate::services::payments::metric::Metric;
use crate::services::tell::{self, try_to_notify};
use crate::services::turns::sure_now;

/// Times a list is read again because its refunds moved meanwhile.
const LOOKS_MAX: u32 = 8;

/// One ask of one refund whose time has come, if nobody else has it.
pub(super) async fn ask<W: World>(world: &W, settings: &Settings, due: &RefundEntry) -> Result<()> {
    let (pace, telling) = (settings.refund_pace(), &settings.tell);
    let Some(claimed) = due.asked(pace, sure_now(world)?) else { return Ok(()) };
    if !world.store().move_refund(due, &claimed).await? {
        return Ok(());
    }
    world.faults().reach(Point::RefundAfterClaim).await;
    let answer = world.payments().refund(&claimed.refund, claimed.tries).await?;
    world.faults().reach(Point::RefundAfterProvider).await;
    if matches!(answer, RefundAnswer::Refused { .. }) {
        // Perhaps somebody gave it back in the provider's own window, and the word of it was lost. Then the claim is gone.
        take_over(world, telling, claimed.refund.payment).await?;
    }
    if let Some(next) = claimed.answered(&answer, pace, sure_now(world)?) {
        write(world, telling, &claimed, &next).await?;
    }
    Ok(())
}

/// What the provider has of this payment's refunds becomes what our books say: a refund that ended there, and what somebody
/// else gave back. A list that was read before a refund moved decides nothing about it. `false` of a payment that is not
/// captured here.
pub async fn take_over<W: World>(world: &W, telling: &tell::Settings, id: PaymentId) -> Result<bool> {
    let paid = world.store().payment(id).await?.filter(|paid| paid.state == PaymentState::Captured);
    let Some(paid) = paid else { return Ok(false) };
    for _ in 0..LOOKS_MAX {
        if take_over_once(world, telling, &paid).await? {
            return Ok(true);
        }
    }
    Err(Fault::new("ledger", "the refunds of a payment do not stand still"))
}

async fn take_over_once<W: World>(world: &W, telling: &tell::Settings, paid: &Payment) -> Result<bool> {
    let entries = world.store().refunds_of(&[paid.reservation]).await?;
    let made = world.payments().refunds(paid.id).await?;
    let now = sure_now(world)?;
    let mut stood_still = true;
    for entry in entries.iter().filter(|entry| entry.refund.payment == paid.id) {
        if let Some(next) = entry.told(&made, now) {
            stood_still &= write(world, telling, entry, &next).await?;
        }
    }
    let is_known = |made: &MadeRefund| entries.iter().any(|entry| entry.refund.id == made.id);
    let elsewhere: Vec<MadeRefund> =
        made.iter().filter(|made| !made.by_us && made.went() && !is_known(made)).cloned().collect();
    if !elsewhere.is_empty() {
        let went: i64 = made.iter().filter(|made| made.went()).map(|made| made.minor).sum();
        world.store().refunds_made(paid.id, &elsewhere, paid.amount.minor - went, now).await?;
        tracing::info!(payment.id = %paid.id, refunds = elsewhere.len(), "refunds were made at the provider");
        let row = world.store().reservation(paid.reservation).await?;
        try_to_notify(world, telling, row.as_slice()).await;
    }
    Ok(stood_still)
}

/// Says whether it was written: not where the refund moved meanwhile.
async fn write<W: World>(world: &W, telling: &tell::Settings, from: &RefundEntry, to: &RefundEntry) -> Result<bool> {
    if !world.store().move_refund(from, to).await? {
        return Ok(false);
    }
    match &to.state {
        RefundState::Done { .. } => metrics::counter!(Metric::Refunded.name()).increment(1),
        RefundState::Failed { code, .. } => {
            metrics::counter!(Metric::RefundFailed.name()).increment(1);
            tracing::error!(refund.id = %to.refund.id, payment.id = %to.refund.payment, code, tries = to.tries, "a refund failed");
        }
        _ => {}
    }
    if to.state.kind() == RefundKind::Due {
        return Ok(true);
    }
    let row = world.store().reservation(to.reservation).await?;
    try_to_notify(world, telling, row.as_slice()).await;
    Ok(true)
}
