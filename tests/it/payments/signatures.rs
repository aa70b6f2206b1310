//! Who may tell the shop something, and what is made of it.

use std::sync::Arc;

use miaosha::adapters::stripe::{Settings, Stripe};
use miaosha::domain::shared::id::PaymentId;
use miaosha::domain::shared::money::Money;
use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::money::payments::{Payments, References, WebhookEvent, WebhookRequest};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::sqlite;
use crate::support::clock::START;
use crate::support::stripe::{WEBHOOK_SECRET, settings, signature};

const NOW_S: i64 = START.0 / 1_000;

fn event(kind: &str, object: Value) -> Vec<u8> {
    json!({ "id": "evt_1", "type": kind, "data": { "object": object } }).to_string().into_bytes()
}

fn succeeded() -> Vec<u8> {
    event("payment_intent.succeeded", json!({ "id": "pi_known", "metadata": { "payment": "someone else's" } }))
}

async fn stripe(secrets: &[&str]) -> (Stripe, tempfile::TempDir) {
    let (store, keep) = sqlite().await;
    let amount = Money { minor: 1, currency: "TWD".parse().unwrap() };
    store.ask(PaymentId(7), amount).await.unwrap();
    store.name(PaymentId(7), "pi_known").await.unwrap();
    let webhook_secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    (Stripe::new(Settings { webhook_secrets, ..settings("http://127.0.0.1:1") }, Arc::new(store)).unwrap(), keep)
}

async fn hear(stripe: &impl Payments, signature: Option<&str>, body: &[u8]) -> WebhookEvent {
    stripe.hear(WebhookRequest { signature, body, now: START }).await.unwrap()
}

fn is_forged(heard: &WebhookEvent) -> bool {
    matches!(heard, WebhookEvent::Forged { .. })
}

#[tokio::test]
async fn what_is_signed_and_fresh_is_heard() {
    let (stripe, _keep) = stripe(&["whsec_new", WEBHOOK_SECRET]).await;
    let ours = WebhookEvent::Payment(PaymentId(7));
    let body = succeeded();
    for secret in ["whsec_new", WEBHOOK_SECRET] {
        for age_s in [0, 299, 300, -300] {
            let signed = signature(secret, NOW_S - age_s, &body);
            assert_eq!(hear(&stripe, Some(&signed), &body).await, ours, "{secret} {age_s}");
        }
    }
    // While a secret changes both sign; other schemes and nonsense stand beside them.
    let good = signature(WEBHOOK_SECRET, NOW_S, &body);
    let (time, v1) = good.split_once(',').unwrap();
    let many = format!("{time}, v0=00,v1={},{v1},v1=zz,=,x", "0".repeat(64));
    assert_eq!(hear(&stripe, Some(&many), &body).await, ours);
    for (kind, object, ours) in [
        ("payment_intent.canceled", json!({ "id": "pi_known" }), ours),
        (
            "charge.refunded",
            json!({ "id": "ch_1", "payment_intent": "pi_known" }),
            WebhookEvent::WentBack(PaymentId(7)),
        ),
        (
            "charge.refund.updated",
            json!({ "id": "re_1", "payment_intent": "pi_known" }),
            WebhookEvent::WentBack(PaymentId(7)),
        ),
        ("refund.updated", json!({ "id": "re_1", "payment_intent": "pi_known" }), WebhookEvent::WentBack(PaymentId(7))),
        ("refund.failed", json!({ "id": "re_1", "payment_intent": "pi_known" }), WebhookEvent::WentBack(PaymentId(7))),
    ] {
        let body = event(kind, object);
        assert_eq!(hear(&stripe, Some(&signature(WEBHOOK_SECRET, NOW_S, &body)), &body).await, ours, "{kind}");
    }
}

#[tokio::test]
async fn what_is_not_ours_or_not_final_is_nothing() {
    let (stripe, _keep) = stripe(&[WEBHOOK_SECRET]).await;
    for body in [
        event("payment_intent.succeeded", json!({ "id": "pi_of_another_shop" })),
        event("payment_intent.created", json!({ "id": "pi_known" })),
        event("payment_intent.amount_capturable_updated", json!({ "id": "pi_known" })),
        event("charge.refunded", json!({ "id": "ch_1", "payment_intent": null })),
        event("customer.created", json!({ "id": 5 })),
        br#"{"type":"something.new","data":7}"#.to_vec(),
    ] {
        let signed = signature(WEBHOOK_SECRET, NOW_S, &body);
        assert_eq!(
            hear(&stripe, Some(&signed), &body).await,
            WebhookEvent::Nothing,
            "{}",
            String::from_utf8_lossy(&body)
        );
    }
}

#[tokio::test]
async fn what_is_forged_is_not_heard() {
    let (stripe, _keep) = stripe(&[WEBHOOK_SECRET]).await;
    let body = succeeded();
    let good = signature(WEBHOOK_SECRET, NOW_S, &body);
    assert!(is_forged(&hear(&stripe, None, &body).await));
    let (time, v1) = good.split_once(",v1=").unwrap();
    let mut changed = body.clone();
    *changed.last_mut().unwrap() = b' ';
    assert!(is_forged(&hear(&stripe, Some(&good), &changed).await));
    for header in [
        signature("whsec_other", NOW_S, &body),
        signature(WEBHOOK_SECRET, NOW_S - 301, &body),
        signature(WEBHOOK_SECRET, NOW_S + 301, &body),
        signature(WEBHOOK_SECRET, i64::MIN, &body),
        signature(WEBHOOK_SECRET, i64::MAX, &body),
        format!("t={},v1={v1}", NOW_S + 1),
        format!("t={NOW_S}"),
        format!("v1={v1}"),
        format!("{time},v0={v1}"),
        format!("{time},v1={}", &v1[1..]),
        format!("{time},v1={}", v1.replace(|c: char| c.is_ascii_hexdigit(), "0")),
        format!("{time},{}v1={v1}", "v1=00,".repeat(2_000)),
        String::new(),
    ] {
        assert!(is_forged(&hear(&stripe, Some(&header), &body).await), "{header:.80}");
    }
}

/// So many signatures are looked at, and a header of so many characters.
#[tokio::test]
async fn a_signature_is_looked_for_up_to_a_limit() {
    let (stripe, _keep) = stripe(&[WEBHOOK_SECRET]).await;
    let body = succeeded();
    let good = signature(WEBHOOK_SECRET, NOW_S, &body);
    let (time, v1) = good.split_once(',').unwrap();
    let behind = |others: usize| format!("{time},{}{v1}", format!("v1={},", "0".repeat(64)).repeat(others));
    assert!(!is_forged(&hear(&stripe, Some(&behind(7)), &body).await), "the eighth is looked at");
    assert!(is_forged(&hear(&stripe, Some(&behind(8)), &body).await), "the ninth is not");
    let long = |chars: usize| format!("{good},x={}", "x".repeat(chars - good.len() - 3));
    assert_eq!(long(2_048).len(), 2_048);
    assert!(!is_forged(&hear(&stripe, Some(&long(2_048)), &body).await));
    assert!(is_forged(&hear(&stripe, Some(&long(2_049)), &body).await));
}

#[tokio::test]
async fn without_a_secret_nobody_is_believed() {
    let (stripe, _keep) = stripe(&[]).await;
    let body = succeeded();
    assert!(is_forged(&hear(&stripe, Some(&signature("", NOW_S, &body)), &body).await));
}

#[tokio::test]
async fn what_is_signed_and_no_event_is_unreadable() {
    let (stripe, _keep) = stripe(&[WEBHOOK_SECRET]).await;
    for body in [&b""[..], b"{}", b"[]", b"\xff", br#"{"type":"payment_intent.succeeded"}"#] {
        let heard = hear(&stripe, Some(&signature(WEBHOOK_SECRET, NOW_S, body)), body).await;
        assert!(matches!(heard, WebhookEvent::Unreadable { .. }), "{heard:?}");
    }
}

/// Whatever comes, only signed requests are believed, and nothing breaks.
#[test]
fn anything_may_come() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (stripe, _keep) = runtime.block_on(stripe(&[WEBHOOK_SECRET]));
    let header = prop_oneof![
        any::<String>(),
        "t=-?[0-9]{0,20}(,v1=[0-9a-f]{0,70}){0,3}",
        "t=1767225[0-9]{3},v1=[0-9a-f]{64}",
        "[tv01=,]{0,40}",
    ];
    let body = prop_oneof![proptest::collection::vec(any::<u8>(), 0..200), Just(succeeded())];
    let cases = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(cases, |(header in proptest::option::of(header), body in body, now in any::<i64>(), signed in any::<bool>())| {
        let word = |signature| WebhookRequest { signature, body: &body, now: Timestamp(now) };
        let heard = runtime.block_on(stripe.hear(word(header.as_deref()))).unwrap();
        prop_assert!(is_forged(&heard), "{:?}", heard);
        if signed {
            let good = signature(WEBHOOK_SECRET, now / 1_000, &body);
            let heard = runtime.block_on(stripe.hear(word(Some(&good)))).unwrap();
            prop_assert!(!is_forged(&heard), "{:?}", heard);
        }
    });
}
