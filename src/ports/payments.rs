//! The payment provider. A time-out is never an answer: whoever did not hear one voids the payment, and that answer is definite.

use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::payment::Refund;
use crate::ports::Result;

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

/// Every call is idempotent per payment; a fault means that nobody knows whether it happened.
pub trait Payments: Send + Sync + 'static {
    /// No money moves.
    fn open(&self, payment: PaymentId, amount: Money) -> impl Future<Output = Result<()>> + Send;

    /// `card` is the provider's token for a card, never a card number.
    fn capture(&self, payment: PaymentId, card: &str) -> impl Future<Output = Result<Captured>> + Send;

    /// Of a payment the provider never heard of: voided, and opening it later fails.
    fn void(&self, payment: PaymentId) -> impl Future<Output = Result<Voided>> + Send;

    /// Idempotent per refund. Of a payment never more goes back than moved: a refund that would is a fault.
    fn refund(&self, refund: &Refund) -> impl Future<Output = Result<()>> + Send;

    /// What moved and was not given back, in the smallest unit of the payment's currency; 0 where nothing moved. For the audit.
    fn kept_minor(&self, payment: PaymentId) -> impl Future<Output = Result<i64>> + Send;
}
