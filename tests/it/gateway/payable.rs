//! Sales that could not be paid for are refused when they are made, by the provider's rules; those that are there already say so to
//! a buyer who wants to pay, once and for all.

use miaosha::app::audit::audit;
use miaosha::app::operator::{Command, carry_out};
use miaosha::domain::money::payment::PaymentState;
use miaosha::domain::sale::reservation::{Kind, Reservation};
use miaosha::domain::shared::money::Currency;
use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::support::clock::START;
use crate::support::stripe::{Step, StripeServer};

async fn offer(fixture: &Fixture, minor: i64, currency: &str, quantity_max: u8) -> super::fixture::Answer {
    let item =
        fixture.post("/v1/admin/items", &fixture.operator(), &json!({ "title": "A", "description": "" })).await.is(201);
    let body = json!({
        "item_id": item["id"], "price": { "minor": minor, "currency": currency }, "capacity": 8,
        "quantity_max": quantity_max, "standby_max": 0, "hold_ms": 60_000, "opens_at": START.0,
        "closes_at": START.0 + 60_000,
    });
    fixture.post("/v1/admin/sales", &fixture.operator(), &body).await
}

#[actix_web::test]
async fn a_sale_that_nobody_can_pay_for_is_refused_when_it_is_made() {
    let server = StripeServer::start().await;
    let fixture = Fixture::on_stripe(&server.url).await;
    for (minor, currency, quantity_max, field, said) in [
        (49, "USD", 1, "price.minor", ["USD 0.49 for 1", "USD 0.50 at least"]),
        (17_499, "HUF", 1, "price.minor", ["HUF 174.99", "HUF 175.00 at least"]),
        (5_124, "KWD", 1, "price.minor", ["KWD 5.124", "multiples of KWD 0.010"]),
        // The whole could be paid, and its parts could never go back.
        (1_005, "KWD", 2, "price.minor", ["KWD 1.005 for 1", "multiples of KWD 0.010"]),
        (50_000_000, "USD", 2, "price.minor", ["USD 1,000,000.00 for 2", "USD 999,999.99 at most"]),
        (12_500_000, "USD", 8, "price.minor", ["USD 1,000,000.00 for 8", "let fewer be bought"]),
        (10_000, "IRR", 1, "price.currency", ["does not take IRR", "another currency"]),
        (10_000, "ZZZ", 1, "price.currency", ["ISO 4217", "no such currency"]),
        (10_000, "XAU", 1, "price.currency", ["ISO 4217", "not the money"]),
        (0, "XXX", 1, "price.currency", ["ISO 4217", "not the money"]),
    ] {
        let answer = offer(&fixture, minor, currency, quantity_max).await;
        answer.blames(400, field);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(said.iter().all(|said| detail.contains(said)), "{minor} {currency}: {detail}");
    }
    assert_eq!(fixture.world.catalogue.sales(9).await.unwrap(), [], "none of them was made");
    for (minor, currency, quantity_max) in [
        (50, "USD", 1),
        (50_000_000, "USD", 1),
        (1_010, "KWD", 8),
        (100_000_000, "IDR", 8),
        (0, "USD", 8),
        (5, "ISK", 8),
    ] {
        offer(&fixture, minor, currency, quantity_max).await.is(201);
    }
    carry_out(&fixture.world.needs(), Command::Seed { sales: 1, capacity: 9, free: false }).await.unwrap();
    assert_eq!(server.all_calls(), [], "its rules are known");
}

/// The sandbox takes all there is, but not what is no currency.
#[actix_web::test]
async fn what_the_sandbox_takes_may_be_sold() {
    let fixture = Fixture::new().await;
    for (minor, currency) in [(1, "USD"), (5_124, "KWD"), (1, "IRR"), (100_000_000_000, "IDR"), (0, "CLF")] {
        let sale = offer(&fixture, minor, currency, 8).await.is(201);
        let decimals = currency.parse::<Currency>().unwrap().decimals();
        assert_eq!(sale["price"], json!({ "minor": minor, "currency": currency, "decimals": decimals }));
    }
    offer(&fixture, 100, "ZZZ", 1).await.blames(400, "price.currency");
}

#[actix_web::test]
async fn the_currencies_are_those_that_can_be_paid_in() {
    let server = StripeServer::start().await;
    let (stripe, sandbox) = (Fixture::on_stripe(&server.url).await, Fixture::new().await);
    let theirs = sandbox.get("/v1/currencies", "").await.is(200);
    let all = Currency::all().into_iter().map(|one| json!({ "currency": one, "decimals": one.decimals() }));
    assert_eq!(theirs, all.collect::<Value>());
    let fewer = stripe.get("/v1/currencies", "").await.is(200);
    let fewer = fewer.as_array().unwrap();
    assert!(fewer.iter().all(|one| theirs.as_array().unwrap().contains(one)));
    let has = |code: &str| fewer.iter().any(|one| one["currency"] == code);
    assert!(has("USD") && has("HUF") && has("KWD") && !has("IRR") && !has("CLF"), "{fewer:?}");
    for one in fewer {
        let minor = 10_i64.pow(one["decimals"].as_u64().unwrap() as u32) * 200;
        offer(&stripe, minor, one["currency"].as_str().unwrap(), 1).await.is(201);
    }
}

/// A sale from before the provider was asked, or of another provider: refused under its key, and again as it was said.
#[actix_web::test]
async fn what_can_never_be_paid_says_so_once_and_stays_held() {
    let server = StripeServer::start().await;
    let fixture = Fixture::on_stripe(&server.url).await;
    for (minor, currency, quantity, asked, said) in [
        (5_124, "KWD", 1, 0, "multiples of KWD 0.010"),
        (1, "USD", 1, 0, "USD 0.50 at least"),
        (50_000_000, "USD", 2, 0, "USD 999,999.99 at most"),
        (1_000, "IRR", 1, 0, "does not take IRR"),
        // Only the account knows: it is asked, and its word is final; asked once more, when the payment is made void, for tidy books.
        (13, "TWD", 1, 2, "amount_too_small"),
    ] {
        let sale = fixture.sale_at(minor, currency, 3).await;
        let id = fixture.attempt(sale.id, 7, quantity).await;
        let before = fixture.row(id).await;
        let token = fixture.checkout_token(sale.id, 7).await;
        let body = json!({ "checkout_token": token, "card": "pm_card_visa" });
        let key = format!("{minor}-{currency}");
        let calls = server.calls(Step::Create);
        let refused = fixture.post_under(&key, "/v1/checkouts", &fixture.shopper(7), &body).await;
        refused.is_problem(422, "unpayable");
        assert!(refused.body["detail"].as_str().unwrap().contains(said), "{}", refused.body);
        let again = fixture.post_under(&key, "/v1/checkouts", &fixture.shopper(7), &body).await;
        assert_eq!((again.status, &again.body), (refused.status, &refused.body));
        assert!(
            again.headers.contains_key("idempotent-replayed") && !refused.headers.contains_key("idempotent-replayed")
        );
        assert_eq!(server.calls(Step::Create) - calls, asked, "{minor} {currency}");
        let (row, kind) = (fixture.row(id).await, before.state.kind());
        // Where the provider was asked the row was taken, and given back.
        let version = before.version + if asked > 0 { 2 } else { 0 };
        assert_eq!((row, kind), (Reservation { version, ..before }, Kind::Held));
        let facts = fixture.world.auditing.audit(sale.id, START).await.unwrap().unwrap();
        let states: Vec<_> = facts.payments.iter().map(|payment| payment.state).collect();
        assert_eq!(states, vec![PaymentState::Voided; asked.min(1)], "nothing is left to be settled");
        let events: Vec<_> = fixture.world.outbox.unpublished(9).await.unwrap().iter().map(|event| event.id).collect();
        fixture.world.outbox.mark_published(&events, START).await.unwrap();
        let verdict = audit(&fixture.world.needs(), sale.id).await.unwrap().unwrap();
        assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
        fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(7)).await.is(200);
    }
    assert_eq!(server.moved(), (0, 0));
}
