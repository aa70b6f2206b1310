//! From an event to a letter: who is written to, and what about.

use crate::app::mail::Needs;
use crate::app::mail::{AnyReceipts, Receipt, Settings};
use crate::domain::people::address::Address;
use crate::domain::people::code::CODE_MS_MAX;
use crate::domain::shared::event::{Event, Fact};
use crate::domain::shared::id::{BuyerId, CodeId, SaleId};
use crate::domain::shared::locale::Locale;
use crate::ports::Result;
use crate::ports::mail::transport::{CodeAbout, EmailJob, EmailTemplate, LETTER_VERSION, Recipient};
use crate::ports::people::accounts::Account;
use crate::ports::people::codes::LetterAbout;

/// `None` when there is no recipient. The receipt is found by the sender of the letter.
pub async fn compose(needs: &Needs, settings: &Settings, event: &Event) -> Result<Option<EmailJob>> {
    let Some(Said { locale, to, item, matter }) = said(needs, &event.fact).await? else { return Ok(None) };
    Ok(Some(EmailJob {
        version: LETTER_VERSION,
        id: event.id,
        at: event.at,
        locale,
        to,
        item,
        shop_url: settings.shop_url.clone(),
        matter,
        receipt: None,
    }))
}

/// What is said to whom.
struct Said {
    locale: Locale,
    to: Recipient,
    item: String,
    matter: EmailTemplate,
}

async fn said(needs: &Needs, fact: &Fact) -> Result<Option<Said>> {
    match fact {
        Fact::OrderPaid(paid) => {
            let matter =
                EmailTemplate::Paid { order: paid.order.clone(), units: paid.units.clone(), amount: paid.amount };
            of_sale(needs, paid.buyer, paid.sale, matter).await
        }
        Fact::OrderRefunded(refunded) => {
            let matter = EmailTemplate::Refunded {
                order: refunded.order.clone(),
                units: refunded.units.clone(),
                amount: refunded.amount,
                left: refunded.left.clone(),
            };
            of_sale(needs, refunded.buyer, refunded.sale, matter).await
        }
        Fact::PaymentReturned(returned) => {
            of_sale(needs, returned.buyer, returned.sale, EmailTemplate::Returned { amount: returned.amount }).await
        }
        Fact::Promoted(promoted) => {
            let matter = EmailTemplate::Promoted { quantity: promoted.quantity, lapses_at: promoted.lapses_at };
            of_sale(needs, promoted.buyer, promoted.sale, matter).await
        }
        Fact::Cancelled(_) => Ok(None),
        Fact::CodeAsked(asked) => code(needs, asked.code).await,
        Fact::PasswordChanged(changed) => {
            let account = needs.accounts.account(changed.buyer).await?;
            Ok(account.map(|account| of_account(account, EmailTemplate::PasswordChanged)))
        }
        Fact::AddressChanged(changed) => {
            let Some(former) = needs.codes.former_address(changed.code).await? else { return Ok(None) };
            let account = needs.accounts.account(changed.buyer).await?;
            Ok(account.map(|account| of_account(Account { email: former, ..account }, EmailTemplate::AddressChanged)))
        }
    }
}

async fn of_sale(needs: &Needs, buyer: BuyerId, sale: SaleId, matter: EmailTemplate) -> Result<Option<Said>> {
    let Some(account) = needs.accounts.account(buyer).await? else { return Ok(None) };
    Ok(Some(Said { item: title(needs, sale).await?, ..of_account(account, matter) }))
}

fn of_account(account: Account, matter: EmailTemplate) -> Said {
    let to = Recipient { name: account.name, address: deliverable(account.email) };
    Said { locale: account.locale, to, item: String::new(), matter }
}

/// Whoever reads it may be a stranger to who asked: it says no name. `None` once the code is good for nothing.
async fn code(needs: &Needs, code: CodeId) -> Result<Option<Said>> {
    let Some(letter) = needs.codes.code_letter(code, needs.clock.now()).await? else { return Ok(None) };
    let about = match letter.about {
        LetterAbout::SignUp => CodeAbout::SignUp,
        LetterAbout::SignUpAgain => CodeAbout::SignUpAgain,
        LetterAbout::LogIn => CodeAbout::LogIn,
        LetterAbout::NewAddress => CodeAbout::NewAddress,
    };
    let minutes = (CODE_MS_MAX / 60_000) as u8;
    let matter = EmailTemplate::Code { digits: letter.code.said(), about, minutes };
    let to = Recipient { name: String::new(), address: deliverable(letter.address) };
    Ok(Some(Said { locale: letter.locale, to, item: String::new(), matter }))
}

/// As mail servers are told it.
fn deliverable(email: String) -> String {
    Address::read(&email).map_or(email, |address| address.deliverable())
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

/// A missing title holds up no letter.
async fn title(needs: &Needs, sale: SaleId) -> Result<String> {
    Ok(needs.catalogue.sale(sale).await?.map_or_else(|| format!("#{sale}"), |sale| sale.title))
}
