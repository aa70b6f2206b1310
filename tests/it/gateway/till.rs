//! Checkouts that are there at once: who asks the provider, who waits, and what one that goes away or fails does to the others.

use std::sync::{Arc, Mutex};

use actix_web::rt;
use futures_util::FutureExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesUnordered, StreamExt};
use miaosha::app::money::points;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};

use super::fixture::{Fixture, HOLD_MS, settings};
use super::webhooks::CARD;
use super::{over_both, worlds};
use crate::support::clock::START;
use crate::support::stripe::{NetworkFault, Step};
use crate::support::watched::{Before, Call};

over_both! {
    a_crowd_pays_at_once
    who_goes_away_takes_nobody_along
    the_same_key_at_once_pays_once
    one_that_lapses_in_between_lapses_alone
}

/// A gateway whose calls to the provider are written down.
async fn counted() -> (Fixture, Arc<Mutex<Vec<(Call, PaymentId)>>>) {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = calls.clone();
    let before: Before = Arc::new(move |call, payment| {
        seen.lock().unwrap().push((call, payment));
        async {}.boxed()
    });
    let fixture =
        Fixture::make(settings(), |folder, clock, stops| worlds::watched(before, folder, clock, stops).boxed_local());
    (fixture.await, calls)
}

/// However many ask, and whichever group they are in.
#[actix_web::test]
async fn of_many_checkouts_of_one_hold_one_asks_the_provider() {
    let (fixture, calls) = counted().await;
    let sale = fixture.sale(1, 0).await.id;
    let id = fixture.attempt(sale, 7, 1).await;
    let token = fixture.checkout_token(sale, 7).await;
    let answers = join_all((0..40).map(|_| fixture.check_out(7, &token, "ok"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200..=202)), "{answers:?}");
    let asked = calls.lock().unwrap().clone();
    let [(Call::Open, opened), (Call::Capture, captured)] = asked[..] else { panic!("{asked:?}") };
    assert_eq!(opened, captured);
    let facts = fixture.world.auditing.audit(sale, START).await.unwrap().unwrap();
    let written: Vec<PaymentId> = facts.payments.iter().map(|payment| payment.id).collect();
    assert_eq!(written, [opened], "nor is any other payment written down");
    // Whoever comes again is told, and the provider is not asked.
    fixture.check_out(7, &token, "ok").await.is(200);
    assert_eq!(calls.lock().unwrap().len(), 2);
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
}

/// What costs nothing, what is over and what is nobody's is no matter for a provider.
#[actix_web::test]
async fn the_provider_is_asked_for_nothing_in_vain() {
    let (fixture, calls) = counted().await;
    let free = fixture.sale_at(0, "TWD", 1).await.id;
    fixture.attempt(free, 7, 1).await;
    let token = fixture.checkout_token(free, 7).await;
    fixture.check_out(7, &token, "ok").await.is(201);
    let sale = fixture.sale(1, 1).await.id;
    fixture.attempt(sale, 7, 1).await;
    let late = fixture.checkout_token(sale, 7).await;
    let sign = |id: ReservationId, buyer| fixture.keys.sign_checkout(id, BuyerId(buyer), START, 10 * HOLD_MS);
    let waits = fixture.attempt(sale, 8, 1).await;
    fixture.check_out(8, &sign(waits, 8), "ok").await.is_problem(409, "not_held");
    fixture.check_out(8, &sign(ReservationId(5), 8), "ok").await.is_problem(409, "not_held");
    fixture.clock.advance_ms(HOLD_MS);
    fixture.check_out(7, &late, "ok").await.is_problem(409, "hold_lapsed");
    assert_eq!(*calls.lock().unwrap(), []);
}

async fn a_crowd_pays_at_once(fixture: Fixture) {
    let cards = ["ok", "declined", "ok", "late", "ok", "timeout"];
    let sale = fixture.sale(18, 0).await.id;
    let mut crowd = Vec::new();
    for (buyer, card) in (0..18).zip(cards.into_iter().cycle()) {
        fixture.attempt(sale, buyer, 1).await;
        crowd.push((buyer, fixture.checkout_token(sale, buyer).await, card));
    }
    let answers = join_all(crowd.iter().map(|(buyer, token, card)| fixture.check_out(*buyer, token, card))).await;
    let mut numbers = Vec::new();
    for ((buyer, token, card), answer) in crowd.iter().zip(answers) {
        match *card {
            "declined" => {
                assert_eq!(answer.is(402)["tries_left"], 4, "of buyer {buyer}");
                numbers.push(fixture.check_out(*buyer, token, "ok").await.is(201)["order_number"].clone());
            }
            "ok" => {
                let order = answer.is(201);
                assert_eq!(fixture.check_out(*buyer, token, "ok").await.is(200), order);
                numbers.push(order["order_number"].clone());
            }
            _ => assert_eq!(answer.is(202)["status"], "paying"),
        }
    }
    let sweeps = payments::Settings { paying_ms_max: 10, ..payments::Settings::default() };
    fixture.clock.advance_ms(20);
    Sweeper::new(fixture.world.needs(), sweeps).sweep_one(Job::Stuck).await.unwrap();
    for (buyer, token, card) in crowd.iter().filter(|(.., card)| matches!(*card, "late" | "timeout")) {
        let status = if *card == "late" { 200 } else { 201 };
        numbers.push(fixture.check_out(*buyer, token, "ok").await.is(status)["order_number"].clone());
    }
    numbers.sort_by_key(ToString::to_string);
    numbers.dedup();
    assert_eq!((numbers.len(), fixture.orders_and_captures(sale).await), (18, (18, 18)));
}

/// In the middle of a group: the others are answered, and what the one asked for is done all the same.
async fn who_goes_away_takes_nobody_along(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await.id;
    let mut crowd = Vec::new();
    for buyer in 0..4 {
        let id = fixture.attempt(sale, buyer, 1).await;
        crowd.push((buyer, id, fixture.checkout_token(sale, buyer).await));
    }
    let stop = fixture.stops.arm(points::CHECKOUT_AFTER_READ);
    let mut asked: Vec<_> =
        crowd.iter().map(|(buyer, _, token)| rt::spawn(fixture.check_out(*buyer, token, "ok"))).collect();
    stop.reached().await;
    let gone = asked.remove(0);
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    stop.go_on();
    for answer in join_all(asked).await {
        answer.unwrap().is(201);
    }
    assert!(fixture.lifecycle.drain().await);
    for (_, id, _) in &crowd {
        assert_eq!(fixture.kind(*id).await, Kind::Confirmed);
    }
}

async fn the_same_key_at_once_pays_once(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await.id;
    fixture.attempt(sale, 7, 1).await;
    let body = serde_json::json!({ "checkout_token": fixture.checkout_token(sale, 7).await, "card": "ok" });
    let ask = || fixture.post_under("one", "/v1/checkouts", &fixture.shopper(7), &body);
    let answers = join_all((0..12).map(|_| ask())).await;
    let order = ask().await.is(201);
    for answer in answers {
        match answer.status.as_u16() {
            201 => assert_eq!(answer.body, order),
            _ => answer.is_problem(409, "in_flight"),
        }
    }
    let other = serde_json::json!({ "checkout_token": body["checkout_token"], "card": "declined" });
    let other = fixture.post_under("one", "/v1/checkouts", &fixture.shopper(7), &other).await;
    other.is_problem(422, "idempotency_key_reused");
    // What was told is told again, also when nothing of it could be asked for any more.
    fixture.clock.advance_ms(2 * HOLD_MS + 10 * 3_600_000);
    assert_eq!(ask().await.is(201), order);
    assert_eq!(fixture.orders_and_captures(sale).await, (1, 1));
}

/// Between the look at its rows and the commit of a group.
async fn one_that_lapses_in_between_lapses_alone(fixture: Fixture) {
    let sale = fixture.sale(3, 0).await.id;
    let mut crowd = Vec::new();
    for (buyer, after_ms) in [(0, 0), (1, 1_000), (2, 0)] {
        fixture.clock.advance_ms(after_ms);
        let id = fixture.attempt(sale, buyer, 1).await;
        crowd.push((buyer, id, fixture.checkout_token(sale, buyer).await));
    }
    fixture.clock.advance_ms(HOLD_MS - 1_001);
    let stop = fixture.stops.arm(points::CHECKOUT_AFTER_READ);
    let asked: Vec<_> =
        crowd.iter().map(|(buyer, _, token)| rt::spawn(fixture.check_out(*buyer, token, "ok"))).collect();
    stop.reached().await;
    fixture.clock.advance_ms(1);
    let (first, now) = (crowd[0].1, fixture.world.clock.now());
    assert_eq!(fixture.world.sweeping.lapse(sale, &[first], now).await.unwrap().len(), 1);
    stop.go_on();
    let statuses: Vec<u16> = join_all(asked).await.into_iter().map(|answer| answer.unwrap().status.as_u16()).collect();
    assert_eq!(statuses, [409, 201, 201]);
    assert_eq!(fixture.orders_and_captures(sale).await, (2, 2));
}

/// One group is at work, and so many wait for the next.
#[actix_web::test]
async fn so_many_wait_to_pay_and_one_more_is_told_to_come_again() {
    let fixture = Fixture::new().await;
    let nothing = fixture.keys.sign_checkout(ReservationId(5), BuyerId(7), START, HOLD_MS);
    let stop = fixture.stops.arm(points::CHECKOUT_AFTER_READ);
    let first = rt::spawn(fixture.check_out(7, &nothing, "ok"));
    stop.reached().await;
    let mut others: FuturesUnordered<_> = (0..1_025).map(|_| rt::spawn(fixture.check_out(7, &nothing, "ok"))).collect();
    let refused = others.next().await.unwrap().unwrap();
    refused.is_problem(503, "busy");
    stop.go_on();
    first.await.unwrap().is_problem(409, "not_held");
    while let Some(answer) = others.next().await {
        answer.unwrap().is_problem(409, "not_held");
    }
}

/// The row is taken before the provider is asked: where that fails, it is given back, and no decline is counted.
#[actix_web::test]
async fn a_payment_that_cannot_be_opened_is_given_back() {
    let (server, fixture) = super::webhooks::fixture().await;
    let sale = fixture.sale(1, 0).await.id;
    let id = fixture.attempt(sale, 7, 1).await;
    let token = fixture.checkout_token(sale, 7).await;
    for fault in [NetworkFault::CutBefore, NetworkFault::CutAfter] {
        // As often as it is tried.
        (0..2).for_each(|_| server.next(Step::Create, fault));
        fixture.check_out(7, &token, CARD).await.is_problem(503, "unavailable");
        assert_eq!(fixture.kind(id).await, Kind::Held);
        assert_eq!(fixture.world.paying.declines(id).await.unwrap(), 0);
    }
    fixture.check_out(7, &token, CARD).await.is(201);
    assert_eq!(fixture.orders_and_captures(sale).await, (1, 1));
}
