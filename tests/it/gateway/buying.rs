//! Paying for a hold, as the buyer sees it.

use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use serde_json::json;

use super::fixture::{Fixture, HOLD_MS};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_hold_is_paid_and_becomes_an_order
    a_declined_card_leaves_the_hold_for_another_one
    five_declines_end_a_hold
    a_buyer_is_declined_so_often_a_day
    a_card_is_declined_so_often_a_day
    a_silent_provider_leaves_the_hold_paying
    of_two_checkouts_of_one_hold_one_captures
}

async fn a_hold_is_paid_and_becomes_an_order(fixture: Fixture) {
    let sale = fixture.sale(3, 0).await;
    let id = fixture.attempt(sale.id, 7, 2).await;
    let mine = format!("/v1/sales/{}/reservation", sale.id);

    let held = fixture.get(&mine, &fixture.shopper(7)).await.is(200);
    assert_eq!(held["status"], "held");
    assert_eq!(held["reservation_id"], id.to_string());
    assert_eq!((&held["quantity"], &held["units"], &held["version"]), (&json!(2), &json!([1, 2]), &json!(1)));
    assert_eq!(held["lapses_at"], START.0 + HOLD_MS);
    let by_attempt = fixture.get(&format!("{mine}?attempt={id}"), &fixture.shopper(7)).await.is(200);
    assert_eq!(by_attempt["status"], "held");

    let token = held["checkout_token"].as_str().unwrap();
    let order = fixture.check_out(7, token, "ok").await.is(201);
    assert_eq!(order["sale_id"], sale.id.0);
    assert_eq!(order["units"], json!([1, 2]));
    assert_eq!(order["amount"], json!({ "minor": 500, "currency": "TWD", "decimals": 2 }));
    assert_eq!((&order["placed_at"], &order["refunded"]), (&json!(START.0), &json!(false)));

    assert_eq!(fixture.check_out(7, token, "ok").await.is(200), order);
    assert_eq!(fixture.check_out(7, token, "declined").await.is(200), order);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));

    let confirmed = fixture.get(&mine, &fixture.shopper(7)).await.is(200);
    assert_eq!((&confirmed["status"], &confirmed["order_number"]), (&json!("confirmed"), &order["order_number"]));
    assert!(confirmed.get("checkout_token").is_none());
    let mut listed = order.clone();
    listed["sale_title"] = json!("A lamp");
    assert_eq!(fixture.get("/v1/orders", &fixture.shopper(7)).await.is(200), json!([listed]));
    let number = order["order_number"].as_str().unwrap();
    assert_eq!(fixture.get(&format!("/v1/orders/{number}"), &fixture.shopper(7)).await.is(200), order);
    fixture.get(&format!("/v1/orders/{number}"), &fixture.shopper(8)).await.is_problem(404, "not_found");
    assert_eq!(fixture.get("/v1/orders", &fixture.shopper(8)).await.is(200), json!([]));
}

async fn a_declined_card_leaves_the_hold_for_another_one(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    for card in ["declined", "nobody-issued-this"] {
        let declined = fixture.check_out(7, &token, card).await;
        declined.is_problem(402, "card_declined");
        assert_eq!(declined.body["field"], "card");
        assert!(declined.body["detail"].as_str().unwrap().contains("another card"), "{}", declined.body);
        assert_eq!(fixture.kind(id).await, Kind::Held);
    }
    fixture.check_out(7, &token, "ok").await.is(201);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

/// Whoever tries stolen cards tries many: of one hold so many, and is not told what the bank said of them.
async fn five_declines_end_a_hold(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    for tries_left in (0..5u8).rev() {
        let declined = fixture.check_out(7, &token, "declined").await;
        declined.is_problem(402, "card_declined");
        assert_eq!(declined.body["tries_left"], json!(tries_left));
        let detail = declined.body["detail"].as_str().unwrap();
        assert_eq!(detail.contains('('), tries_left >= 3, "{detail}");
        assert_eq!(detail.contains("the hold is over"), tries_left == 0, "{detail}");
        let kind = if tries_left > 0 { Kind::Held } else { Kind::Lapsed };
        assert_eq!(fixture.kind(id).await, kind, "{tries_left} left");
    }
    // Its unit is given on as that of any hold that lapsed.
    assert_eq!(fixture.world.sweeping.unfreed(9).await.unwrap(), [(sale.id, id)]);
    fixture.check_out(7, &token, "ok").await.is_problem(409, "hold_lapsed");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
}

/// However many holds they are tried on; somebody else is somebody else.
async fn a_buyer_is_declined_so_often_a_day(fixture: Fixture) {
    let tries_left = async |sale: SaleId, buyer: u64| {
        let token = fixture.checkout_token(sale, buyer).await;
        let declined = fixture.check_out(buyer, &token, "declined").await.is(402);
        declined["tries_left"].as_u64().unwrap()
    };
    for _ in 0..4 {
        let sale = fixture.sale(1, 0).await.id;
        fixture.attempt(sale, 7, 1).await;
        for left in (0..5).rev() {
            assert_eq!(tries_left(sale, 7).await, left);
        }
    }
    let sale = fixture.sale(2, 0).await.id;
    let id = fixture.attempt(sale, 7, 1).await;
    assert_eq!((tries_left(sale, 7).await, fixture.kind(id).await), (0, Kind::Lapsed), "the twenty-first");
    fixture.attempt(sale, 8, 1).await;
    assert_eq!(tries_left(sale, 8).await, 4);
}

/// Whoever's holds it is tried on; another card is another card.
async fn a_card_is_declined_so_often_a_day(fixture: Fixture) {
    let stolen = "one-stolen-card";
    let try_on = async |buyer: u64, card: &str| {
        let sale = fixture.sale(1, 0).await.id;
        let id = fixture.attempt(sale, buyer, 1).await;
        let token = fixture.checkout_token(sale, buyer).await;
        let declined = fixture.check_out(buyer, &token, card).await.is(402);
        (declined["tries_left"].as_u64().unwrap(), fixture.kind(id).await)
    };
    for buyer in 1..=5 {
        assert_eq!(try_on(buyer, stolen).await, (4, Kind::Held), "{buyer}");
    }
    assert_eq!(try_on(6, stolen).await, (0, Kind::Lapsed), "the sixth");
    assert_eq!(try_on(7, stolen).await, (0, Kind::Lapsed), "and each one more");
    assert_eq!(try_on(8, "another-card").await, (4, Kind::Held));
    // What is there to try the shop with is nobody's card.
    for buyer in 11..=16 {
        assert_eq!(try_on(buyer, "declined").await, (4, Kind::Held), "{buyer}");
    }
}

/// A time-out is never a decline: the unit stays taken until the payment is definitely void, or captured.
async fn a_silent_provider_leaves_the_hold_paying(fixture: Fixture) {
    let sale = fixture.sale(2, 0).await;
    for (buyer, card) in [(7, "timeout"), (8, "late")] {
        let id = fixture.attempt(sale.id, buyer, 1).await;
        let token = fixture.checkout_token(sale.id, buyer).await;
        assert_eq!(fixture.check_out(buyer, &token, card).await.is(202), json!({ "status": "paying" }));
        assert_eq!(fixture.check_out(buyer, &token, "ok").await.is(202), json!({ "status": "paying" }));
        assert_eq!(fixture.kind(id).await, Kind::Paying);
        let path = format!("/v1/sales/{}/reservation", sale.id);
        let paying = fixture.get(&path, &fixture.shopper(buyer)).await.is(200);
        assert_eq!((&paying["status"], paying.get("checkout_token")), (&json!("paying"), None));
    }
    // One payment each: the second checkout did not open another.
    let stuck = fixture.world.sweeping.stuck(START.plus_ms(1), 10).await.unwrap();
    assert_eq!(stuck.len(), 2);
}

async fn of_two_checkouts_of_one_hold_one_captures(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await;
    for buyer in 0..4 {
        fixture.attempt(sale.id, buyer, 1).await;
        let token = fixture.checkout_token(sale.id, buyer).await;
        let at_once = (0..5).map(|_| fixture.check_out(buyer, &token, "ok"));
        let answers = futures_util::future::join_all(at_once).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1);
        assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200..=202)), "{answers:?}");
    }
    assert_eq!(fixture.orders_and_captures(sale.id).await, (4, 4));
}

#[actix_web::test]
async fn what_cannot_be_paid_is_said_by_name() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 5).await;
    let (first, second) = (fixture.attempt(sale.id, 7, 1).await, fixture.attempt(sale.id, 8, 1).await);
    let sign = |id: ReservationId, buyer| fixture.keys.sign_checkout(id, BuyerId(buyer), START, 10 * HOLD_MS);

    fixture.check_out(8, &sign(second, 8), "ok").await.is_problem(409, "not_held");
    fixture.check_out(8, &sign(ReservationId(5), 8), "ok").await.is_problem(409, "not_held");
    // Signed for the right buyer by mistake: the ledger knows better.
    fixture.check_out(8, &sign(first, 8), "ok").await.is_problem(409, "not_held");

    fixture.clock.advance_ms(HOLD_MS);
    fixture.check_out(7, &sign(first, 7), "ok").await.is_problem(409, "hold_lapsed");
    fixture.world.sweeping.lapse(sale.id, &[first], START.plus_ms(HOLD_MS)).await.unwrap();
    fixture.check_out(7, &sign(first, 7), "ok").await.is_problem(409, "hold_lapsed");
    fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(8)).await.is(200);
    fixture.check_out(8, &sign(second, 8), "ok").await.is_problem(409, "not_held");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
}

#[actix_web::test]
async fn a_token_pays_only_for_its_own_buyer_and_kind_and_time() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;

    fixture.check_out(8, &token, "ok").await.blames(403, "checkout_token");
    fixture.check_out(7, &fixture.shopper(7), "ok").await.blames(401, "checkout_token");
    fixture.check_out(7, "", "ok").await.blames(401, "checkout_token");
    let body = json!({ "checkout_token": token, "card": "ok" });
    fixture.post("/v1/checkouts", &token, &body).await.blames(401, "Authorization");
    let old = fixture.keys.sign_checkout(id, BuyerId(7), START.plus_ms(-10 * HOLD_MS), HOLD_MS);
    fixture.check_out(7, &old, "ok").await.blames(401, "checkout_token");
    fixture.clock.advance_ms(2 * 86_400_000);
    fixture.check_out(7, &token, "ok").await.blames(401, "Authorization");
    assert_eq!(fixture.kind(id).await, Kind::Held);
}
