//! Checkouts that a gateway did not finish, and money that belongs to nobody.

use miaosha::domain::money::payment::{Payment, PaymentState};
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::PaymentId;

use super::bench::{Bench, HOLD_MS, allotment, payment_settings};
use super::stories::assert_kinds;

/// A gateway died in the middle of a checkout, after the provider was asked: one story for each card.
pub async fn stuck(bench: Bench) {
    let bench = bench.with_sale(allotment(4, 5)).await;
    bench.decide([bench.batch(1..=6)]).await;
    for (buyer, card) in [(1, "ok"), (2, "late"), (3, "declined"), (4, "timeout")] {
        let payment = bench.begin_paying(buyer).await;
        let answer = bench.world.payments.capture(payment.id, card).await;
        assert_eq!(answer.is_err(), matches!(card, "late" | "timeout"), "{card}: {answer:?}");
    }
    bench.sweeper().sweep().await.unwrap();
    assert_eq!(bench.kind(4).await, Some(Kind::Paying), "it is not resolved before its time");
    bench.clock.advance_ms(payment_settings().paying_ms_max + 1);
    bench.sweeper().sweep().await.unwrap();
    let standby = Kind::Standby;
    assert_kinds(&bench, [Kind::Confirmed, Kind::Confirmed, Kind::Held, Kind::Held, standby, standby]).await;
    // A second card, and again no word; this time the hold is over when it is found.
    let payment = bench.begin_paying(4).await;
    bench.world.payments.capture(payment.id, "timeout").await.unwrap_err();
    bench.pay(3).await;
    bench.clock.advance_ms(HOLD_MS);
    bench.sweeper().sweep().await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    let confirmed = Kind::Confirmed;
    assert_kinds(&bench, [confirmed, confirmed, confirmed, Kind::Lapsed, Kind::Held, standby]).await;
    bench.assert_sound().await;
}

/// Payments that no reservation took: one that was never opened, one that is void, one whose money moved and goes back.
pub async fn orphans(bench: Bench) {
    let bench = bench.with_sale(allotment(2, 1)).await;
    bench.decide([bench.batch(1..=2)]).await;
    let template = bench.begin_paying(1).await;
    bench.world.payments.capture(template.id, "ok").await.unwrap();
    for (n, card) in [(1, None), (2, Some("timeout")), (3, Some("ok"))] {
        let orphan = Payment { id: PaymentId(template.id.0 + n), ..template.clone() };
        bench.world.paying.payment_opened(&orphan).await.unwrap();
        if let Some(card) = card {
            bench.world.payments.open(orphan.id, orphan.amount).await.unwrap();
            let _ = bench.world.payments.capture(orphan.id, card).await;
        }
    }
    bench.clock.advance_ms(payment_settings().orphan_ms.max(HOLD_MS) + payment_settings().alarm_ms + 1);
    for _ in 0..3 {
        bench.sweeper().sweep().await.unwrap();
    }
    assert_kinds(&bench, [Kind::Confirmed, Kind::Lapsed]).await;
    let figures = bench.audit().await.figures;
    assert_eq!((figures.payments, figures.captured, figures.orders), (4, 1, 1));
    bench.assert_sound().await;
}

/// An alarm for what a payment took in time does nothing; the unit stays taken until the provider has answered.
pub async fn paying_at_the_bell(bench: Bench) {
    let bench = bench.with_sale(allotment(1, 1)).await;
    bench.decide([bench.batch(1..=2)]).await;
    let payment = bench.begin_paying(1).await;
    assert_eq!(payment.state, PaymentState::Opened);
    bench.clock.advance_ms(HOLD_MS);
    bench.alarms().handle(vec![bench.alarm([payment.reservation])]).await.unwrap();
    assert_kinds(&bench, [Kind::Paying, Kind::Standby]).await;
    let verdict = bench.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "{verdict}");
    bench.sweeper().sweep().await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [Kind::Lapsed, Kind::Held]).await;
    bench.assert_sound().await;
}

/// The alarm of a hold that was let go rings when its unit is somebody else's: it speaks of the first reservation only.
pub async fn an_old_alarm(bench: Bench) {
    let bench = bench.with_sale(allotment(1, 1)).await;
    bench.decide([bench.batch(1..=2)]).await;
    bench.clock.advance_ms(HOLD_MS / 2);
    let first = bench.cancel(1).await;
    bench.alarms().handle(vec![bench.alarm([first])]).await.unwrap();
    assert_kinds(&bench, [Kind::Cancelled, Kind::Held]).await;
    let before = bench.picture(1..=2).await;
    bench.clock.advance_ms(HOLD_MS / 2);
    bench.alarms().handle(vec![bench.alarm([first]), bench.alarm([first])]).await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    assert_eq!(bench.picture(1..=2).await, before);
    bench.pay(2).await;
    bench.assert_sound().await;
}
