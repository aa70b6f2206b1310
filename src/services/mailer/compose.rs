//! From an event to a letter: who is written to, and what about.

use crate::domain::event::{Event, Fact};
use crate::domain::id::{BuyerId, SaleId};
use crate::ports::accounts::Accounts;
use crate::ports::catalogue::Catalogue;
use crate::ports::mail::{LETTER_VERSION, Letter, Matter, Recipient};
use crate::ports::{Result, World};
use crate::services::mailer::{AnyReceipts, Receipt, Settings};

/// `None` when there is nobody to write to. The receipt is for whoever sends the letter to find.
pub async fn compose<W: World>(world: &W, settings: &Settings, event: &Event) -> Result<Option<Letter>> {
    let (buyer, sale) = whose(&event.fact);
    let Some(account) = world.store().account(buyer).await? else { return Ok(None) };
    Ok(Some(Letter {
        version: LETTER_VERSION,
        id: event.id,
        at: event.at,
        locale: account.locale,
        to: Recipient { name: account.name, address: account.email },
        item: title(world, sale).await?,
        shop_url: settings.shop_url.clone(),
        matter: matter(&event.fact),
        receipt: None,
    }))
}

/// The receipt that goes with the letter. One that cannot be had for long holds up nobody's letter.
pub async fn receipt_for<W: World>(
    world: &W,
    settings: &Settings,
    receipts: Option<&AnyReceipts>,
    event: &Event,
) -> Result<Option<Receipt>> {
    let (Some(receipts), Some(order)) = (receipts, receipt_of(&event.fact)) else { return Ok(None) };
    match receipts.receipt(order).await {
        Err(fault) if world.clock().now().since_ms(event.at) >= settings.receipt_ms_max => {
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

fn matter(fact: &Fact) -> Matter {
    match fact {
        Fact::OrderPaid(fact) => {
            Matter::Paid { order: fact.order.clone(), units: fact.units.clone(), amount: fact.amount }
        }
        Fact::OrderRefunded(fact) => Matter::Refunded {
            order: fact.order.clone(),
            units: fact.units.clone(),
            amount: fact.amount,
            left: fact.left.clone(),
        },
        Fact::PaymentReturned(fact) => Matter::Returned { amount: fact.amount },
        Fact::Promoted(fact) => Matter::Promoted { quantity: fact.quantity, lapses_at: fact.lapses_at },
        Fact::Cancelled(fact) => Matter::Cancelled { quantity: fact.quantity },
    }
}

/// Nobody goes without a letter because a title is missing.
async fn title<W: World>(world: &W, sale: SaleId) -> Result<String> {
    Ok(world.store().sale(sale).await?.map_or_else(|| format!("#{sale}"), |sale| sale.title))
}
