//! What a sale goes through when no process is stopped: each story ends sound.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use miaosha::app::sale::feed;
use miaosha::domain::money::payment::Refund;
use miaosha::domain::sale::SaleState;
use miaosha::domain::sale::reservation::{Kind, Outcome};
use miaosha::domain::sale::turnstile::Snapshot;
use miaosha::domain::shared::id::{AttemptId, BATCH_MAX, BuyerId, RefundId, ReservationId};
use miaosha::ports::platform::clock::Clock;
use miaosha::ports::sale::deadlines::DEADLINE_MAX;
use miaosha::ports::sale::feed::NewsStream;
use miaosha::ports::sale::turnstile::TURNS_MAX;
use miaosha::workers::payment_consumer::Job;

use super::fixture::{Fixture, HOLD_MS, Message, allotment, lapses_at, payment_settings, units};
use crate::contract::signals::told as told_by;

pub async fn assert_kinds<const N: usize>(fixture: &Fixture, expected: [Kind; N]) {
    let kinds: Vec<_> = fixture.kinds(1..=N as u64).await.into_values().collect();
    assert_eq!(kinds, expected.map(Some));
}

/// The same batch again, alone, twice in one take, and beside a new one: its outcomes stay, its buyers are told again.
pub async fn redelivery(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 1)).await;
    let batch = fixture.batch(1..=4);
    let mut notices = fixture.world.notices.notices().await.unwrap();
    fixture.decide([batch.clone()]).await;
    let before = fixture.picture(1..=4).await;
    fixture.decide([batch.clone(), batch.clone(), fixture.batch([5])]).await;
    assert_eq!(fixture.picture(1..=4).await, before);
    let mut told = Vec::new();
    let twice = async {
        while told.len() < 6 {
            told.extend(told_by(&mut notices).await.unwrap().into_iter().filter(|notice| notice.sale == fixture.sale));
        }
    };
    tokio::time::timeout(Duration::from_secs(30), twice).await.expect("everybody is told twice");
    let mut buyers: Vec<u64> = told.iter().map(|notice| notice.buyer.0).collect();
    buyers.sort_unstable();
    assert_eq!(buyers, [1, 1, 2, 2, 3, 3]);
    assert_eq!(fixture.audit().await.figures.attempts, 5);
    fixture.assert_sound().await;
}

/// Limits, second tries and bad attempts are each decided by themselves, and every buyer can ask.
pub async fn every_outcome(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(4, 1)).await;
    let batch = fixture.batch_of([(1, 3), (1, 1), (2, 0), (3, 9), (4, 2), (5, 1), (6, 2)]);
    fixture.decide([batch.clone()]).await;
    let mut outcomes = Vec::new();
    for (index, attempt) in batch.attempts.iter().enumerate() {
        let id: AttemptId = batch.attempt_id(index);
        outcomes.push(fixture.world.reservations.outcome(fixture.sale, attempt.buyer, id).await.unwrap());
    }
    let told: Vec<&str> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Pending => "pending",
            Outcome::Refused => "refused",
            Outcome::Already => "already",
            Outcome::Reserved(row) => row.state.kind().name(),
        })
        .collect();
    assert_eq!(told, ["held", "already", "refused", "refused", "standby", "held", "refused"]);
    assert_eq!(units(&fixture.row(1).await), [1, 2, 3]);
    fixture.assert_sound().await;
}

/// A batch of an unknown sale is dropped; what travels with it is not held up.
pub async fn unknown_sale(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 0)).await;
    let mut unknown = fixture.batch([1]);
    unknown.sale.0 += 1_000_000;
    let deliveries = vec![Message::of(unknown), Message::of(fixture.batch([2]))];
    fixture.consumer().handle(deliveries).await.unwrap();
    assert_eq!(fixture.kind(2).await, Some(Kind::Held));
    fixture.assert_sound().await;
}

/// Who fits is promoted in order of arrival; a party too large is passed and keeps its place.
pub async fn first_that_fits(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(4, 9)).await;
    fixture.decide([fixture.batch_of([(1, 1), (2, 3), (3, 4), (4, 2), (5, 1)])]).await;
    fixture.clock.advance_ms(1_000);
    let cancelled = fixture.cancel(1).await;
    fixture.alarms().handle(vec![fixture.alarm([cancelled])]).await.unwrap();
    assert_kinds(&fixture, [Kind::Cancelled, Kind::Held, Kind::Standby, Kind::Standby, Kind::Held]).await;
    let fifth = fixture.row(5).await.unwrap();
    assert_eq!(lapses_at(&fifth), fixture.clock.now().plus_ms(HOLD_MS), "a promoted hold has its whole time");
    fixture.assert_sound().await;
    fixture.clock.advance_ms(HOLD_MS - 1_000);
    let lapsed = fixture.row(2).await.unwrap().id;
    fixture.alarms().handle(vec![fixture.alarm([lapsed])]).await.unwrap();
    assert_kinds(&fixture, [Kind::Cancelled, Kind::Lapsed, Kind::Standby, Kind::Held, Kind::Held]).await;
    fixture.assert_sound().await;
}

/// Hundreds of holds lapse in the same second; alarms, two workers and the sweeper all go for them at once.
pub async fn crowd(fixture: Fixture) {
    const CAPACITY: u64 = 700;
    let fixture = Arc::new(fixture.with_sale(allotment(700, 300)).await);
    let batches: Vec<_> = (0..11).map(|n| fixture.batch(1 + n * 100..=(n + 1) * 100)).collect();
    fixture.decide(batches).await;
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    let mut ids: Vec<ReservationId> = Vec::new();
    for buyer in 1..=CAPACITY {
        ids.push(fixture.row(buyer).await.unwrap().id);
    }
    let alarms: Vec<_> = ids.chunks(DEADLINE_MAX / 2).map(|ids| fixture.deadline(ids.to_vec())).collect();
    let work = alarms.into_iter().flat_map(|alarm| [alarm.clone(), alarm]).map(|alarm| {
        let fixture = fixture.clone();
        tokio::spawn(async move { fixture.alarms().handle(vec![Message::of(alarm)]).await.unwrap() })
    });
    let work: Vec<_> = work.collect();
    let sweeper = fixture.sweeper();
    let (swept, _) = tokio::join!(sweeper.sweep(), join_all(work));
    swept.unwrap();
    let figures = fixture.audit().await.figures;
    assert_eq!((figures.pending, figures.standby, figures.free), (300, 0, Some(400)));
    fixture.assert_sound().await;
}

/// Far more than one call of the turnstile takes, by attempts and by batches: decided in the order in which they came.
pub async fn a_full_queue(fixture: Fixture) {
    const FULL: u64 = 9;
    let fixture = fixture.with_sale(allotment(5, 3)).await;
    let size = BATCH_MAX as u64;
    let first = fixture.batch([1]);
    let full = (0..FULL).map(|n| fixture.batch(2 + n * size..2 + (n + 1) * size));
    let small = (0..=TURNS_MAX as u64).map(|n| fixture.batch([1_000_000 + n]));
    fixture.decide([first].into_iter().chain(full).chain(small).chain([fixture.batch([1])])).await;
    let kinds: Vec<_> = fixture.kinds(1..=9).await.into_values().collect();
    let expected = [[Kind::Held; 5].as_slice(), &[Kind::Standby; 3]].concat();
    assert_eq!(kinds, expected.into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    let figures = fixture.audit().await.figures;
    assert_eq!(figures.attempts, 1 + FULL * size + TURNS_MAX as u64 + 1 + 1);
    fixture.assert_sound().await;
}

/// A closed sale goes on for those it accepted: what was on its way is decided, holds are paid or lapse, who waits is
/// promoted; when nothing can come free any more, standby ends.
pub async fn closed(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(2, 5)).await;
    fixture.decide([fixture.batch(1..=3)]).await;
    fixture.world.catalogue.set_state(fixture.sale, SaleState::Closed).await.unwrap();
    fixture.decide([fixture.batch([4])]).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [Kind::Held, Kind::Held, Kind::Standby, Kind::Standby]).await;
    fixture.pay(1).await;
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    fixture.sweeper().sweep().await.unwrap();
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [Kind::Confirmed, Kind::Lapsed, Kind::Held, Kind::Standby]).await;
    fixture.pay(3).await;
    fixture.sweeper().sweep().await.unwrap();
    assert_kinds(&fixture, [Kind::Confirmed, Kind::Lapsed, Kind::Confirmed, Kind::Ended]).await;
    fixture.assert_sound().await;
}

/// Publishers are told when a sale is exhausted and when it is not any more.
pub async fn exhausted(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    let mut stream = fixture.world.news.news().await.unwrap();
    fixture.decide([fixture.batch(1..=2)]).await;
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(heard(&fixture, &mut stream).await, "nothing is free, standby is full");
    fixture.clock.advance_ms(HOLD_MS + payment_settings().alarm_ms);
    fixture.sweeper().sweep().await.unwrap();
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(!heard(&fixture, &mut stream).await, "one more may wait");
    fixture.turnstile.set_away(true);
    fixture.sweeper().sweep_one(Job::Watch).await.unwrap_err();
    feed::announce(&fixture.world.needs(), fixture.sale).await.unwrap();
    assert!(!heard(&fixture, &mut stream).await, "attempts wait for the turnstile");
}

/// A consumer that was refused something says at once that the sale is exhausted.
pub async fn exhausted_at_once(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(1, 1)).await;
    let mut stream = fixture.world.news.news().await.unwrap();
    fixture.decide([fixture.batch(1..=3)]).await;
    assert!(heard(&fixture, &mut stream).await);
}

pub async fn heard(fixture: &Fixture, stream: &mut Box<dyn NewsStream>) -> bool {
    let word = async {
        loop {
            let news = stream.next().await.unwrap();
            if let Some(news) = news.sales.into_iter().find(|news| news.sale.id == fixture.sale) {
                return news.exhausted.expect("its turnstile was looked at");
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), word).await.expect("somebody says so")
}

/// Each lie is found, and named by its number.
pub async fn audit_finds(fixture: Fixture) {
    let fixture = fixture.with_sale(allotment(3, 2)).await;
    fixture.decide([fixture.batch_of([(1, 1), (2, 2), (3, 1)])]).await;
    fixture.assert_sound().await;
    let truth = fixture.world.turnstile.snapshot(fixture.sale).await.unwrap().unwrap();

    let idle = |snapshot: &mut Snapshot| {
        let (_, taken) = snapshot.taken.pop_first().unwrap();
        snapshot.returned.extend(taken.units);
    };
    let double = |snapshot: &mut Snapshot| {
        snapshot.returned.insert(1);
    };
    let stranger = |snapshot: &mut Snapshot| {
        snapshot.standby[0].buyer = BuyerId(77);
    };
    type Lie = fn(&mut Snapshot);
    let lies: [(u8, Lie); 3] = [(2, idle), (2, double), (9, stranger)];
    for (invariant, lie) in lies {
        let mut snapshot = truth.clone();
        lie(&mut snapshot);
        fixture.wipe().await;
        fixture.world.turnstile.restore(fixture.sale, &snapshot).await.unwrap();
        let verdict = fixture.audit().await;
        assert!(!verdict.pass && verdict.is_at_rest(), "{verdict}");
        assert_eq!(verdict.divergence.unwrap().invariant, invariant);
    }
    fixture.wipe().await;
    let missing = fixture.audit().await;
    assert!(missing.pass && !missing.is_at_rest(), "{missing}");
    fixture.world.turnstile.restore(fixture.sale, &truth).await.unwrap();

    // Money that moved behind a void's back.
    let payment = fixture.begin_paying(1).await;
    fixture.world.payments.capture(payment.id, "ok").await.unwrap();
    fixture.world.paying.payment_voided(payment.reservation, payment.id, fixture.clock.now()).await.unwrap();
    assert_eq!(fixture.audit().await.divergence.unwrap().invariant, 7);
    let refund = Refund { id: RefundId(1), payment: payment.id, amount: payment.amount };
    fixture.world.payments.refund(&refund, 0).await.unwrap();
    fixture.assert_sound().await;

    fixture.clock.advance_ms(HOLD_MS + 5_000);
    assert_eq!(fixture.audit().await.divergence, None);
    fixture.clock.advance_ms(1);
    assert_eq!(fixture.audit().await.divergence.unwrap().invariant, 8);
}
