//! Paying for a hold, as the buyer sees it.

use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, ReservationId};
use serde_json::json;

use super::bed::{Bed, HOLD_MS};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_hold_is_paid_and_becomes_an_order
    a_declined_card_leaves_the_hold_for_another_one
    a_silent_provider_leaves_the_hold_paying
    of_two_checkouts_of_one_hold_one_captures
}

async fn a_hold_is_paid_and_becomes_an_order(bed: Bed) {
    let sale = bed.sale(3, 0).await;
    let id = bed.attempt(sale.id, 7, 2).await;
    let mine = format!("/v1/sales/{}/reservation", sale.id);

    let held = bed.get(&mine, &bed.shopper(7)).await.is(200);
    assert_eq!(held["status"], "held");
    assert_eq!(held["reservation_id"], id.to_string());
    assert_eq!((&held["quantity"], &held["units"], &held["version"]), (&json!(2), &json!([1, 2]), &json!(1)));
    assert_eq!(held["lapses_at"], START.0 + HOLD_MS);
    let by_attempt = bed.get(&format!("{mine}?attempt={id}"), &bed.shopper(7)).await.is(200);
    assert_eq!(by_attempt["status"], "held");

    let token = held["checkout_token"].as_str().unwrap();
    let order = bed.check_out(7, token, "ok").await.is(201);
    assert_eq!(order["sale_id"], sale.id.0);
    assert_eq!(order["units"], json!([1, 2]));
    assert_eq!(order["amount"], json!({ "minor": 500, "currency": "TWD", "decimals": 2 }));
    assert_eq!((&order["placed_at"], &order["refunded"]), (&json!(START.0), &json!(false)));

    assert_eq!(bed.check_out(7, token, "ok").await.is(200), order);
    assert_eq!(bed.check_out(7, token, "declined").await.is(200), order);
    assert_eq!(bed.orders_and_captures(sale.id).await, (1, 1));

    let confirmed = bed.get(&mine, &bed.shopper(7)).await.is(200);
    assert_eq!((&confirmed["status"], &confirmed["order_number"]), (&json!("confirmed"), &order["order_number"]));
    assert!(confirmed.get("checkout_token").is_none());
    let mut listed = order.clone();
    listed["sale_title"] = json!("A lamp");
    assert_eq!(bed.get("/v1/orders", &bed.shopper(7)).await.is(200), json!([listed]));
    let number = order["order_number"].as_str().unwrap();
    assert_eq!(bed.get(&format!("/v1/orders/{number}"), &bed.shopper(7)).await.is(200), order);
    bed.get(&format!("/v1/orders/{number}"), &bed.shopper(8)).await.is_problem(404, "not_found");
    assert_eq!(bed.get("/v1/orders", &bed.shopper(8)).await.is(200), json!([]));
}

async fn a_declined_card_leaves_the_hold_for_another_one(bed: Bed) {
    let sale = bed.sale(1, 0).await;
    let id = bed.attempt(sale.id, 7, 1).await;
    let token = bed.checkout_token(sale.id, 7).await;
    for card in ["declined", "nobody-issued-this"] {
        let declined = bed.check_out(7, &token, card).await;
        declined.is_problem(402, "card_declined");
        assert_eq!(declined.body["field"], "card");
        assert!(declined.body["detail"].as_str().unwrap().contains("another card"), "{}", declined.body);
        assert_eq!(bed.kind(id).await, Kind::Held);
    }
    bed.check_out(7, &token, "ok").await.is(201);
    assert_eq!(bed.orders_and_captures(sale.id).await, (1, 1));
}

/// A time-out is never a decline: the unit stays taken until the payment is definitely void, or captured.
async fn a_silent_provider_leaves_the_hold_paying(bed: Bed) {
    let sale = bed.sale(2, 0).await;
    for (buyer, card) in [(7, "timeout"), (8, "late")] {
        let id = bed.attempt(sale.id, buyer, 1).await;
        let token = bed.checkout_token(sale.id, buyer).await;
        assert_eq!(bed.check_out(buyer, &token, card).await.is(202), json!({ "status": "paying" }));
        assert_eq!(bed.check_out(buyer, &token, "ok").await.is(202), json!({ "status": "paying" }));
        assert_eq!(bed.kind(id).await, Kind::Paying);
        let path = format!("/v1/sales/{}/reservation", sale.id);
        let paying = bed.get(&path, &bed.shopper(buyer)).await.is(200);
        assert_eq!((&paying["status"], paying.get("checkout_token")), (&json!("paying"), None));
    }
    // One payment each: the second checkout did not open another.
    let stuck = bed.world.sweeping.stuck(START.plus_ms(1), 10).await.unwrap();
    assert_eq!(stuck.len(), 2);
}

async fn of_two_checkouts_of_one_hold_one_captures(bed: Bed) {
    let sale = bed.sale(4, 0).await;
    for buyer in 0..4 {
        bed.attempt(sale.id, buyer, 1).await;
        let token = bed.checkout_token(sale.id, buyer).await;
        let at_once = (0..5).map(|_| bed.check_out(buyer, &token, "ok"));
        let answers = futures_util::future::join_all(at_once).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200..=202)), "{answers:?}");
    }
    assert_eq!(bed.orders_and_captures(sale.id).await, (4, 4));
    let orphans = bed.world.sweeping.orphans(START.plus_ms(1), 100).await.unwrap();
    assert_eq!(orphans, [], "whoever lost voided its payment");
}

#[actix_web::test]
async fn what_cannot_be_paid_is_said_by_name() {
    let bed = Bed::new().await;
    let sale = bed.sale(1, 5).await;
    let (first, second) = (bed.attempt(sale.id, 7, 1).await, bed.attempt(sale.id, 8, 1).await);
    let sign = |id: ReservationId, buyer| bed.keys.sign_checkout(id, BuyerId(buyer), START, 10 * HOLD_MS);

    bed.check_out(8, &sign(second, 8), "ok").await.is_problem(409, "not_held");
    bed.check_out(8, &sign(ReservationId(5), 8), "ok").await.is_problem(409, "not_held");
    // Signed for the right buyer by mistake: the ledger knows better.
    bed.check_out(8, &sign(first, 8), "ok").await.is_problem(409, "not_held");

    bed.clock.advance_ms(HOLD_MS);
    bed.check_out(7, &sign(first, 7), "ok").await.is_problem(409, "hold_lapsed");
    bed.world.sweeping.lapse(sale.id, &[first], START.plus_ms(HOLD_MS)).await.unwrap();
    bed.check_out(7, &sign(first, 7), "ok").await.is_problem(409, "hold_lapsed");
    bed.delete(&format!("/v1/sales/{}/reservation", sale.id), &bed.shopper(8)).await.is(200);
    bed.check_out(8, &sign(second, 8), "ok").await.is_problem(409, "not_held");
    assert_eq!(bed.orders_and_captures(sale.id).await, (0, 0));
}

#[actix_web::test]
async fn a_token_pays_only_for_its_own_buyer_and_kind_and_time() {
    let bed = Bed::new().await;
    let sale = bed.sale(1, 0).await;
    let id = bed.attempt(sale.id, 7, 1).await;
    let token = bed.checkout_token(sale.id, 7).await;

    bed.check_out(8, &token, "ok").await.blames(403, "checkout_token");
    bed.check_out(7, &bed.shopper(7), "ok").await.blames(401, "checkout_token");
    bed.check_out(7, "", "ok").await.blames(401, "checkout_token");
    let body = json!({ "checkout_token": token, "card": "ok" });
    bed.post("/v1/checkouts", &token, &body).await.blames(401, "Authorization");
    let old = bed.keys.sign_checkout(id, BuyerId(7), START.plus_ms(-10 * HOLD_MS), HOLD_MS);
    bed.check_out(7, &old, "ok").await.blames(401, "checkout_token");
    bed.clock.advance_ms(2 * 86_400_000);
    bed.check_out(7, &token, "ok").await.blames(401, "Authorization");
    assert_eq!(bed.kind(id).await, Kind::Held);
}
