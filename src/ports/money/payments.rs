//! The payment provider. A time-out is never an answer: a caller that got none voids the payment, and that answer is definite.

use async_trait::async_trait;

use crate::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::shared::id::PaymentId;
use crate::domain::shared::money::{Currency, Money};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Why the provider can never take an amount, and what it would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpayable {
    #[error("the payment provider does not take {0}")]
    Currency(Currency),
    #[error("the payment provider takes {least} at least")]
    TooLittle { least: Money },
    #[error("the payment provider takes {most} at most")]
    TooMuch { most: Money },
    #[error("the payment provider takes multiples of {step} only")]
    Uneven { step: Money },
    /// It said so itself, when it was asked to open a payment.
    #[error("the payment provider refuses the amount ({why})")]
    Refused { why: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    Opened,
    /// Definitely not, and of this amount it never will be.
    Refused(Unpayable),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Captured {
    Captured,
    /// Definitely not captured, and it never will be: the payment is void.
    Declined {
        why: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voided {
    /// It never was captured, and never will be.
    Voided,
    /// Money had moved already.
    Captured,
}

/// A call from the provider to us, as it came.
#[derive(Debug, Clone, Copy)]
pub struct WebhookRequest<'a> {
    pub signature: Option<&'a str>,
    pub body: &'a [u8],
    pub now: Timestamp,
}

/// What such a call comes to. It is only a hint where to look: what is so, is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookEvent {
    /// Something about this payment is final.
    Payment(PaymentId),
    /// Money of it went back, by us or directly at the provider; or did not, after all.
    WentBack(PaymentId),
    /// Nothing of ours, or nothing that is final.
    Nothing,
    /// The sender cannot prove to be the provider, or the request is much too old.
    Forged { why: &'static str },
    /// Signed by the provider, and no event.
    Unreadable { why: String },
    /// This provider does not call.
    Nobody,
}

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Built in, for trying things: no money moves.
    Sandbox,
    Stripe,
}

impl Provider {
    pub fn name(self) -> &'static str {
        match self {
            Provider::Sandbox => "sandbox",
            Provider::Stripe => "stripe",
        }
    }
}

/// Every call is idempotent per payment; a fault means that it is not known whether it happened.
#[async_trait]
pub trait Payments: Send + Sync + 'static {
    fn provider(&self) -> Provider;

    /// By the provider's rules, without asking it: an amount that is refused here is never taken. Nothing is asked of it for
    /// nothing: an amount of 0 is not for it to take.
    fn check(&self, amount: Money) -> Result<(), Unpayable>;

    /// No money moves.
    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened>;

    /// `card` is the provider's token for a card, never a card number.
    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured>;

    /// A void of what was never opened is final: it is voided, opening it later fails, and nothing of it is ever captured. So a
    /// payment may be written down before it is opened, and who finds it unopened may give back what it pays for.
    async fn void(&self, payment: PaymentId) -> Result<Voided>;

    /// What a card is told from others by, under whichever token it comes; nothing where the provider does not say.
    async fn fingerprint(&self, card: &str) -> Result<Option<String>> {
        let _ = card;
        Ok(None)
    }

    /// Idempotent per refund and try: a try that was refused stays refused, and after `tries` of them the next has a name of its
    /// own. What the provider has under this refund's id already is looked for first. Of a payment never more goes back than
    /// moved: a refund that would is refused.
    async fn refund(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer>;

    /// Every refund of the payment that the provider has, the newest first.
    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>>;

    /// What moved and was not given back, in the smallest unit of the payment's currency; 0 where nothing moved. For the audit.
    async fn kept_minor(&self, payment: PaymentId) -> Result<i64>;

    async fn hear(&self, word: WebhookRequest<'_>) -> Result<WebhookEvent> {
        let _ = word;
        Ok(WebhookEvent::Nobody)
    }
}

/// What the provider calls a payment of ours. It outlives the process that asked, because money may only move of a payment
/// whose name at the provider is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Written before the provider was asked; whether it was is not known.
    Asked(Money),
    Known(String),
    /// Void before the provider's name for it was known: no money ever moves. With what had been asked, if it had.
    Void(Option<Money>),
}

/// Each write is conditional, and answers with what is so afterwards.
#[async_trait]
pub trait References: Send + Sync + 'static {
    /// Before the provider is asked. Only of a payment that is not there yet.
    async fn ask(&self, payment: PaymentId, amount: Money) -> Result<Reference>;

    /// The provider answered. Only while the payment is not void.
    async fn name(&self, payment: PaymentId, theirs: &str) -> Result<Reference>;

    /// For ever. Only while the provider's name for it is not known.
    async fn void_reference(&self, payment: PaymentId) -> Result<Reference>;

    async fn reference(&self, payment: PaymentId) -> Result<Option<Reference>>;

    /// Whose payment the provider speaks of.
    async fn named(&self, theirs: &str) -> Result<Option<PaymentId>>;
}
