//! How long, how often and by how many Stripe is asked, and how much of its answers is read.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::join_all;
use miaosha::adapters::stripe::{Settings, Stripe};
use miaosha::domain::money::payment::RefundAnswer;
use miaosha::domain::shared::id::PaymentId;
use miaosha::domain::shared::money::Money;
use miaosha::ports::Result;
use miaosha::ports::money::payments::{Payments, Reference, References, Voided};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::counterpart::{Asked, Said, counterpart, silent};
use crate::support::held::{Hold, Stuck, at_once};
use crate::support::stripe::settings;

/// Every payment has the same name at the provider.
#[derive(Clone)]
struct Named;

#[async_trait]
impl References for Named {
    async fn ask(&self, _: PaymentId, _: Money) -> Result<Reference> {
        self.void_reference(PaymentId(1)).await
    }

    async fn name(&self, _: PaymentId, _: &str) -> Result<Reference> {
        self.void_reference(PaymentId(1)).await
    }

    async fn void_reference(&self, _: PaymentId) -> Result<Reference> {
        Ok(Reference::Known("pi_1".to_owned()))
    }

    async fn reference(&self, payment: PaymentId) -> Result<Option<Reference>> {
        self.void_reference(payment).await.map(Some)
    }

    async fn named(&self, _: &str) -> Result<Option<PaymentId>> {
        Ok(None)
    }
}

fn says(value: &Value) -> Said {
    (200, "application/json", value.to_string())
}

fn intent() -> Value {
    json!({ "id": "pi_1", "status": "canceled", "amount": 1, "currency": "twd" })
}

#[tokio::test]
async fn stripe_is_asked_by_so_many_at_once() {
    let hold = Hold::new();
    let holds = hold.clone();
    let url = counterpart(move |_| {
        let hold = holds.clone();
        async move {
            hold.enter().await;
            says(&intent())
        }
    })
    .await;
    let stripe = Stripe::new(Settings { calls_max: 3, ..settings(&url) }, Arc::new(Named)).unwrap();
    for voided in at_once(3, &hold, join_all((1..=4).map(|id| stripe.void(PaymentId(id))))).await {
        assert_eq!(voided, Ok(Voided::Voided));
    }
}

#[tokio::test(start_paused = true)]
async fn stripe_may_take_so_long_each_time() {
    let stuck = Stuck::default();
    let url = silent(&stuck).await;
    let times = Settings { call_ms_max: 5_000, tries_max: 4, retry_ms: 125, retry_ms_max: 375, ..settings(&url) };
    let stripe = Stripe::new(times, Arc::new(Named)).unwrap();
    let begun = Instant::now();
    stripe.void(PaymentId(1)).await.unwrap_err();
    assert_eq!(begun.elapsed().as_millis(), 4 * 5_000 + 125 + 250 + 375);
}

/// A list as Stripe gives it: as long as it was asked for, and never longer than a hundred.
fn refunds(asked: &Asked, made: &Value, count: usize) -> Said {
    match asked.field("limit").map(|limit| limit.parse().unwrap()) {
        Some(limit @ 0..=100) => says(&json!({ "data": vec![made; count.min(limit)] })),
        _ => (400, "application/json", json!({ "error": { "type": "invalid_request_error" } }).to_string()),
    }
}

async fn read(made: Value, count: usize) -> Vec<RefundAnswer> {
    let made = Arc::new(made);
    let url = counterpart(move |asked: Asked| {
        let made = made.clone();
        async move {
            let of_refunds = asked.target.starts_with("/v1/refunds");
            if of_refunds { refunds(&asked, &made, count) } else { says(&intent()) }
        }
    })
    .await;
    let stripe = Stripe::new(settings(&url), Arc::new(Named)).unwrap();
    stripe.refunds(PaymentId(1)).await.unwrap().into_iter().map(|made| made.answer).collect()
}

#[tokio::test]
async fn so_many_refunds_of_a_payment_are_read() {
    let made = json!({ "id": "re_1", "amount": 1, "status": "succeeded" });
    assert_eq!(read(made.clone(), 100).await.len(), 100);
    assert_eq!(read(made, 101).await.len(), 100);
}

#[tokio::test]
async fn so_much_is_kept_of_why_a_refund_failed() {
    for (chars, kept) in [(80, 80), (81, 80)] {
        let made = json!({ "id": "re_1", "amount": 1, "status": "failed", "failure_reason": "x".repeat(chars) });
        assert_eq!(read(made, 1).await, [RefundAnswer::Failed { code: "x".repeat(kept) }]);
    }
}
