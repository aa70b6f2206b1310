//! Two at once, too late, and another buyer's: each the right problem, and never a second charge.

use actix_web::http::Method;
use futures_util::future::join_all;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::BuyerId;
use miaosha::ports::money::refunds::{RefundOutcome, RefundRequest};
use miaosha::ports::platform::clock::Clock;
use miaosha::workers::payment_consumer::{self as payments, Sweeper};
use serde_json::json;

use super::fixture::{Fixture, HOLD_MS};
use crate::support::clock::START;
use crate::support::stripe::StripeServer;

macro_rules! races {
    ($($race:ident)*) => {
        mod over_sqlite {
            $(#[actix_web::test]
            async fn $race() {
                super::$race(super::Fixture::new().await, "ok").await;
            })*
        }

        #[cfg(feature = "servers")]
        mod over_mysql {
            $(#[actix_web::test]
            async fn $race() {
                super::$race(super::Fixture::on_mysql().await, "ok").await;
            })*
        }

        mod over_stripe {
            $(#[actix_web::test]
            async fn $race() {
                let server = super::StripeServer::start().await;
                super::$race(super::Fixture::on_stripe(&server.url).await, "pm_card_visa").await;
                let (moved, given) = server.moved();
                assert!(moved - given <= 250 * super::ORDERS_MAX, "{moved} moved, {given} went back");
            })*
        }
    };
}

/// Of one race, for the books of the provider.
const ORDERS_MAX: i64 = 8;

races! {
    two_browsers_pay_for_one_hold
    paying_while_it_lapses
    paying_for_what_has_ended
    paying_for_somebody_else
    paying_after_a_refund
}

async fn sweep(fixture: &Fixture) {
    let settings = payments::Settings { paying_ms_max: 10, alarm_ms: 0, ..payments::Settings::default() };
    fixture.clock.advance_ms(20);
    for _ in 0..2 {
        Sweeper::new(fixture.world.needs(), settings.clone()).sweep().await.unwrap();
    }
}

/// In two processes, too: one charges, all the others get the same order or that it is being paid.
async fn two_browsers_pay_for_one_hold(fixture: Fixture, card: &str) {
    let other = fixture.another_gateway().await;
    for buyer in 0..8 {
        let sale = fixture.sale(1, 0).await;
        fixture.attempt(sale.id, buyer, 1).await;
        let token = fixture.checkout_token(sale.id, buyer).await;
        let body = json!({ "checkout_token": token, "card": card });
        let there = || fixture.request(Method::POST, "/v1/checkouts", Some(&fixture.shopper(buyer))).set_json(&body);
        let at_once = (0..2).flat_map(|_| [fixture.check_out(buyer, &token, card), other(there())]);
        let answers = join_all(at_once).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        let number = &made[0].body["order_number"];
        for answer in &answers {
            match answer.status.as_u16() {
                200 | 201 => assert_eq!(&answer.body["order_number"], number),
                202 => assert_eq!(answer.body["status"], "paying"),
                other => panic!("{other}: {}", answer.body),
            }
        }
        assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
        assert_eq!(fixture.check_out(buyer, &token, card).await.is(200)["order_number"], *number);
    }
    sweep(&fixture).await;
}

/// Either the row was taken in time, and the order stands; or it lapsed, and no money moved.
async fn paying_while_it_lapses(fixture: Fixture, card: &str) {
    let mut won = [0, 0];
    for round in 0..8 {
        let sale = fixture.sale(1, 0).await;
        let id = fixture.attempt(sale.id, 7, 1).await;
        let token = fixture.checkout_token(sale.id, 7).await;
        fixture.clock.advance_ms(HOLD_MS - 1);
        let lapse = async {
            for _ in 0..round * 3 {
                tokio::task::yield_now().await;
            }
            fixture.clock.advance_ms(1);
            fixture.world.sweeping.lapse(sale.id, &[id], fixture.clock.now()).await.unwrap()
        };
        let (answer, lapsed) = tokio::join!(fixture.check_out(7, &token, card), lapse);
        match answer.status.as_u16() {
            201 => {
                assert_eq!((lapsed.len(), fixture.kind(id).await), (0, Kind::Confirmed));
                assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
                won[0] += 1;
            }
            _ => {
                answer.is_problem(409, "hold_lapsed");
                assert_eq!((lapsed.len(), fixture.kind(id).await), (1, Kind::Lapsed));
                assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
                won[1] += 1;
            }
        }
        fixture.check_out(7, &token, card).await;
        let (orders, captures) = fixture.orders_and_captures(sale.id).await;
        assert_eq!(orders, captures);
    }
    assert_eq!(won[0] + won[1], 8);
}

async fn paying_for_what_has_ended(fixture: Fixture, card: &str) {
    let lapsed = fixture.sale(1, 0).await;
    let id = fixture.attempt(lapsed.id, 7, 1).await;
    let token = fixture.checkout_token(lapsed.id, 7).await;
    fixture.world.sweeping.lapse(lapsed.id, &[id], START.plus_ms(HOLD_MS)).await.unwrap();
    fixture.check_out(7, &token, card).await.is_problem(409, "hold_lapsed");

    let cancelled = fixture.sale(1, 0).await;
    fixture.attempt(cancelled.id, 7, 1).await;
    let token = fixture.checkout_token(cancelled.id, 7).await;
    fixture.delete(&format!("/v1/sales/{}/reservation", cancelled.id), &fixture.shopper(7)).await.is(200);
    fixture.check_out(7, &token, card).await.is_problem(409, "not_held");

    // And while it is being cancelled: one of the two wins.
    let both = fixture.sale(1, 0).await;
    let id = fixture.attempt(both.id, 7, 1).await;
    let token = fixture.checkout_token(both.id, 7).await;
    let path = format!("/v1/sales/{}/reservation", both.id);
    let (paid, let_go) = tokio::join!(fixture.check_out(7, &token, card), fixture.delete(&path, &fixture.shopper(7)));
    let_go.is(200);
    let captures = fixture.orders_and_captures(both.id).await;
    match fixture.kind(id).await {
        Kind::Confirmed => assert_eq!((paid.status.as_u16(), captures), (201, (1, 1))),
        Kind::Cancelled => {
            paid.is_problem(409, "not_held");
            assert_eq!(captures, (0, 0));
        }
        other => panic!("{other:?}"),
    }
    sweep(&fixture).await;
    for sale in [lapsed, cancelled] {
        assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
    }
}

async fn paying_for_somebody_else(fixture: Fixture, card: &str) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    fixture.check_out(8, &token, card).await.blames(403, "checkout_token");
    // Signed for the wrong one by mistake: the ledger knows whose it is.
    let mistaken = fixture.keys.sign_checkout(id, BuyerId(8), START, HOLD_MS);
    fixture.check_out(8, &mistaken, card).await.is_problem(409, "not_held");
    assert_eq!((fixture.kind(id).await, fixture.orders_and_captures(sale.id).await), (Kind::Held, (0, 0)));
    // While its owner pays.
    let (mine, theirs) = tokio::join!(fixture.check_out(7, &token, card), fixture.check_out(8, &mistaken, card));
    mine.is(201);
    theirs.is_problem(409, "not_held");
    fixture.check_out(8, &mistaken, card).await.is_problem(409, "not_held");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

async fn paying_after_a_refund(fixture: Fixture, card: &str) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    fixture.check_out(7, &token, card).await.is(201);
    let order = fixture.world.orders.orders(BuyerId(7), 1).await.unwrap().remove(0);
    let all = RefundRequest { number: order.number, units: None, reason: None, request: None };
    let given = fixture.world.refunds.refund_units(&all, fixture.clock.now()).await.unwrap();
    assert!(matches!(given, RefundOutcome::Done { .. }), "{given:?}");
    // Before the money went back, and after.
    fixture.check_out(7, &token, card).await.is_problem(409, "not_held");
    sweep(&fixture).await;
    fixture.check_out(7, &token, card).await.is_problem(409, "not_held");
    assert_eq!((fixture.kind(id).await, fixture.orders_and_captures(sale.id).await), (Kind::Refunded, (1, 0)));
    sweep(&fixture).await;
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
}
