//! What every payment provider must do: every call idempotent, every answer but silence definite.

use futures_util::future::join_all;
use miaosha::domain::money::payment::{Refund, RefundAnswer};
use miaosha::domain::shared::id::{PaymentId, RefundId};
use miaosha::domain::shared::money::Money;
use miaosha::ports::money::payments::{Captured, Opened, Payments, Unpayable, Voided};

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
    for _ in 0..2 {
        assert_eq!(payments.open(payment, amount()).await.unwrap(), Opened::Opened);
    }
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 0, "no money moves");
    payment
}

pub async fn a_good_card_is_captured_once<P: Payments>(payments: P, cards: Cards) {
    let payment = opened(&payments, 1).await;
    for card in [cards.good, cards.good, cards.declined] {
        assert_eq!(payments.capture(payment, card).await.unwrap(), Captured::Captured, "money that moved has moved");
    }
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 2500);
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
    payments.open(payment, amount()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(payments.refund(&refund(1, payment, 2500), 0).await.unwrap(), RefundAnswer::Done);
        assert_eq!(payments.kept_minor(payment).await.unwrap(), 0);
    }
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
}

/// Nothing of it was done, and of this try nothing will be.
async fn is_refused<P: Payments>(payments: &P, refund: &Refund) -> bool {
    matches!(payments.refund(refund, 0).await.unwrap(), RefundAnswer::Refused { .. })
}

fn refund(id: u128, payment: PaymentId, minor: i64) -> Refund {
    Refund { id: RefundId(id), payment, amount: Money { minor, ..amount() } }
}

pub async fn a_payment_goes_back_in_parts_and_never_beyond_itself<P: Payments>(payments: P, cards: Cards) {
    let payment = opened(&payments, 1).await;
    assert!(is_refused(&payments, &refund(1, payment, 1)).await, "nothing moved yet");
    payments.capture(payment, cards.good).await.unwrap();
    for _ in 0..2 {
        assert_eq!(payments.refund(&refund(1, payment, 1000), 0).await.unwrap(), RefundAnswer::Done);
    }
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 1500);
    assert!(is_refused(&payments, &refund(2, payment, 1501)).await);
    let other = Refund { amount: Money { minor: 1, currency: "EUR".parse().unwrap() }, ..refund(2, payment, 1) };
    assert!(is_refused(&payments, &other).await);
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 1500, "what failed left nothing");
    assert_eq!(payments.refund(&refund(2, payment, 1500), 1).await.unwrap(), RefundAnswer::Done, "the next try");
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 0);
    assert!(is_refused(&payments, &refund(3, payment, 1)).await);
    let made = payments.refunds(payment).await.unwrap();
    let mut listed: Vec<_> = made.iter().map(|made| (made.id.0, made.by_us, made.minor)).collect();
    listed.sort_unstable();
    assert_eq!(listed, [(1, true, 1000), (2, true, 1500)]);
    assert!(made.iter().all(|made| made.answer == RefundAnswer::Done));
    assert_eq!(payments.void(payment).await.unwrap(), Voided::Captured);
}

/// The same answer before it is opened and when it is, and nothing is left of it.
pub async fn an_amount_of_nothing_is_not_taken<P: Payments>(payments: P, _: Cards) {
    for minor in [0, -1, i64::MIN] {
        let amount = Money { minor, ..amount() };
        let Err(refused) = payments.check(amount) else { panic!("{amount} is taken") };
        let Unpayable::TooLittle { least } = &refused else { panic!("{refused}") };
        assert_eq!(payments.check(*least), Ok(()));
        assert_eq!(payments.open(PaymentId(1), amount).await.unwrap(), Opened::Refused(refused));
        assert_eq!(payments.kept_minor(PaymentId(1)).await.unwrap(), 0);
    }
    assert_eq!(payments.void(PaymentId(1)).await.unwrap(), Voided::Voided);
}

pub async fn of_refunds_at_once_no_more_goes_back_than_moved<P: Payments>(payments: P, cards: Cards) {
    let payment = opened(&payments, 1).await;
    payments.capture(payment, cards.good).await.unwrap();
    let asked: Vec<Refund> = (1..=6).map(|id| refund(id, payment, 600)).collect();
    let made = futures_util::future::join_all(asked.iter().map(|refund| payments.refund(refund, 0))).await;
    assert_eq!(made.iter().filter(|made| matches!(made, Ok(RefundAnswer::Done))).count(), 4);
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 100);
}

pub async fn a_bad_card_voids_the_payment<P: Payments>(payments: P, cards: Cards) {
    for (number, card) in [(1, cards.declined), (2, cards.unknown), (3, "")] {
        let payment = opened(&payments, number).await;
        assert!(matches!(payments.capture(payment, card).await.unwrap(), Captured::Declined { .. }));
        assert!(matches!(payments.capture(payment, cards.good).await.unwrap(), Captured::Declined { .. }));
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
        assert!(is_refused(&payments, &refund(number, payment, 1)).await);
        assert_eq!(payments.kept_minor(payment).await.unwrap(), 0);
    }
    let unknown = payments.capture(PaymentId(4), cards.declined).await.unwrap();
    assert!(matches!(unknown, Captured::Declined { .. }), "{unknown:?}");
}

pub async fn a_void_of_what_was_never_opened_holds<P: Payments>(payments: P, cards: Cards) {
    let payment = PaymentId(1);
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 0);
    for _ in 0..2 {
        assert_eq!(payments.void(payment).await.unwrap(), Voided::Voided);
    }
    assert_eq!(payments.open(payment, amount()).await.unwrap_err().part, "payments");
    assert!(matches!(payments.capture(payment, cards.good).await.unwrap(), Captured::Declined { .. }));
    assert!(is_refused(&payments, &refund(1, PaymentId(2), 1)).await);
    assert_eq!(payments.refunds(PaymentId(2)).await.unwrap(), []);
}

/// Whatever a provider carries out together.
pub async fn of_many_at_once_each_has_its_own_answer<P: Payments>(payments: P, cards: Cards) {
    let (payments, ids) = (&payments, (1..=30).map(PaymentId).collect::<Vec<_>>());
    let opened = join_all(ids.iter().map(|&id| payments.open(id, amount()))).await;
    assert!(opened.into_iter().all(|opened| opened.unwrap() == Opened::Opened));
    let ends = ids.iter().map(|&id| async move {
        match id.0 % 3 {
            0 => payments.void(id).await.unwrap() == Voided::Voided,
            1 => payments.capture(id, cards.good).await.unwrap() == Captured::Captured,
            _ => matches!(payments.capture(id, cards.declined).await.unwrap(), Captured::Declined { .. }),
        }
    });
    assert_eq!(join_all(ends).await, [true; 30]);
    for id in ids {
        let kept = if id.0 % 3 == 1 { 2500 } else { 0 };
        assert_eq!(payments.kept_minor(id).await.unwrap(), kept, "of {id}");
    }
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
    assert_eq!(payments.kept_minor(payment).await.unwrap(), 2500);
    let voided = opened(&payments, 3).await;
    payments.void(voided).await.unwrap();
    let _ = payments.capture(voided, (late)()).await;
    assert_eq!(payments.kept_minor(voided).await.unwrap(), 0);
}

/// Prepares the provider for one call, and names the card to call it with.
pub type Card = Box<dyn Fn() -> &'static str>;
