//! Standby goes on until the sale is closed, or until everything is paid, as the operator wished; whatever comes back or is
//! added meanwhile is for who waits first.

use std::sync::Arc;
use std::time::Duration;

use miaosha::app::sale::feed;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::sale::{SaleState, StandbyUntil};
use miaosha::domain::shared::event::Fact;
use miaosha::domain::shared::id::{BuyerId, ReservationId};
use miaosha::ports::money::refunds::RefundOutcome;
use miaosha::ports::sale::notices::NoticeItem;
use miaosha::workers::payment_consumer::Job;

use super::fixture::{Fixture, HOLD_MS, allotment, payment_settings};
use super::stories::{assert_kinds, heard};

const CONFIRMED: Kind = Kind::Confirmed;
const HELD: Kind = Kind::Held;
const STANDBY: Kind = Kind::Standby;
const ENDED: Kind = Kind::Ended;
const REFUNDED: Kind = Kind::Refunded;

/// Buyer 1 paid for the only unit; 2 and 3 wait, and one more may.
async fn all_is_paid(fixture: Fixture) -> Fixture {
    let fixture = fixture.with_sale(allotment(1, 3)).await;
    fixture.decide([fixture.batch(1..=3)]).await;
    fixture.pay(1).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, STANDBY, STANDBY]).await;
    fixture
}

async fn close(fixture: &Fixture) {
    fixture.world.catalogue.set_state(fixture.sale, SaleState::Closed).await.unwrap();
}

/// All of the buyer's order; what ended with it.
async fn refund(fixture: &Fixture, buyer: u64) -> ReservationId {
    match fixture.refund_units(buyer, None).await {
        RefundOutcome::Done(given) => given.ended,
        other => panic!("nothing went back: {other:?}"),
    }
}

/// Everything is paid, and the line stays: others may join while there is room, a refund is for who waits first, and who is
/// promoted has its mail. At the close it ends, and a unit that comes back after that stays unsold.
pub async fn a_refund_after_all_is_paid(fixture: Fixture) {
    let fixture = all_is_paid(fixture).await;
    fixture.decide([fixture.batch([4, 5])]).await;
    let kinds: Vec<_> = fixture.kinds(4..=5).await.into_values().collect();
    assert_eq!(kinds, [Some(STANDBY), None], "one more may wait");
    fixture.assert_sound().await;

    let ended = refund(&fixture, 1).await;
    // Who presses now is too late, before the unit is given on and after it.
    fixture.decide([fixture.batch([6])]).await;
    fixture.alarms().handle(vec![fixture.alarm([ended])]).await.unwrap();
    fixture.decide([fixture.batch([7])]).await;
    assert_kinds(&fixture, [REFUNDED, HELD, STANDBY, STANDBY]).await;
    assert_eq!((fixture.kind(6).await, fixture.kind(7).await), (None, Some(STANDBY)), "a place in line became free");
    let events = fixture.world.outbox.unpublished(99).await.unwrap();
    let promoted = |fact: &Fact| matches!(fact, Fact::Promoted(who) if who.buyer == BuyerId(2));
    assert!(events.iter().any(|event| promoted(&event.fact)), "{events:?}");

    fixture.pay(2).await;
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
    close(&fixture).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [REFUNDED, CONFIRMED, ENDED, ENDED]).await;
    refund(&fixture, 2).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [REFUNDED, REFUNDED, ENDED, ENDED]).await;
    fixture.assert_sound().await;
}

/// A party on standby is told that it was promoted by a refund, and that standby ended.
pub async fn who_waits_is_told(fixture: Fixture) {
    let fixture = all_is_paid(fixture).await;
    let mut notices = fixture.world.notices.notices().await.unwrap();
    refund(&fixture, 1).await;
    fixture.sweeper().sweep().await.unwrap();
    fixture.pay(2).await;
    close(&fixture).await;
    fixture.sweeper().sweep().await.unwrap();
    let mut told = Vec::new();
    let both = async {
        while told.len() < 2 {
            let NoticeItem::Notices(heard) = notices.next().await.unwrap() else { continue };
            let own = heard.into_iter().filter(|notice| notice.sale == fixture.sale);
            let waited = own.filter(|notice| notice.buyer.0 != 1);
            told.extend(waited.map(|notice| (notice.buyer.0, notice.state)));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("both are told");
    assert_eq!(told, [(2, HELD), (3, ENDED)]);
}

/// Units are added after everything is paid, while newcomers press: the first on standby has them, however quick a newcomer is.
pub async fn a_raise_after_all_is_paid(fixture: Fixture) {
    let fixture = Arc::new(all_is_paid(fixture).await);
    fixture.world.catalogue.raise(fixture.sale, 2).await.unwrap();
    let verdict = fixture.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "it is on its way: {verdict}");
    let newcomers = tokio::spawn({
        let fixture = fixture.clone();
        async move {
            for buyer in 4..12 {
                fixture.decide([fixture.batch([buyer])]).await;
            }
        }
    });
    fixture.sweeper().sweep().await.unwrap();
    newcomers.await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, HELD, STANDBY, STANDBY]).await;
    fixture.assert_sound().await;
    fixture.pay(2).await;
    fixture.world.catalogue.raise(fixture.sale, 3).await.unwrap();
    fixture.decide([fixture.batch([12])]).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, CONFIRMED, HELD, STANDBY]).await;
    fixture.assert_sound().await;
}

/// Units were added and the sale is closed before the turnstile knows of them: a party that they fit is not sent away.
pub async fn a_raise_before_the_close(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(4, 3)).await;
    fixture.decide([fixture.batch_of([(1, 4), (2, 3), (3, 1), (4, 2)])]).await;
    fixture.pay(1).await;
    fixture.world.catalogue.raise(fixture.sale, 6).await.unwrap();
    close(&fixture).await;
    let sweeper = fixture.sweeper();
    sweeper.sweep_one(Job::Standby).await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, ENDED, STANDBY, STANDBY]).await;
    sweeper.sweep_one(Job::Watch).await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, ENDED, HELD, STANDBY]).await;
    fixture.pay(3).await;
    sweeper.sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, ENDED, CONFIRMED, ENDED]).await;
    fixture.assert_sound().await;
}

/// Promoted, and then the sale is closed: the hold goes on, and when it lapses the next in line has it.
pub async fn promoted_and_then_closed(fixture: Fixture) {
    let fixture = all_is_paid(fixture).await;
    fixture.decide([fixture.batch([4])]).await;
    refund(&fixture, 1).await;
    fixture.sweeper().sweep().await.unwrap();
    close(&fixture).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [REFUNDED, HELD, STANDBY, STANDBY]).await;
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [REFUNDED, Kind::Lapsed, HELD, STANDBY]).await;
    fixture.pay(3).await;
    // Given back before any party was sent away.
    refund(&fixture, 3).await;
    fixture.sweeper().sweep_one(Job::Standby).await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [REFUNDED, Kind::Lapsed, REFUNDED, HELD]).await;
    fixture.pay(4).await;
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
}

/// As the operator wished: with the last payment it is over for who waits, and says so; the line can begin anew when units
/// are added.
pub async fn until_all_is_paid(fixture: Fixture) {
    let fixture = fixture.with_sale_until(allotment(2, 5), StandbyUntil::Paid).await;
    let mut stream = fixture.world.news.news().await.unwrap();
    fixture.decide([fixture.batch(1..=4)]).await;
    fixture.pay(1).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, HELD, STANDBY, STANDBY]).await;
    fixture.pay(2).await;
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(heard(&fixture, &mut stream).await, "nobody is to join a line that ends");
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, CONFIRMED, ENDED, ENDED]).await;
    fixture.assert_sound().await;
    fixture.turnstile.set_away(true);
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(heard(&fixture, &mut stream).await, "that needs no turnstile");
    fixture.turnstile.set_away(false);
    fixture.world.catalogue.raise(fixture.sale, 3).await.unwrap();
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(!heard(&fixture, &mut stream).await, "units are added");
    fixture.sweeper().sweep().await.unwrap();
    fixture.decide([fixture.batch([5, 6])]).await;
    assert_eq!((fixture.kind(5).await, fixture.kind(6).await), (Some(HELD), Some(STANDBY)));
    fixture.assert_sound().await;
}

/// Everything is paid: publishers go on taking attempts while a party may still join the line.
pub async fn exhausted_when_the_line_is_full(fixture: Fixture) {
    let fixture = all_is_paid(fixture).await;
    let mut stream = fixture.world.news.news().await.unwrap();
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(!heard(&fixture, &mut stream).await, "one more may wait");
    fixture.decide([fixture.batch([4])]).await;
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(heard(&fixture, &mut stream).await, "the line is full");
    fixture.turnstile.set_away(true);
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(heard(&fixture, &mut stream).await, "that needs no turnstile");
    fixture.turnstile.set_away(false);
    refund(&fixture, 1).await;
    fixture.sweeper().sweep().await.unwrap();
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(!heard(&fixture, &mut stream).await, "who waited first has left the line");
}
