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

use super::bench::{Bench, HOLD_MS, allotment, payment_settings};
use super::stories::{assert_kinds, heard};

const CONFIRMED: Kind = Kind::Confirmed;
const HELD: Kind = Kind::Held;
const STANDBY: Kind = Kind::Standby;
const ENDED: Kind = Kind::Ended;
const REFUNDED: Kind = Kind::Refunded;

/// Buyer 1 paid for the only unit; 2 and 3 wait, and one more may.
async fn all_is_paid(bench: Bench) -> Bench {
    let bench = bench.with_sale(allotment(1, 3)).await;
    bench.decide([bench.batch(1..=3)]).await;
    bench.pay(1).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, STANDBY, STANDBY]).await;
    bench
}

async fn close(bench: &Bench) {
    bench.world.catalogue.set_state(bench.sale, SaleState::Closed).await.unwrap();
}

/// All of the buyer's order; what ended with it.
async fn refund(bench: &Bench, buyer: u64) -> ReservationId {
    match bench.refund_units(buyer, None).await {
        RefundOutcome::Done(given) => given.ended,
        other => panic!("nothing went back: {other:?}"),
    }
}

/// Everything is paid, and the line stays: others may join while there is room, a refund is for who waits first, and who is
/// promoted has its mail. At the close it ends, and a unit that comes back after that stays unsold.
pub async fn a_refund_after_all_is_paid(bench: Bench) {
    let bench = all_is_paid(bench).await;
    bench.decide([bench.batch([4, 5])]).await;
    let kinds: Vec<_> = bench.kinds(4..=5).await.into_values().collect();
    assert_eq!(kinds, [Some(STANDBY), None], "one more may wait");
    bench.assert_sound().await;

    let ended = refund(&bench, 1).await;
    // Who presses now is too late, before the unit is given on and after it.
    bench.decide([bench.batch([6])]).await;
    bench.alarms().handle(vec![bench.alarm([ended])]).await.unwrap();
    bench.decide([bench.batch([7])]).await;
    assert_kinds(&bench, [REFUNDED, HELD, STANDBY, STANDBY]).await;
    assert_eq!((bench.kind(6).await, bench.kind(7).await), (None, Some(STANDBY)), "a place in line became free");
    let events = bench.world.outbox.unpublished(99).await.unwrap();
    let promoted = |fact: &Fact| matches!(fact, Fact::Promoted(who) if who.buyer == BuyerId(2));
    assert!(events.iter().any(|event| promoted(&event.fact)), "{events:?}");

    bench.pay(2).await;
    bench.sweeper().sweep().await.unwrap();
    bench.assert_sound().await;
    close(&bench).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [REFUNDED, CONFIRMED, ENDED, ENDED]).await;
    refund(&bench, 2).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [REFUNDED, REFUNDED, ENDED, ENDED]).await;
    bench.assert_sound().await;
}

/// Who waits hears that it was promoted by a refund, and that standby ended.
pub async fn who_waits_is_told(bench: Bench) {
    let bench = all_is_paid(bench).await;
    let mut notices = bench.world.notices.notices().await.unwrap();
    refund(&bench, 1).await;
    bench.sweeper().sweep().await.unwrap();
    bench.pay(2).await;
    close(&bench).await;
    bench.sweeper().sweep().await.unwrap();
    let mut told = Vec::new();
    let both = async {
        while told.len() < 2 {
            let NoticeItem::Notices(heard) = notices.next().await.unwrap() else { continue };
            let own = heard.into_iter().filter(|notice| notice.sale == bench.sale);
            let waited = own.filter(|notice| notice.buyer.0 != 1);
            told.extend(waited.map(|notice| (notice.buyer.0, notice.state)));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), both).await.expect("both are told");
    assert_eq!(told, [(2, HELD), (3, ENDED)]);
}

/// Units are added after everything is paid, while newcomers press: who waits first has them, whoever is quicker.
pub async fn a_raise_after_all_is_paid(bench: Bench) {
    let bench = Arc::new(all_is_paid(bench).await);
    bench.world.catalogue.raise(bench.sale, 2).await.unwrap();
    let verdict = bench.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "it is on its way: {verdict}");
    let newcomers = tokio::spawn({
        let bench = bench.clone();
        async move {
            for buyer in 4..12 {
                bench.decide([bench.batch([buyer])]).await;
            }
        }
    });
    bench.sweeper().sweep().await.unwrap();
    newcomers.await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, HELD, STANDBY, STANDBY]).await;
    bench.assert_sound().await;
    bench.pay(2).await;
    bench.world.catalogue.raise(bench.sale, 3).await.unwrap();
    bench.decide([bench.batch([12])]).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, CONFIRMED, HELD, STANDBY]).await;
    bench.assert_sound().await;
}

/// Units were added and the sale is closed before the turnstile has heard of them: whom they fit is not sent away.
pub async fn a_raise_before_the_close(bench: Bench) {
    let bench = bench.with_sale(allotment(4, 3)).await;
    bench.decide([bench.batch_of([(1, 4), (2, 3), (3, 1), (4, 2)])]).await;
    bench.pay(1).await;
    bench.world.catalogue.raise(bench.sale, 6).await.unwrap();
    close(&bench).await;
    let sweeper = bench.sweeper();
    sweeper.sweep_one(Job::Standby).await.unwrap();
    assert_kinds(&bench, [CONFIRMED, ENDED, STANDBY, STANDBY]).await;
    sweeper.sweep_one(Job::Watch).await.unwrap();
    assert_kinds(&bench, [CONFIRMED, ENDED, HELD, STANDBY]).await;
    bench.pay(3).await;
    sweeper.sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, ENDED, CONFIRMED, ENDED]).await;
    bench.assert_sound().await;
}

/// Promoted, and then the sale is closed: the hold goes on, and when it lapses the next in line has it.
pub async fn promoted_and_then_closed(bench: Bench) {
    let bench = all_is_paid(bench).await;
    bench.decide([bench.batch([4])]).await;
    refund(&bench, 1).await;
    bench.sweeper().sweep().await.unwrap();
    close(&bench).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [REFUNDED, HELD, STANDBY, STANDBY]).await;
    bench.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    bench.sweeper().sweep().await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [REFUNDED, Kind::Lapsed, HELD, STANDBY]).await;
    bench.pay(3).await;
    // Given back before anybody was sent away.
    refund(&bench, 3).await;
    bench.sweeper().sweep_one(Job::Standby).await.unwrap();
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [REFUNDED, Kind::Lapsed, REFUNDED, HELD]).await;
    bench.pay(4).await;
    bench.sweeper().sweep().await.unwrap();
    bench.assert_sound().await;
}

/// As the operator wished: with the last payment it is over for who waits, and says so; the line can begin anew when units
/// are added.
pub async fn until_all_is_paid(bench: Bench) {
    let bench = bench.with_sale_until(allotment(2, 5), StandbyUntil::Paid).await;
    let mut stream = bench.world.news.news().await.unwrap();
    bench.decide([bench.batch(1..=4)]).await;
    bench.pay(1).await;
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, HELD, STANDBY, STANDBY]).await;
    bench.pay(2).await;
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(heard(&bench, &mut stream).await, "nobody is to join a line that ends");
    bench.sweeper().sweep().await.unwrap();
    assert_kinds(&bench, [CONFIRMED, CONFIRMED, ENDED, ENDED]).await;
    bench.assert_sound().await;
    bench.turnstile.set_away(true);
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(heard(&bench, &mut stream).await, "that needs no turnstile");
    bench.turnstile.set_away(false);
    bench.world.catalogue.raise(bench.sale, 3).await.unwrap();
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(!heard(&bench, &mut stream).await, "units are added");
    bench.sweeper().sweep().await.unwrap();
    bench.decide([bench.batch([5, 6])]).await;
    assert_eq!((bench.kind(5).await, bench.kind(6).await), (Some(HELD), Some(STANDBY)));
    bench.assert_sound().await;
}

/// Everything is paid: publishers go on taking attempts while somebody may still join the line.
pub async fn exhausted_when_the_line_is_full(bench: Bench) {
    let bench = all_is_paid(bench).await;
    let mut stream = bench.world.news.news().await.unwrap();
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(!heard(&bench, &mut stream).await, "one more may wait");
    bench.decide([bench.batch([4])]).await;
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(heard(&bench, &mut stream).await, "the line is full");
    bench.turnstile.set_away(true);
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(heard(&bench, &mut stream).await, "that needs no turnstile");
    bench.turnstile.set_away(false);
    refund(&bench, 1).await;
    bench.sweeper().sweep().await.unwrap();
    feed::announce(&bench.world.needs(), bench.sale).await.unwrap();
    assert!(!heard(&bench, &mut stream).await, "who waited first has left the line");
}
