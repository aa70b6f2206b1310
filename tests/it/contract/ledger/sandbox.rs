//! The sandbox provider: every call idempotent, every answer but silence definite.

use miaosha::domain::id::PaymentId;
use miaosha::domain::money::Money;
use miaosha::ports::payments::{Captured, Payments, Voided};

fn amount() -> Money {
    Money { minor: 2500, currency: "TWD".parse().unwrap() }
}

async fn opened<P: Payments>(payments: &P, number: u128) -> PaymentId {
    let payment = PaymentId(number);
    payments.open(payment, amount()).await.unwrap();
    payments.open(payment, amount()).await.unwrap();
    assert!(!payments.is_captured(payment).await.unwrap(), "no money moves");
    payment
}

pub async fn a_good_card_is_captured_once<P: Payments>(payments: P) {
    let payment = opened(&payments, 1).await;
    for card in ["ok", "ok", "declined"] {
        assert_eq!(payments.capture(payment, card).await.unwrap(), Captured::Captured, "money that moved has moved");
    }
    assert!(payments.is_captured(payment).await.unwrap());
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
    payments.open(payment, amount()).await.unwrap();
    for _ in 0..2 {
        payments.refund(payment).await.unwrap();
        assert!(!payments.is_captured(payment).await.unwrap());
    }
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
}

pub async fn a_bad_card_voids_the_payment<P: Payments>(payments: P) {
    for (number, card) in [(1, "declined"), (2, "4242"), (3, "")] {
        let payment = opened(&payments, number).await;
        assert!(matches!(payments.capture(payment, card).await.unwrap(), Captured::Declined { .. }));
        assert!(matches!(payments.capture(payment, "ok").await.unwrap(), Captured::Declined { .. }));
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
        assert_eq!(payments.refund(payment).await.unwrap_err().part, "payments");
        assert!(!payments.is_captured(payment).await.unwrap());
    }
    let unknown = payments.capture(PaymentId(4), "declined").await.unwrap();
    assert_eq!(unknown, Captured::Declined { why: "card declined".into() });
}

pub async fn a_card_that_is_silent_is_settled_by_a_void<P: Payments>(payments: P) {
    let payment = opened(&payments, 1).await;
    assert_eq!(payments.capture(payment, "timeout").await.unwrap_err().part, "payments");
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
    let late = opened(&payments, 2).await;
    assert_eq!(payments.capture(late, "late").await.unwrap_err().part, "payments");
    assert_eq!(payments.void(late).await.unwrap(), Voided::Captured);
    assert!(payments.is_captured(late).await.unwrap());
    let voided = opened(&payments, 3).await;
    payments.void(voided).await.unwrap();
    payments.capture(voided, "late").await.unwrap_err();
    assert!(!payments.is_captured(voided).await.unwrap());
}

pub async fn a_void_of_what_was_never_opened_holds<P: Payments>(payments: P) {
    let payment = PaymentId(1);
    assert!(!payments.is_captured(payment).await.unwrap());
    for _ in 0..2 {
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
    }
    assert_eq!(payments.open(payment, amount()).await.unwrap_err().part, "payments");
    assert!(matches!(payments.capture(payment, "ok").await.unwrap(), Captured::Declined { .. }));
    payments.refund(PaymentId(2)).await.unwrap_err();
}

pub async fn of_a_capture_and_a_void_at_the_provider_one_wins<P: Payments>(payments: P) {
    for number in 1..=10 {
        let payment = opened(&payments, number).await;
        let (captured, voided) = tokio::join!(payments.capture(payment, "ok"), payments.void(payment));
        match captured.unwrap() {
            Captured::Captured => assert_eq!(voided.unwrap(), Voided::Captured),
            Captured::Declined { .. } => assert_eq!(voided.unwrap(), Voided::Voided),
        }
    }
}
