//! Paid units that an operator gives back: the order keeps its others, and the parties on standby get these, whatever is stopped.

use std::sync::Arc;

use futures_util::future::join_all;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::money::refunds::RefundOutcome;
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::platform::fault::Point;
use miaosha::workers::payment_consumer as payments;
use miaosha::workers::payment_consumer::Job;

use super::fixture::{Fixture, allotment, payment_settings, units};
use super::points::{First, Work, twice};
use super::stories::assert_kinds;

const CONFIRMED: Kind = Kind::Confirmed;
const HELD: Kind = Kind::Held;
const STANDBY: Kind = Kind::Standby;
const REFUNDED: Kind = Kind::Refunded;

/// Buyer 1 paid for two units, buyer 2 holds the third; 3, 4 and 5 wait for one each.
async fn one_paid_three_waiting(fixture: Fixture) -> Arc<Fixture> {
    let fixture = fixture.with_sale(allotment(3, 3)).await;
    fixture.decide([fixture.batch_of([(1, 2), (2, 1), (3, 1), (4, 1), (5, 1)])]).await;
    fixture.pay(1).await;
    Arc::new(fixture)
}

/// What ended with the units that went back now.
fn ended(given: RefundOutcome) -> ReservationId {
    match given {
        RefundOutcome::Done(given) => given.ended,
        other => panic!("nothing went back: {other:?}"),
    }
}

/// The money goes back too, and everything is as it should be.
async fn assert_settled(fixture: &Fixture) {
    fixture.sweeper().sweep().await.unwrap();
    assert_eq!(fixture.world.refunds.refunds_due(fixture.clock.now(), 9).await.unwrap(), []);
    fixture.assert_sound().await;
}

/// A unit goes back, and the worker that gives it on is stopped: by an alarm, or by the sweeper.
pub async fn part(fixture: Fixture, point: Point, first: First) {
    let fixture = one_paid_three_waiting(fixture).await;
    let split = ended(fixture.refund_units(1, Some(&[2])).await);
    let by_alarm = point == payments::points::LAPSE_AFTER_LEDGER || first == First::Dropped;
    let work: Work = if by_alarm {
        Box::new(move |fixture| {
            Box::pin(async move { fixture.alarms().handle(vec![fixture.alarm([split])]).await.unwrap() })
        })
    } else {
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Unfreed).await.unwrap() }))
    };
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    assert_kinds(&fixture, [CONFIRMED, HELD, HELD, STANDBY, STANDBY]).await;
    assert_eq!((units(&fixture.row(1).await), units(&fixture.row(3).await)), ([1].as_slice(), [2].as_slice()));
    assert_settled(&fixture).await;
}

/// First a unit and then the rest, and the turnstile is told of the rest first; the worker that tells it is stopped.
pub async fn the_rest_first(fixture: Fixture, point: Point, first: First) {
    let fixture = one_paid_three_waiting(fixture).await;
    let split = ended(fixture.refund_units(1, Some(&[1])).await);
    let whole = ended(fixture.refund_units(1, None).await);
    let work: Work = Box::new(move |fixture| {
        Box::pin(async move {
            for id in [whole, split] {
                fixture.alarms().handle(vec![fixture.alarm([id])]).await.unwrap();
            }
        })
    });
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    assert_kinds(&fixture, [REFUNDED, HELD, HELD, HELD, STANDBY]).await;
    assert_settled(&fixture).await;
}

/// The turnstile is emptied and restored while a worker that gives a unit on sleeps; or that worker crashes, and only the
/// restore comes by.
pub async fn wiped(fixture: Fixture, point: Point, first: First) {
    let fixture = one_paid_three_waiting(fixture).await;
    let split = ended(fixture.refund_units(1, Some(&[1])).await);
    let stop = fixture.stops.arm(point);
    let worker = tokio::spawn({
        let fixture = fixture.clone();
        async move { fixture.alarms().handle(vec![fixture.alarm([split])]).await.unwrap() }
    });
    stop.reached().await;
    fixture.wipe().await;
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap();
    match first {
        First::Dropped => worker.abort(),
        First::Asleep => {
            let before = fixture.picture(1..=5).await;
            stop.go_on();
            worker.await.unwrap();
            assert_eq!(fixture.picture(1..=5).await, before, "{point:?}");
        }
    }
    assert_kinds(&fixture, [CONFIRMED, HELD, HELD, STANDBY, STANDBY]).await;
    assert_eq!((units(&fixture.row(1).await), units(&fixture.row(3).await)), ([2].as_slice(), [1].as_slice()));
    assert_settled(&fixture).await;
}

/// The provider is asked for a unit's money by two, and the first is stopped before it is written down.
pub async fn money_of_a_part(fixture: Fixture, point: Point, first: First) {
    let fixture = one_paid_three_waiting(fixture).await;
    fixture.refund_units(1, Some(&[2])).await;
    let work: Work =
        Box::new(|fixture| Box::pin(async move { fixture.sweeper().sweep_one(Job::Refunds).await.unwrap() }));
    twice(&fixture, point, first, &[1, 2, 3, 4, 5], work).await;
    assert_settled(&fixture).await;
    let facts = fixture.world.auditing.audit(fixture.sale, fixture.clock.now()).await.unwrap().unwrap();
    assert_eq!(fixture.world.payments.kept_minor(facts.payments[0].id).await.unwrap(), 1_000, "one of two units");
}

/// Many operators and many alarms at once: every unit goes back once, and everything is given on; to the seven who wait first.
pub async fn refunds_race(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(9, 9)).await;
    fixture.decide([fixture.batch_of((1..=3).map(|buyer| (buyer, 3)).chain((4..=10).map(|buyer| (buyer, 1))))]).await;
    for buyer in 1..=3 {
        fixture.pay(buyer).await;
    }
    fixture.sweeper().sweep().await.unwrap();
    let asked: Vec<(u64, Option<Vec<u32>>)> = (1..=3)
        .flat_map(|buyer| [(buyer, Some(1)), (buyer, Some(2)), (buyer, None), (buyer, Some(1))])
        .map(|(buyer, nth)| (buyer, nth.map(|nth| vec![(buyer as u32 - 1) * 3 + nth])))
        .collect();
    let fixture = Arc::new(fixture);
    let worked = join_all(asked.into_iter().map(|(buyer, units)| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let given = fixture.refund_units(buyer, units.as_deref()).await;
            if let RefundOutcome::Done(given) = given {
                fixture.alarms().handle(vec![fixture.alarm([given.ended])]).await.unwrap();
            }
        })
    }))
    .await;
    worked.into_iter().for_each(|done| done.unwrap());
    assert_kinds(&fixture, [REFUNDED, REFUNDED, REFUNDED]).await;
    assert_settled(&fixture).await;
    let level = fixture.world.turnstile.look(fixture.sale).await.unwrap().unwrap();
    assert!(fixture.kinds(4..=10).await.into_values().all(|kind| kind == Some(HELD)), "who waited has one");
    assert_eq!(level.free, 2, "the rest is for sale again");
    fixture.decide([fixture.batch_of([(11, 1), (1, 1)])]).await;
    assert_kinds(&fixture, [HELD]).await;
    fixture.assert_sound().await;
}

/// Units go back in the middle of a rush, by several hands, while holds lapse and newcomers come.
pub async fn in_mid_rush(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(12, 20)).await;
    fixture.decide([fixture.batch_of((1..=4).map(|buyer| (buyer, 2)).chain([(5, 4)]))]).await;
    for buyer in 1..=4 {
        fixture.pay(buyer).await;
    }
    let fixture = Arc::new(fixture);
    let rush = tokio::spawn({
        let fixture = fixture.clone();
        async move {
            for round in 0..12u64 {
                fixture.decide([fixture.batch((0..6).map(|nth| 100 + round * 6 + nth))]).await;
            }
        }
    });
    let refunds = (1..=4u64).map(|buyer| {
        let fixture = fixture.clone();
        tokio::spawn(async move {
            let unit = (buyer as u32 - 1) * 2 + 1;
            for units in [Some(vec![unit]), (buyer > 2).then(Vec::new)] {
                let units = units.filter(|units| !units.is_empty());
                if units.is_none() && buyer <= 2 {
                    continue;
                }
                let id = ended(fixture.refund_units(buyer, units.as_deref()).await);
                fixture.alarms().handle(vec![fixture.alarm([id])]).await.unwrap();
            }
        })
    });
    join_all(refunds).await.into_iter().for_each(|done| done.unwrap());
    rush.await.unwrap();
    assert_kinds(&fixture, [CONFIRMED, CONFIRMED, REFUNDED, REFUNDED]).await;
    assert_settled(&fixture).await;
    fixture.clock.advance_ms(super::fixture::HOLD_MS + payment_settings().alarm_ms);
    assert_settled(&fixture).await;
}

/// Figures that were bent show in the audit.
pub async fn audit_finds_money(fixture: Fixture) {
    use miaosha::domain::money::payment::{Refund, RefundEntry, RefundState};
    use miaosha::domain::shared::id::RefundId;
    use miaosha::domain::shared::money::Money;
    let fixture = one_paid_three_waiting(fixture).await;
    let RefundOutcome::Done(given) = fixture.refund_units(1, Some(&[2])).await else { panic!() };
    let entry = given.entry;
    let verdict = fixture.audit().await;
    assert!(verdict.pass && !verdict.is_at_rest(), "what is due is in motion: {verdict}");
    // Written down as done, and the provider does not know of it.
    let done = RefundEntry { version: 2, state: RefundState::Done { at: entry.made_at }, ..entry.clone() };
    assert!(fixture.world.refunds.move_refund(&entry, &done).await.unwrap());
    let verdict = fixture.audit().await;
    assert_eq!(verdict.divergence.unwrap().invariant, 7);
    fixture.world.payments.refund(&entry.refund, 0).await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    fixture.assert_sound().await;
    // More went back than the books say.
    let amount = Money { minor: 1, ..entry.refund.amount };
    fixture.world.payments.refund(&Refund { id: RefundId(9), amount, ..entry.refund }, 0).await.unwrap();
    assert_eq!(fixture.audit().await.divergence.unwrap().invariant, 7);
}
