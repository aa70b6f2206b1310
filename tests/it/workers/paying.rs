//! Checkouts that a gateway did not finish, and money that belongs to no order.

use miaosha::adapters::memory::signals::MemorySignals;
use miaosha::domain::money::payment::PaymentState;
use miaosha::domain::sale::reservation::Kind;
use miaosha::ports::money::payments::Captured;
use miaosha::ports::platform::clock::Clock;
use sqlx::{Connection, SqliteConnection};

use super::embedded::fixture_of;
use super::fixture::{Fixture, HOLD_MS, allotment, payment_settings};
use super::stories::assert_kinds;

/// A gateway crashed in the middle of a checkout, after the provider was asked: one story for each card.
pub async fn stuck(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(4, 5)).await;
    fixture.decide([fixture.batch(1..=6)]).await;
    for (buyer, card) in [(1, "ok"), (2, "late"), (3, "declined"), (4, "timeout")] {
        let payment = fixture.begin_paying(buyer).await;
        let answer = fixture.world.payments.capture(payment.id, card).await;
        assert_eq!(answer.is_err(), matches!(card, "late" | "timeout"), "{card}: {answer:?}");
    }
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!(fixture.kind(4).await, Some(Kind::Paying), "it is not resolved before its time");
    fixture.clock.advance_ms(payment_settings().paying_ms_max + 1);
    fixture.sweeper().sweep().await.unwrap();
    let standby = Kind::Standby;
    assert_kinds(&fixture, [Kind::Confirmed, Kind::Confirmed, Kind::Held, Kind::Held, standby, standby]).await;
    // A second card, and again no word; this time the hold is over when it is found.
    let payment = fixture.begin_paying(4).await;
    fixture.world.payments.capture(payment.id, "timeout").await.unwrap_err();
    fixture.pay(3).await;
    fixture.clock.advance_ms(HOLD_MS);
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    let confirmed = Kind::Confirmed;
    assert_kinds(&fixture, [confirmed, confirmed, confirmed, Kind::Lapsed, Kind::Held, standby]).await;
    fixture.assert_sound().await;
}

/// A gateway crashed between the row and the provider: the void is final, and the hold goes on while there is time.
pub async fn never_opened(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    for (after_ms, kinds) in
        [(payment_settings().paying_ms_max + 1, [Kind::Held, Kind::Standby]), (HOLD_MS, [Kind::Lapsed, Kind::Held])]
    {
        let payment = fixture.take(1).await;
        fixture.clock.advance_ms(after_ms);
        fixture.sweeper().sweep().await.unwrap();
        fixture.sweeper().sweep().await.unwrap();
        assert_kinds(&fixture, kinds).await;
        // It only slept.
        fixture.world.payments.open(payment.id, payment.amount).await.unwrap_err();
        let captured = fixture.world.payments.capture(payment.id, "ok").await.unwrap();
        assert!(matches!(captured, Captured::Declined { .. }), "{captured:?}");
    }
    let figures = fixture.audit().await.figures;
    assert_eq!((figures.payments, figures.captured), (2, 0));
    fixture.assert_sound().await;
}

/// No process of ours leaves one, and none comes back for one: the audit says so.
#[tokio::test]
async fn a_payment_without_an_end_is_found_by_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = fixture_of(folder.path(), MemorySignals::new(), |sandbox| sandbox, ()).await;
    let fixture = fixture.with_sale(allotment(2, 1)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    let left = fixture.take(1).await;
    assert!(fixture.audit().await.pass, "it is being paid with");
    fixture.world.paying.payment_unopened(left.reservation, left.id, fixture.clock.now()).await.unwrap();
    let url = format!("sqlite://{}", folder.path().join("ledger.sqlite").display());
    let mut ledger = SqliteConnection::connect(&url).await.unwrap();
    let opened_again = sqlx::query("UPDATE payments SET state = 1 WHERE state = 3").execute(&mut ledger).await.unwrap();
    assert_eq!(opened_again.rows_affected(), 1);
    fixture.begin_paying(2).await;
    let violation = fixture.audit().await.divergence.expect("nobody will end it");
    assert_eq!(violation.invariant, 7);
    assert!(violation.what.contains(&left.id.to_string()), "{}", violation.what);
    assert_eq!(fixture.world.sweeping.stuck(fixture.clock.now().plus_ms(1), 9).await.unwrap().len(), 1);
}

/// An alarm for what a payment took in time does nothing; the unit stays taken until the provider has answered.
pub async fn paying_at_the_bell(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    let payment = fixture.begin_paying(1).await;
    assert_eq!(payment.state, PaymentState::Opened);
    fixture.clock.advance_ms(HOLD_MS);
    fixture.alarms().handle(vec![fixture.alarm([payment.reservation])]).await.unwrap();
    assert_kinds(&fixture, [Kind::Paying, Kind::Standby]).await;
    let verdict = fixture.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "{verdict}");
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [Kind::Lapsed, Kind::Held]).await;
    fixture.assert_sound().await;
}

/// The alarm of a hold that was let go rings when its unit is another buyer's: it speaks of the first reservation only.
pub async fn an_old_alarm(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    fixture.decide([fixture.batch(1..=2)]).await;
    fixture.clock.advance_ms(HOLD_MS / 2);
    let first = fixture.cancel(1).await;
    fixture.alarms().handle(vec![fixture.alarm([first])]).await.unwrap();
    assert_kinds(&fixture, [Kind::Cancelled, Kind::Held]).await;
    let before = fixture.picture(1..=2).await;
    fixture.clock.advance_ms(HOLD_MS / 2);
    fixture.alarms().handle(vec![fixture.alarm([first]), fixture.alarm([first])]).await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!(fixture.picture(1..=2).await, before);
    fixture.pay(2).await;
    fixture.assert_sound().await;
}
