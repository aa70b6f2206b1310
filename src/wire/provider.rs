//! Who takes the money: Stripe where there is a key for it, else the sandbox.

use crate::adapters::stripe::{Settings, Stripe};
use crate::domain::id::PaymentId;
use crate::domain::money::Money;
use crate::domain::payment::{MadeRefund, Refund, RefundAnswer};
use crate::ports::Result;
use crate::ports::payments::{Captured, Heard, Opened, Payments, References, Unpayable, Voided, Word};
use crate::wire::config::StripeConfig;

/// `S` is the world's sandbox, `R` remembers what Stripe calls our payments.
#[derive(Clone)]
pub enum Provider<S, R> {
    Sandbox(S),
    Stripe(Stripe<R>),
}

impl<S: Payments, R: References> Provider<S, R> {
    pub fn choose(config: &StripeConfig, sandbox: S, references: &R) -> Result<Self> {
        if config.secret_key.expose().is_empty() {
            return Ok(Provider::Sandbox(sandbox));
        }
        let secrets = config.webhook_secrets.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
        let settings = Settings {
            url: config.url.clone(),
            secret_key: config.secret_key.expose().to_owned(),
            webhook_secrets: secrets.map(str::to_owned).collect(),
            call_ms_max: config.call_ms_max,
            tries_max: config.tries_max,
            retry_ms: config.retry_ms,
            retry_ms_max: config.retry_ms_max,
            calls_max: config.calls_max,
            answer_bytes_max: config.answer_bytes_max,
        };
        Ok(Provider::Stripe(Stripe::new(settings, references.clone())?))
    }
}

impl<S: Payments, R: References> Payments for Provider<S, R> {
    fn check(&self, amount: Money) -> Result<(), Unpayable> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.check(amount),
            Provider::Stripe(stripe) => stripe.check(amount),
        }
    }

    async fn open(&self, payment: PaymentId, amount: Money) -> Result<Opened> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.open(payment, amount).await,
            Provider::Stripe(stripe) => stripe.open(payment, amount).await,
        }
    }

    async fn capture(&self, payment: PaymentId, card: &str) -> Result<Captured> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.capture(payment, card).await,
            Provider::Stripe(stripe) => stripe.capture(payment, card).await,
        }
    }

    async fn void(&self, payment: PaymentId) -> Result<Voided> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.void(payment).await,
            Provider::Stripe(stripe) => stripe.void(payment).await,
        }
    }

    async fn refund(&self, refund: &Refund, tries: u32) -> Result<RefundAnswer> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.refund(refund, tries).await,
            Provider::Stripe(stripe) => stripe.refund(refund, tries).await,
        }
    }

    async fn refunds(&self, payment: PaymentId) -> Result<Vec<MadeRefund>> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.refunds(payment).await,
            Provider::Stripe(stripe) => stripe.refunds(payment).await,
        }
    }

    async fn kept_minor(&self, payment: PaymentId) -> Result<i64> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.kept_minor(payment).await,
            Provider::Stripe(stripe) => stripe.kept_minor(payment).await,
        }
    }

    async fn hear(&self, word: Word<'_>) -> Result<Heard> {
        match self {
            Provider::Sandbox(sandbox) => sandbox.hear(word).await,
            Provider::Stripe(stripe) => stripe.hear(word).await,
        }
    }
}
