//! Money that is to go back: asked for at the provider until it has gone, or definitely will not.
//!
//! A refund is claimed by one conditional write before the provider is asked, and the same write says when the next one may
//! ask: a process that crashes, or gets no answer, leaves a refund that is due again when its wait is over. Each answer is written
//! only over the claim that it answers. What was refunded directly at the provider is read from its list.

use crate::app::money::Needs;
use crate::app::money::metric::Metric;
use crate::app::money::points;
use crate::app::sale::tell::{self, try_to_notify};
use crate::app::sale::turns::sure_now;
use crate::domain::money::payment::{
    MadeRefund, Payment, PaymentState, RefundAnswer, RefundEntry, RefundKind, RefundPace, RefundState,
};
use crate::domain::shared::id::PaymentId;
use crate::ports::{Fault, Result};

/// Times a list is read again because its refunds moved meanwhile.
const LOOKS_MAX: u32 = 8;

/// One ask of one refund whose time has come, unless another process has it.
pub async fn ask(needs: &Needs, pace: RefundPace, telling: &tell::Settings, due: &RefundEntry) -> Result<()> {
    let Some(claimed) = due.asked(pace, sure_now(&*needs.clock)?) else { return Ok(()) };
    if !needs.refunds.move_refund(due, &claimed).await? {
        return Ok(());
    }
    needs.faults.reach(points::REFUND_AFTER_CLAIM).await;
    let answer = needs.payments.refund(&claimed.refund, claimed.tries).await?;
    needs.faults.reach(points::REFUND_AFTER_PROVIDER).await;
    if matches!(answer, RefundAnswer::Refused { .. }) {
        // Perhaps it was refunded in the provider's own dashboard, and the webhook was lost. Then the claim is gone.
        take_over(needs, telling, claimed.refund.payment).await?;
    }
    if let Some(next) = claimed.answered(&answer, pace, sure_now(&*needs.clock)?) {
        write(needs, telling, &claimed, &next).await?;
    }
    Ok(())
}

/// What the provider has of this payment's refunds becomes what our books say: refunds that ended there, and those made there
/// directly. A list that was read before a refund moved decides nothing about it. `false` of a payment that is not captured
/// here.
pub async fn take_over(needs: &Needs, telling: &tell::Settings, id: PaymentId) -> Result<bool> {
    let paid = needs.paying.payment(id).await?.filter(|paid| paid.state == PaymentState::Captured);
    let Some(paid) = paid else { return Ok(false) };
    for _ in 0..LOOKS_MAX {
        if take_over_once(needs, telling, &paid).await? {
            return Ok(true);
        }
    }
    Err(Fault::new("ledger", "the refunds of a payment do not stand still"))
}

async fn take_over_once(needs: &Needs, telling: &tell::Settings, paid: &Payment) -> Result<bool> {
    let entries = needs.refunds.refunds_of(&[paid.reservation]).await?;
    let made = needs.payments.refunds(paid.id).await?;
    let now = sure_now(&*needs.clock)?;
    let mut stood_still = true;
    for entry in entries.iter().filter(|entry| entry.refund.payment == paid.id) {
        if let Some(next) = entry.told(&made, now) {
            stood_still &= write(needs, telling, entry, &next).await?;
        }
    }
    let is_known = |made: &MadeRefund| entries.iter().any(|entry| entry.refund.id == made.id);
    let elsewhere: Vec<MadeRefund> =
        made.iter().filter(|made| !made.by_us && made.went() && !is_known(made)).cloned().collect();
    if !elsewhere.is_empty() {
        let went: i64 = made.iter().filter(|made| made.went()).map(|made| made.minor).sum();
        needs.refunds.refunds_made(paid.id, &elsewhere, paid.amount.minor - went, now).await?;
        tracing::info!(payment.id = %paid.id, refunds = elsewhere.len(), "refunds were made at the provider");
        let row = needs.reservations.reservation(paid.reservation).await?;
        try_to_notify(&needs.tell, telling, row.as_slice()).await;
    }
    Ok(stood_still)
}

/// Says whether it was written: not where the refund moved meanwhile.
async fn write(needs: &Needs, telling: &tell::Settings, from: &RefundEntry, to: &RefundEntry) -> Result<bool> {
    if !needs.refunds.move_refund(from, to).await? {
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
    let row = needs.reservations.reservation(to.reservation).await?;
    try_to_notify(&needs.tell, telling, row.as_slice()).await;
    Ok(true)
}
