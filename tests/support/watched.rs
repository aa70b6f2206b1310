//! A payment provider that a test sees called: it may hold the call, keep it for ever, or do something before it is answered.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use miaosha::domain::money::payment::{MadeRefund, Refund, RefundAnswer};
use miaosha::domain::shared::id::PaymentId;
use miaosha::domain::shared::money::Money;
use miaosha::ports::Result;
use miaosha::ports::money::payments::{Captured, Opened, Payments, Provider, Unpayable, Voided};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Open,
    Capture,
    Void,
    Refund,
    Refunds,
    KeptMinor,
}

pub type Before = Arc<dyn Fn(Call, PaymentId) -> BoxFuture<'static, ()> + Send + Sync>;

#[derive(Clone)]
pub struct Watched<P> {
    pub payments: P,
    pub before: Before,
}

#[async_trait]
impl<P: Payments> Payments for Watched<P> {
    fn provider(&self) -> Provider {
        self.payments.provider()
    }

    fn check(&self, amount: Money) -> Result<(), Unpayable> {
        self.payments.check(amount)
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened> {
        (self.before)(Call::Open, payment).await;
        self.payments.open(payment, amount).await
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        (self.before)(Call::Capture, payment).await;
        self.payments.capture(payment, card).await
    }

    async fn void(&self, payment: PaymentId) -> Result<Voided> {
        (self.before)(Call::Void, payment).await;
        self.payments.void(payment).await
    }

    async fn refund(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer> {
        (self.before)(Call::Refund, refund.payment).await;
        self.payments.refund(refund, tries).await
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>> {
        (self.before)(Call::Refunds, payment).await;
        self.payments.refunds(payment).await
    }

    async fn kept_minor(&self, payment: PaymentId) -> Result<i64> {
        (self.before)(Call::KeptMinor, payment).await;
        self.payments.kept_minor(payment).await
    }
}
