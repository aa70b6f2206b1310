//! Everything a provider does to its callers, one by one: what is told is what is so, and money moves once or not at all.

use miaosha::adapters::sql::sqlite::SqliteStore;
use miaosha::adapters::stripe::{Settings, Stripe};
use miaosha::domain::money::payment::{Refund, RefundAnswer};
use miaosha::domain::shared::id::{PaymentId, RefundId};
use miaosha::domain::shared::money::Money;
use miaosha::ports::money::payments::{Captured, Opened, Payments, Unpayable, Voided};
use serde_json::Value;
use std::sync::Arc;

use super::{OURS, sqlite};
use crate::support::stripe::{NetworkFault, SECRET_KEY, Step, StripeServer, settings};

const PAYMENT: PaymentId = PaymentId(7);

struct Fixture {
    server: StripeServer,
    stripe: Stripe,
    store: SqliteStore,
    _keep: tempfile::TempDir,
}

fn amount() -> Money {
    Money { minor: 2500, currency: "TWD".parse().unwrap() }
}

fn refund() -> Refund {
    Refund { id: RefundId(9), payment: PAYMENT, amount: amount() }
}

async fn fixture() -> Fixture {
    fixture_with(|settings| settings).await
}

async fn fixture_with(change: impl FnOnce(Settings) -> Settings) -> Fixture {
    let ((store, keep), server) = (sqlite().await, StripeServer::start().await);
    let stripe = Stripe::new(change(settings(&server.url)), Arc::new(store.clone())).unwrap();
    Fixture { server, stripe, store, _keep: keep }
}

impl Fixture {
    async fn opened(self) -> Self {
        self.stripe.open(PAYMENT, amount()).await.unwrap();
        self
    }

    fn next(&self, step: Step, faults: &[NetworkFault]) {
        faults.iter().for_each(|fault| self.server.next(step, *fault));
    }

    fn statuses(&self) -> Vec<String> {
        let text = |intent: Value| intent["status"].as_str().unwrap().to_owned();
        let mut all: Vec<String> = self.server.intents().into_iter().map(text).collect();
        all.sort();
        all
    }

    async fn capture(&self) -> Result<Captured, miaosha::ports::Fault> {
        self.stripe.capture(PAYMENT, OURS.good).await
    }
}

fn is_declined(captured: &Captured) -> bool {
    matches!(captured, Captured::Declined { .. })
}

#[tokio::test]
async fn a_payment_whose_opening_was_not_heard_is_opened_once() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::CutAfter]);
    let fixture = fixture.opened().await;
    assert_eq!((fixture.server.calls(Step::Create), fixture.statuses().len()), (2, 1));
    assert_eq!(fixture.capture().await.unwrap(), Captured::Captured);
    assert_eq!(fixture.server.moved(), (2500, 0));
}

/// The process crashed before it got the intent's name: another one finds it by the same key.
#[tokio::test]
async fn the_next_process_finds_the_same_intent() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::CutAfter, NetworkFault::CutAfter]);
    assert_eq!(fixture.stripe.open(PAYMENT, amount()).await.unwrap_err().part, "payments");
    let again = fixture.server.adapter(fixture.store.clone());
    again.open(PAYMENT, amount()).await.unwrap();
    assert_eq!(again.capture(PAYMENT, OURS.good).await.unwrap(), Captured::Captured);
    assert_eq!((fixture.statuses(), fixture.server.moved()), (vec!["succeeded".to_owned()], (2500, 0)));
}

/// Also when Stripe has forgotten the key: of two intents one has a name here, and only that one is ever confirmed.
#[tokio::test]
async fn of_two_intents_one_has_a_name() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::CutAfter, NetworkFault::CutAfter]);
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
    fixture.server.forget_keys();
    let fixture = fixture.opened().await;
    assert_eq!(fixture.capture().await.unwrap(), Captured::Captured);
    assert_eq!(fixture.statuses(), ["requires_payment_method", "succeeded"]);
    assert_eq!(fixture.server.moved(), (2500, 0));
}

#[tokio::test]
async fn a_void_before_the_name_is_known_holds_for_ever() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::CutAfter, NetworkFault::CutAfter]);
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
    assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Voided);
    assert_eq!(fixture.statuses(), ["canceled"], "it is taken off the books");
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
    assert!(is_declined(&fixture.capture().await.unwrap()));
    assert_eq!(fixture.server.moved(), (0, 0));
}

/// No word from Stripe is needed for that.
#[tokio::test]
async fn a_void_before_the_name_is_known_does_not_wait_for_stripe() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::Says(503); 4]);
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
    assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Voided);
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
}

/// The answer of the opening comes when the payment was voided meanwhile.
#[tokio::test]
async fn an_opening_that_is_answered_too_late_is_cancelled() {
    let fixture = fixture().await;
    fixture.next(Step::Create, &[NetworkFault::Slow(300)]);
    let (opened, voided) = tokio::join!(fixture.stripe.open(PAYMENT, amount()), async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        fixture.stripe.void(PAYMENT).await
    });
    opened.unwrap_err();
    assert_eq!(voided.unwrap(), Voided::Voided);
    assert_eq!(fixture.statuses(), ["canceled"]);
    assert!(is_declined(&fixture.capture().await.unwrap()));
}

#[tokio::test]
async fn what_stripe_refuses_to_open_is_void() {
    let fixture = fixture().await;
    let small = Money { minor: 13, ..amount() };
    let refused = Unpayable::Refused { why: "amount_too_small".to_owned() };
    assert_eq!(fixture.stripe.check(small), Ok(()), "only the account knows");
    assert_eq!(fixture.stripe.open(PAYMENT, small).await.unwrap(), Opened::Refused(refused));
    assert_eq!(fixture.server.calls(Step::Create), 1, "a refusal is not asked again");
    let odd = Money { minor: 5_124, currency: "KWD".parse().unwrap() };
    let step = Money { minor: 10, ..odd };
    assert_eq!(fixture.stripe.open(PaymentId(8), odd).await.unwrap(), Opened::Refused(Unpayable::Uneven { step }));
    assert_eq!(fixture.server.calls(Step::Create), 1, "it is not asked for what it never takes");
    assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Voided);
}

#[tokio::test]
async fn the_busy_and_the_broken_are_asked_again() {
    let faults = [
        NetworkFault::Busy { after_s: 1 },
        NetworkFault::Says(500),
        NetworkFault::Says(503),
        NetworkFault::Says(409),
        NetworkFault::CutBefore,
    ];
    for fault in faults {
        for step in [Step::Create, Step::SetCard, Step::Confirm, Step::Capture] {
            let fixture = fixture().await;
            fixture.next(step, &[fault]);
            let fixture = fixture.opened().await;
            assert_eq!(fixture.capture().await.unwrap(), Captured::Captured, "{step:?} {fault:?}");
            assert_eq!(fixture.server.moved(), (2500, 0));
        }
    }
}

#[tokio::test]
async fn a_call_is_tried_so_often() {
    for (faults, taken) in [(2, true), (3, false)] {
        let fixture = fixture_with(|settings| Settings { tries_max: 3, ..settings }).await.opened().await;
        fixture.next(Step::Confirm, &vec![NetworkFault::Says(503); faults]);
        assert_eq!(fixture.capture().await.is_ok_and(|captured| captured == Captured::Captured), taken, "{faults}");
    }
}

/// Lost once they are asked again, under the same key; lost for good the outcome is unknown, and a void says what is so.
#[tokio::test]
async fn a_lost_answer_is_never_a_decline() {
    for step in [Step::SetCard, Step::Confirm, Step::Capture] {
        let fixture = fixture().await.opened().await;
        fixture.next(step, &[NetworkFault::CutAfter]);
        assert_eq!(fixture.capture().await.unwrap(), Captured::Captured, "{step:?}");
        assert_eq!(fixture.server.moved(), (2500, 0));
    }
    for (step, voided) in [(Step::Confirm, Voided::Voided), (Step::Capture, Voided::Captured)] {
        for fault in [NetworkFault::CutAfter, NetworkFault::Kept(500)] {
            let fixture = fixture().await.opened().await;
            fixture.next(step, &[fault, fault]);
            assert_eq!(fixture.capture().await.unwrap_err().part, "payments");
            let voided = if matches!(fault, NetworkFault::Kept(_)) { Voided::Voided } else { voided };
            assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), voided, "{step:?} {fault:?}");
            let moved = if voided == Voided::Captured { 2500 } else { 0 };
            assert_eq!(fixture.server.moved(), (moved, 0));
            assert_eq!(fixture.stripe.kept_minor(PAYMENT).await.unwrap(), moved);
        }
    }
}

/// The request is still on its way when its caller gives up, and arrives before the void, or behind it.
#[tokio::test]
async fn a_late_capture_is_found_or_refused() {
    for step in [Step::Confirm, Step::Capture] {
        let fixture = fixture().await.opened().await;
        fixture.next(step, &[NetworkFault::Later, NetworkFault::Later]);
        fixture.capture().await.unwrap_err();
        assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Voided);
        assert_eq!(fixture.server.do_later(), 2);
        assert_eq!((fixture.statuses(), fixture.server.moved()), (vec!["canceled".to_owned()], (0, 0)));
    }
    let fixture = fixture().await.opened().await;
    fixture.next(Step::Capture, &[NetworkFault::Later, NetworkFault::Later]);
    fixture.capture().await.unwrap_err();
    fixture.server.do_later();
    assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Captured);
    assert_eq!(fixture.server.moved(), (2500, 0));
}

/// Nothing is declined of which the intent is not cancelled.
#[tokio::test]
async fn a_decline_that_cannot_be_sealed_is_a_fault() {
    let fixture = fixture().await.opened().await;
    fixture.next(Step::Cancel, &[NetworkFault::Says(503), NetworkFault::Says(503)]);
    fixture.stripe.capture(PAYMENT, OURS.declined).await.unwrap_err();
    assert_eq!(fixture.stripe.void(PAYMENT).await.unwrap(), Voided::Voided);
    let fixture = self::fixture().await.opened().await;
    fixture.next(Step::Cancel, &[NetworkFault::CutAfter]);
    assert!(is_declined(&fixture.stripe.capture(PAYMENT, OURS.declined).await.unwrap()), "and asked again it is");
}

#[tokio::test]
async fn a_decline_says_why() {
    for (card, why) in [
        ("pm_card_declined_insufficient_funds", "not enough money"),
        ("pm_card_declined_expired_card", "the card has expired"),
        ("pm_card_declined_fraudulent", "card declined"),
        ("pm_card_3ds", "confirmation in its own window"),
        ("tok_nobody", "unknown card"),
        ("pm&confirm=true", "unknown card"),
    ] {
        let fixture = fixture().await.opened().await;
        let Captured::Declined { why: said } = fixture.stripe.capture(PAYMENT, card).await.unwrap() else {
            panic!("{card}")
        };
        assert!(said.contains(why), "{card}: {said}");
        assert_eq!(fixture.statuses(), ["canceled"]);
        assert_eq!(fixture.server.moved(), (0, 0));
    }
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_a_fault_and_is_not_told() {
    let wrong = |settings| Settings { secret_key: "sk_live_of_another_shop".to_owned(), ..settings };
    let fixture = fixture_with(wrong).await;
    let fault = fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
    assert!(!fault.to_string().contains("sk_"), "{fault}");
    assert_eq!(fixture.server.calls(Step::Create), 1, "asking again is no use");
    let broken = Settings { secret_key: format!("{SECRET_KEY}\n"), ..settings(&fixture.server.url) };
    let fault = Stripe::new(broken, Arc::new(fixture.store.clone())).err().unwrap();
    assert!(!fault.to_string().contains("sk_"), "{fault}");
}

#[tokio::test]
async fn the_key_never_travels_in_clear() {
    let (store, _keep) = sqlite().await;
    for url in ["http://api.stripe.com", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "nonsense", ""] {
        assert!(Stripe::new(settings(url), Arc::new(store.clone())).is_err(), "{url}");
    }
    assert!(Stripe::new(settings("https://api.stripe.com"), Arc::new(store)).is_ok());
}

#[tokio::test]
async fn nobody_waits_for_ever_or_reads_without_end() {
    let fixture = fixture_with(|settings| Settings { call_ms_max: 50, ..settings }).await;
    fixture.next(Step::Create, &[NetworkFault::Slow(400), NetworkFault::Slow(400)]);
    assert!(fixture.stripe.open(PAYMENT, amount()).await.unwrap_err().what.contains("in time"));
    let fixture = fixture_with(|settings| Settings { answer_bytes_max: 50, ..settings }).await;
    fixture.stripe.open(PAYMENT, amount()).await.unwrap_err();
}

/// The same payment with another amount, by a shop that lost its books: nothing is done, and nothing is believed.
#[tokio::test]
async fn a_key_used_twice_is_a_fault() {
    let fixture = fixture().await.opened().await;
    let (other, _keep) = sqlite().await;
    let other = fixture.server.adapter(other);
    let more = Money { minor: 9_900, ..amount() };
    assert!(other.open(PAYMENT, more).await.unwrap_err().what.contains("idempotency_error"));
    assert_eq!(fixture.statuses().len(), 1);
}

#[tokio::test]
async fn a_refund_is_made_once_whatever_is_lost() {
    let fixture = fixture().await.opened().await;
    fixture.capture().await.unwrap();
    fixture.next(Step::Refund, &[NetworkFault::CutAfter, NetworkFault::CutAfter]);
    fixture.stripe.refund(&refund(), 0).await.unwrap_err();
    fixture.server.forget_keys();
    for tries in [0, 0, 1] {
        assert_eq!(fixture.stripe.refund(&refund(), tries).await.unwrap(), RefundAnswer::Done);
    }
    assert_eq!((fixture.server.moved(), fixture.server.calls(Step::Refund)), ((2500, 2500), 2));
}

/// A try that was taken ends as Stripe ends it; the next one has a name of its own.
#[tokio::test]
async fn a_refund_is_seen_through() {
    let fixture = fixture().await.opened().await;
    fixture.capture().await.unwrap();
    fixture.server.next_refund("pending");
    for _ in 0..2 {
        assert_eq!(fixture.stripe.refund(&refund(), 0).await.unwrap(), RefundAnswer::Sent);
    }
    assert_eq!(fixture.stripe.kept_minor(PAYMENT).await.unwrap(), 0);
    fixture.server.set_last_refund("failed");
    assert_eq!(fixture.stripe.kept_minor(PAYMENT).await.unwrap(), 2500);
    let failed = RefundAnswer::Failed { code: "lost_or_stolen_card".to_owned() };
    for _ in 0..2 {
        assert_eq!(fixture.stripe.refund(&refund(), 0).await.unwrap(), failed);
    }
    assert_eq!((fixture.server.moved(), fixture.server.calls(Step::Refund)), ((2500, 0), 1));
    assert_eq!(fixture.stripe.refund(&refund(), 1).await.unwrap(), RefundAnswer::Done);
    assert_eq!(fixture.server.moved(), (2500, 2500));
    let made = fixture.stripe.refunds(PAYMENT).await.unwrap();
    let listed: Vec<_> = made.iter().map(|made| (made.id, made.by_us, made.minor, made.answer.clone())).collect();
    let ours = refund().id;
    assert_eq!(listed, [(ours, true, 2500, RefundAnswer::Done), (ours, true, 2500, failed)]);
}

/// Stripe keeps a refusal under the key it was asked with: only another key is another question.
#[tokio::test]
async fn a_refusal_blocks_its_own_try_only() {
    let fixture = fixture().await.opened().await;
    fixture.capture().await.unwrap();
    fixture.next(Step::Refund, &[NetworkFault::Kept(400)]);
    for _ in 0..2 {
        let answer = fixture.stripe.refund(&refund(), 0).await.unwrap();
        assert_eq!(answer, RefundAnswer::Refused { code: "api_error".to_owned() });
    }
    assert_eq!(fixture.server.moved(), (2500, 0));
    assert_eq!(fixture.stripe.refund(&refund(), 1).await.unwrap(), RefundAnswer::Done);
    assert_eq!((fixture.server.moved(), fixture.server.calls(Step::Refund)), ((2500, 2500), 3));
}

/// What cannot be said to Stripe is not asked; it is refused, and not tried for ever.
#[tokio::test]
async fn what_cannot_go_back_is_refused_without_a_call() {
    let fixture = fixture().await.opened().await;
    fixture.capture().await.unwrap();
    let refused = |code: &str| RefundAnswer::Refused { code: code.to_owned() };
    let odd = Refund { amount: Money { minor: 5_124, currency: "KWD".parse().unwrap() }, ..refund() };
    assert_eq!(fixture.stripe.refund(&odd, 0).await.unwrap(), refused("no_such_amount"));
    let more = Refund { amount: Money { minor: 2_501, ..amount() }, ..refund() };
    assert_eq!(fixture.stripe.refund(&more, 0).await.unwrap(), refused("more_than_is_left"));
    fixture.server.give_back_by_hand(2_400);
    assert_eq!(fixture.stripe.refund(&refund(), 0).await.unwrap(), refused("more_than_is_left"));
    assert_eq!(fixture.server.calls(Step::Refund), 0);
    let made = fixture.stripe.refunds(PAYMENT).await.unwrap();
    assert_eq!((made.len(), made[0].by_us, made[0].minor), (1, false, 2_400));
    assert_ne!(made[0].id, refund().id);
}
