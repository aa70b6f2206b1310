//! The payment provider. A time-out is never an answer: whoever did not hear one voids the payment, and that answer is definite.

use crate::domain::id::PaymentId;
use crate::domain::money::{Currency, Money};
use crate::domain::payment::{MadeRefund, Refund, RefundAnswer};
use crate::domain::time::Timestamp;
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
pub struct Word<'a> {
    pub signature: Option<&'a str>,
    pub body: &'a [u8],
    pub now: Timestamp,
}

/// What such a call comes to. It is only a hint where to look: what is so, is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something about this payment is final.
    Payment(PaymentId),
    /// Money of it went back, by us or by somebody else; or did not, after all.
    WentBack(PaymentId),
    /// Nothing of ours, or nothing that is final.
    Nothing,
    /// Whoever says so cannot prove to be the provider, or says it much too late.
    Forged { why: &'static str },
    /// Signed by the provider, and no event.
    Unreadable { why: String },
    /// This provider does not call.
    Nobody,
}

/// Every call is idempotent per payment; a fault means that nobody knows whether it happened.
pub trait Payments: Send + Sync + 'static {
    /// By the provider's rules, without asking it: an amount that is refused here is never taken. Nothing is asked of it for
    /// nothing: an amount of 0 is not for it to take.
    fn check(&self, amount: Money) -> Result<(), Unpayable>;

    /// No money moves.
    fn open(&self, payment: PaymentId, amount: Money) -> impl Future<Output = Result<Opened>> + Send;

    /// `card` is the provider's token for a card, never a card number.
    fn capture(&self, payment: PaymentId, card: &str) -> impl Future<Output = Result<Captured>> + Send;

    /// Of a payment the provider never heard of: voided, and opening it later fails.
    fn void(&self, payment: PaymentId) -> impl Future<Output = Result<Voided>> + Send;

    /// Idempotent per refund and try: a try that was refused stays refused, and after `tries` of them the next has a name of its
    /// own. What the provider has under this refund's id already is looked for first. Of a payment never more goes back than
    /// moved: a refund that would is refused.
    fn refund(&self, refund: &Refund, tries: u32) -> impl Future<Output = Result<RefundAnswer>> + Send;

    /// Every refund of the payment that the provider has, the newest first.
    fn refunds(&self, payment: PaymentId) -> impl Future<Output = Result<Vec<MadeRefund>>> + Send;

    /// What moved and was not given back, in the smallest unit of the payment's currency; 0 where nothing moved. For the audit.
    fn kept_minor(&self, payment: PaymentId) -> impl Future<Output = Result<i64>> + Send;

    fn hear(&self, word: Word<'_>) -> impl Future<Output = Result<Heard>> + Send {
        let _ = word;
        std::future::ready(Ok(Heard::Nobody))
    }
}

/// What the provider calls a payment of ours. It outlives the process that asked, because money may only move of a payment
/// whose name at the provider is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Written before the provider was asked; whether it was, nobody knows.
    Asked(Money),
    Known(String),
    /// Void before the provider's name for it was known: no money ever moves. With what had been asked, if it had.
    Void(Option<Money>),
}

/// Each write is conditional, and answers with what is so afterwards.
pub trait References: Clone + Send + Sync + 'static {
    /// Before the provider is asked. Only of a payment that is not there yet.
    fn ask(&self, payment: PaymentId, amount: Money) -> impl Future<Output = Result<Reference>> + Send;

    /// The provider answered. Only while nobody made it void.
    fn name(&self, payment: PaymentId, theirs: &str) -> impl Future<Output = Result<Reference>> + Send;

    /// For ever. Only while the provider's name for it is not known.
    fn forgo(&self, payment: PaymentId) -> impl Future<Output = Result<Reference>> + Send;

    fn reference(&self, payment: PaymentId) -> impl Future<Output = Result<Option<Reference>>> + Send;

    /// Whose payment the provider speaks of.
    fn named(&self, theirs: &str) -> impl Future<Output = Result<Option<PaymentId>>> + Send;
}
