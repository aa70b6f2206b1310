//! What costs nothing: held, taken without a card, on a receipt, given back; and no provider is ever called for it.

use miaosha::app::audit::audit;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::event::Fact;
use miaosha::domain::shared::id::SaleId;
use serde_json::{Value, json};

use super::fixture::{Fixture, HOLD_MS};
use super::over_both;
use crate::support::clock::START;
use crate::support::stripe::StripeServer;

over_both! {
    what_costs_nothing_is_taken_without_a_card
    of_two_who_take_one_hold_one_makes_the_order
    what_is_not_held_is_not_taken
    what_costs_something_needs_a_card
}

async fn takes(fixture: &Fixture, sale: SaleId, buyer: u64) -> super::fixture::Answer {
    let token = fixture.checkout_token(sale, buyer).await;
    fixture.post("/v1/checkouts", &fixture.shopper(buyer), &json!({ "checkout_token": token })).await
}

/// Every event is said to be published; then the audit has nothing to complain of.
async fn sound(fixture: &Fixture, sale: SaleId) {
    let events: Vec<_> = fixture.world.outbox.unpublished(99).await.unwrap().iter().map(|event| event.id).collect();
    fixture.world.outbox.mark_published(&events, START).await.unwrap();
    let verdict = audit(&fixture.world.needs(), sale).await.unwrap().unwrap();
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
}

async fn what_costs_nothing_is_taken_without_a_card(fixture: Fixture) {
    let sale = fixture.sale_at(0, "TWD", 3).await;
    let id = fixture.attempt(sale.id, 7, 2).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    let order = takes(&fixture, sale.id, 7).await.is(201);
    let nothing = json!({ "minor": 0, "currency": "TWD", "decimals": 2 });
    assert_eq!((&order["amount"], &order["units"]), (&nothing, &json!([1, 2])));
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
    assert_eq!(fixture.check_out(7, &token, "ok").await.is(200), order, "with a card as well, and once");
    let number = order["order_number"].as_str().unwrap().to_owned();
    let told: Vec<Fact> =
        fixture.world.outbox.unpublished(9).await.unwrap().into_iter().map(|event| event.fact).collect();
    let [Fact::OrderPaid(paid)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((paid.order.as_str(), paid.amount.to_string().as_str()), (number.as_str(), "TWD 0.00"));
    let receipt = fixture.get(&format!("/v1/orders/{number}/receipt.pdf"), &fixture.shopper(7)).await;
    assert!(receipt.status == 200 && receipt.bytes.starts_with(b"%PDF"), "{}", receipt.status);
    sound(&fixture, sale.id).await;

    // Nothing moves for nothing: given back is done, and no provider has to be asked.
    for (units, left) in [(json!([1]), false), (Value::Null, true)] {
        let path = format!("/v1/admin/orders/{number}/refunds");
        let given = fixture.post(&path, &fixture.operator(), &json!({ "units": units })).await.is(201);
        assert_eq!((&given["refund"]["amount"], &given["order"]["refunded"]), (&nothing, &json!(left)));
        assert_eq!(given["refund"]["done_at"], json!(START.0));
    }
    assert_eq!(fixture.world.refunds.refunds_due(fixture.world.clock.now(), 9).await.unwrap(), []);
    assert_eq!(fixture.kind(id).await, Kind::Refunded);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
}

async fn of_two_who_take_one_hold_one_makes_the_order(fixture: Fixture) {
    let sale = fixture.sale_at(0, "JPY", 1).await;
    fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    let body = json!({ "checkout_token": token });
    let take = || fixture.post("/v1/checkouts", &fixture.shopper(7), &body);
    let all = futures_util::future::join_all((0..6).map(|_| take())).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 201).count(), 1);
    assert!(all.iter().all(|answer| answer.body["order_number"] == all[0].body["order_number"]), "{all:?}");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
    sound(&fixture, sale.id).await;
}

async fn what_is_not_held_is_not_taken(fixture: Fixture) {
    let sale = fixture.sale_at(0, "TWD", 2).await;
    fixture.attempt(sale.id, 7, 1).await;
    let late = fixture.checkout_token(sale.id, 7).await;
    fixture.attempt(sale.id, 8, 1).await;
    let cancelled = fixture.checkout_token(sale.id, 8).await;
    fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(8)).await.is(200);
    fixture.clock.advance_ms(HOLD_MS);
    for (buyer, token, kind) in [(7, late, "hold_lapsed"), (8, cancelled, "not_held")] {
        let answer = fixture.post("/v1/checkouts", &fixture.shopper(buyer), &json!({ "checkout_token": token })).await;
        answer.is_problem(409, kind);
    }
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
}

async fn what_costs_something_needs_a_card(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let answer = takes(&fixture, sale.id, 7).await;
    answer.blames(400, "card");
    assert!(answer.body["detail"].as_str().unwrap().contains("TWD 2.50"), "{}", answer.body);
    assert_eq!(fixture.kind(id).await, Kind::Held);
    assert_eq!(fixture.world.auditing.audit(sale.id, START).await.unwrap().unwrap().payments, [], "nothing was begun");
    let token = fixture.checkout_token(sale.id, 7).await;
    fixture.check_out(7, &token, "ok").await.is(201);
}

/// Not to open, not to look, not for the audit.
#[actix_web::test]
async fn a_provider_never_hears_of_nothing() {
    let server = StripeServer::start().await;
    let fixture = Fixture::on_stripe(&server.url).await;
    let sale = fixture.sale_at(0, "USD", 2).await;
    let id = fixture.attempt(sale.id, 7, 2).await;
    takes(&fixture, sale.id, 7).await.is(201);
    sound(&fixture, sale.id).await;
    fixture.refund_all(id).await;
    assert_eq!(fixture.world.refunds.refunds_due(fixture.world.clock.now(), 9).await.unwrap(), []);
    let verdict = audit(&fixture.world.needs(), sale.id).await.unwrap().unwrap();
    assert!(verdict.pass, "{verdict}");
    assert_eq!(server.all_calls(), []);
}
