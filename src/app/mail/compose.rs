//! From an event to a letter: who is written to, and what about.

use crate::app::mail::Needs;
use crate::app::mail::{AnyReceipts, Receipt, Settings};
use crate::domain::shared::event::{Event, Fact};
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports::Result;
use crate::ports::mail::transport::{EmailJob, EmailTemplate, LETTER_VERSION, Recipient};

/// `None` when there is no recipient. The receipt is found by the sender of the letter.
pub async fn compose(needs: &Needs, settings: &Settings, event: &Event) -> Result<Option<EmailJob>> {
    let (buyer, sale) = whose(&event.fact);
    let Some(account) = needs.accounts.account(buyer).await? else { return Ok(None) };
    Ok(Some(EmailJob {
        version: LETTER_VERSION,
        id: event.id,
        at: event.at,
        locale: account.locale,
        to: Recipient { name: account.name, address: account.email },
        item: title(needs, sale).await?,
        shop_url: settings.shop_url.clone(),
        matter: matter(&event.fact),
        receipt: None,
    }))
}

/// The receipt that goes with the letter. A letter does not wait for long for one that cannot be had.
pub async fn receipt_for(
    needs: &Needs,
    settings: &Settings,
    receipts: Option<&AnyReceipts>,
    event: &Event,
) -> Result<Option<Receipt>> {
    let (Some(receipts), Some(order)) = (receipts, receipt_of(&event.fact)) else { return Ok(None) };
    match receipts.receipt(order).await {
        Err(fault) if needs.clock.now().since_ms(event.at) >= settings.receipt_ms_max => {
            tracing::error!(%fault, order, "a letter goes without its receipt");
            Ok(None)
        }
        receipt => receipt,
    }
}

/// The order whose receipt goes with the letter; a part that remains after a refund has one, too.
fn receipt_of(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::OrderPaid(paid) => Some(&paid.order),
        Fact::OrderRefunded(refunded) if !refunded.left.is_empty() => Some(&refunded.order),
        _ => None,
    }
}

fn whose(fact: &Fact) -> (BuyerId, SaleId) {
    match fact {
        Fact::OrderPaid(fact) => (fact.buyer, fact.sale),
        Fact::OrderRefunded(fact) => (fact.buyer, fact.sale),
        Fact::PaymentReturned(fact) => (fact.buyer, fact.sale),
        Fact::Promoted(fact) => (fact.buyer, fact.sale),
        Fact::Cancelled(fact) => (fact.buyer, fact.sale),
    }
}

fn matter(fact: &Fact) -> EmailTemplate {
    match fact {
        Fact::OrderPaid(fact) => {
            EmailTemplate::Paid { order: fact.order.clone(), units: fact.units.clone(), amount: fact.amount }
        }
        Fact::OrderRefunded(fact) => EmailTemplate::Refunded {
            order: fact.order.clone(),
            units: fact.units.clone(),
            amount: fact.amount,
            left: fact.left.clone(),
        },
        Fact::PaymentReturned(fact) => EmailTemplate::Returned { amount: fact.amount },
        Fact::Promoted(fact) => EmailTemplate::Promoted { quantity: fact.quantity, lapses_at: fact.lapses_at },
        Fact::Cancelled(fact) => EmailTemplate::Cancelled { quantity: fact.quantity },
    }
}

/// A missing title holds up no letter.
async fn title(needs: &Needs, sale: SaleId) -> Result<String> {
    Ok(needs.catalogue.sale(sale).await?.map_or_else(|| format!("#{sale}"), |sale| sale.title))
}
