//! What every payment provider must do: every call idempotent, every answer but silence definite.

use miaosha::domain::id::PaymentId;
use miaosha::domain::money::Money;
use miaosha::ports::payments::{Captured, Payments, Voided};

/// What a provider calls cards of these kinds.
#[derive(Clone, Copy)]
pub struct Cards {
    pub good: &'static str,
    pub declined: &'static str,
    pub unknown: &'static str,
}

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

pub async fn a_good_card_is_captured_once<P: Payments>(payments: P, cards: Cards) {
    let payment = opened(&payments, 1).await;
    for card in [cards.good, cards.good, cards.declined] {
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

pub async fn a_bad_card_voids_the_payment<P: Payments>(payments: P, cards: Cards) {
    for (number, card) in [(1, cards.declined), (2, cards.unknown), (3, "")] {
        let payment = opened(&payments, number).await;
        assert!(matches!(payments.capture(payment, card).await.unwrap(), Captured::Declined { .. }));
        assert!(matches!(payments.capture(payment, cards.good).await.unwrap(), Captured::Declined { .. }));
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
        assert_eq!(payments.refund(payment).await.unwrap_err().part, "payments");
        assert!(!payments.is_captured(payment).await.unwrap());
    }
    let unknown = payments.capture(PaymentId(4), cards.declined).await.unwrap();
    assert!(matches!(unknown, Captured::Declined { .. }), "{unknown:?}");
}

pub async fn a_void_of_what_was_never_opened_holds<P: Payments>(payments: P, cards: Cards) {
    let payment = PaymentId(1);
    assert!(!payments.is_captured(payment).await.unwrap());
    for _ in 0..2 {
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
    }
    assert_eq!(payments.open(payment, amount()).await.unwrap_err().part, "payments");
    assert!(matches!(payments.capture(payment, cards.good).await.unwrap(), Captured::Declined { .. }));
    payments.refund(PaymentId(2)).await.unwrap_err();
}

pub async fn of_a_capture_and_a_void_at_the_provider_one_wins<P: Payments>(payments: P, cards: Cards) {
    for number in 1..=10 {
        let payment = opened(&payments, number).await;
        let (captured, voided) = tokio::join!(payments.capture(payment, cards.good), payments.void(payment));
        match captured.unwrap() {
            Captured::Captured => assert_eq!(voided.unwrap(), Voided::Captured),
            Captured::Declined { .. } => assert_eq!(voided.unwrap(), Voided::Voided),
        }
    }
}

/// `silent` is never done and never answered, `late` is done and never answered.
pub async fn a_card_that_is_silent_is_settled_by_a_void<P: Payments>(payments: P, silent: Card, late: Card) {
    let payment = opened(&payments, 1).await;
    assert_eq!(payments.capture(payment, (silent)()).await.unwrap_err().part, "payments");
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
    let payment = opened(&payments, 2).await;
    assert_eq!(payments.capture(payment, (late)()).await.unwrap_err().part, "payments");
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
    assert!(payments.is_captured(payment).await.unwrap());
    let voided = opened(&payments, 3).await;
    payments.void(voided).await.unwrap();
    let _ = payments.capture(voided, (late)()).await;
    assert!(!payments.is_captured(voided).await.unwrap());
}

/// Prepares the provider for one call, and names the card to call it with.
pub type Card = Box<dyn Fn() -> &'static str>;
