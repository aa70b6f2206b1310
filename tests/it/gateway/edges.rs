//! What people and operators may write, at each limit and one above: what fits is taken, what does not is refused by its name.

use std::sync::Arc;

use actix_web::http::Method;
use futures_util::future::join_all;
use miaosha::app::people::log_outs;
use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::app::receipts::token::TYPED_BYTES_MAX;
use miaosha::app::receipts::{self, Receipts};
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::front::Settings;
use miaosha::faces::tokens::access::Principal;
use miaosha::ports::platform::clock::Clock;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, OFFSET, settings};
use super::operators::sale_body;
use crate::support::clock::START;

/// A body with a value at a pointer: the limit, one above, and the field that is blamed.
type Edge = (&'static str, Value, Value, &'static str);

fn text(chars: usize) -> Value {
    json!("x".repeat(chars))
}

/// Each of them at its limit is not blamed, and one above is.
async fn each(fixture: &Fixture, path: &str, token: &str, good: &Value, edges: &[Edge]) {
    for (pointer, at, above, field) in edges {
        let with = |value: &Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{path} {pointer}")) = value.clone();
            body
        };
        let fits = fixture.post(path, token, &with(at)).await;
        assert!(fits.status != 400 || fits.body["field"] != *field, "{path} {field} at its limit: {}", fits.body);
        fixture.post(path, token, &with(above)).await.blames(400, field);
    }
}

fn email(local: usize, label: usize) -> Value {
    json!(format!("{}@{}.org", "l".repeat(local), "d".repeat(label)))
}

/// So many bytes in all, of labels that are not too long.
fn long_email(bytes: usize) -> Value {
    let domain = format!("{0}.{0}.{0}.{0}.", "d".repeat(60));
    let rest = bytes - "me@".len() - domain.len();
    json!(format!("me@{domain}{}", "e".repeat(rest)))
}

#[actix_web::test]
async fn people_fill_their_fields_to_the_brim() {
    let fixture = Fixture::new().await;
    let user = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
    let edges = [
        ("/name", text(100), text(101), "name"),
        ("/email", email(64, 7), email(65, 7), "email"),
        ("/email", email(3, 63), email(3, 64), "email"),
        ("/email", long_email(254), long_email(255), "email"),
        ("/password", json!("xK4#pQ9z".repeat(16)), json!("xK4#pQ9z".repeat(16) + "x"), "password"),
    ];
    for edge in edges {
        let mut user = user.clone();
        if edge.0 != "/email" {
            user["email"] = json!(format!("{}@example.org", edge.3));
        }
        each(&fixture, "/v1/users", "", &user, &[edge]).await;
    }
}

#[actix_web::test]
async fn offers_go_to_their_limits() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await;
    let question = |prompt: usize, answer: usize| json!([{ "prompt": text(prompt), "answer": text(answer) }]);
    let many = |count: usize| json!(vec![json!({ "prompt": "a", "answer": "b" }); count]);
    let end: i64 = 253_402_300_799_999;
    let edges = [
        ("/capacity", json!(10_000_000), json!(10_000_001), "capacity"),
        ("/quantity_max", json!(8), json!(9), "quantity_max"),
        ("/standby_max", json!(1_000_000), json!(1_000_001), "standby_max"),
        ("/hold_ms", json!(1_000), json!(999), "hold_ms"),
        ("/hold_ms", json!(86_400_000), json!(86_400_001), "hold_ms"),
        ("/closes_at", json!(end), json!(end + 1), "closes_at"),
        ("/closes_at", json!(START.0 + 1_001), json!(START.0 + 1_000), "closes_at"),
        ("/questions", question(200, 4), question(201, 4), "questions[0].prompt"),
        ("/questions", question(4, 200), question(4, 201), "questions[0].answer"),
        ("/questions", many(64), many(65), "questions"),
    ];
    each(&fixture, "/v1/admin/sales", &fixture.operator(), &sale_body(sale.item.0), &edges).await;
    let item = json!({ "title": "A lamp", "description": "" });
    let edges = [
        ("/title", text(200), text(201), "title"),
        ("/description", text(5_000), text(5_001), "description"),
        ("/title", json!("演".repeat(200)), json!("演".repeat(201)), "title"),
    ];
    each(&fixture, "/v1/admin/items", &fixture.operator(), &item, &edges).await;
    let raise = format!("/v1/admin/sales/{}/raise", sale.id);
    let edges = [("/capacity", json!(10_000_000), json!(10_000_001), "capacity")];
    each(&fixture, &raise, &fixture.operator(), &json!({ "capacity": 9 }), &edges).await;
}

#[actix_web::test]
async fn what_is_written_at_the_counter_has_its_length() {
    let fixture = Fixture::new().await;
    let checkout = json!({ "checkout_token": "x", "card": "ok" });
    let edges = [("/card", text(100), text(101), "card")];
    each(&fixture, "/v1/checkouts", &fixture.shopper(7), &checkout, &edges).await;
    let hours = [("/older_than_hours", json!(876_600), json!(876_601), "older_than_hours")];
    each(&fixture, "/v1/admin/receipts/cleanup", &fixture.operator(), &json!({ "older_than_hours": 1 }), &hours).await;
    // There is no such order, which is said after what was written is read.
    let path = "/v1/admin/orders/0000-0000-0000/refunds";
    let refund = async |body: Value| fixture.post(path, &fixture.operator(), &body).await;
    refund(json!({ "reason": text(500) })).await.is_problem(404, "not_found");
    refund(json!({ "reason": text(501) })).await.blames(400, "reason");
    let units = |count: u32| json!({ "units": (1..=count).collect::<Vec<_>>() });
    refund(units(8)).await.is_problem(404, "not_found");
    refund(units(9)).await.blames(400, "units");
}

#[actix_web::test]
async fn a_key_and_a_body_have_their_length() {
    let fixture = Fixture::new().await;
    let item = json!({ "title": "A lamp", "description": "" });
    let under = async |chars: usize| {
        fixture.post_under(&"k".repeat(chars), "/v1/admin/items", &fixture.operator(), &item).await
    };
    under(255).await.is(201);
    under(256).await.blames(400, "Idempotency-Key");
    let body = async |bytes: usize| -> Answer {
        let mut text = item.to_string();
        text.extend(std::iter::repeat_n(' ', bytes - text.len()));
        let request = fixture.request(Method::POST, "/v1/admin/items", Some(&fixture.operator()));
        fixture.send(request.insert_header(("Content-Type", "application/json")).set_payload(text)).await
    };
    body(128 * 1024).await.is(201);
    body(128 * 1024 + 1).await.is_problem(413, "payload_too_large");
}

#[actix_web::test]
async fn what_a_gate_writes_has_its_length() {
    let fixture = Fixture::new().await;
    let (_, order) = fixture.order(7, 1).await;
    let ahead = |ms: i64| json!(START.0 + 60_000 + ms);
    let good = json!({ "sale_id": order.sale, "token": "x", "gate": "", "at": START.0 });
    let edges = [("/gate", text(64), text(65), "gate"), ("/at", ahead(0), ahead(1), "at")];
    each(&fixture, "/v1/check-ins", &fixture.operator(), &good, &edges).await;
    // Both are no ticket; only one of them is too long to be looked at.
    let says = async |bytes: usize| {
        let mut body = good.clone();
        body["token"] = text(bytes);
        fixture.post("/v1/check-ins", &fixture.operator(), &body).await.is(400)
    };
    assert_ne!(says(TYPED_BYTES_MAX).await["rule"], "length");
    assert_eq!(says(TYPED_BYTES_MAX + 1).await["rule"], "length");

    let line = json!({ "sequence": 1, "token": "x", "at": START.0, "gate": "" });
    let merge = async |device: usize, lines: usize| {
        let body = json!({ "device": "d".repeat(device), "admissions": vec![line.clone(); lines] });
        fixture.post("/v1/check-ins/merge", &fixture.operator(), &body).await
    };
    merge(32, 1).await.is(200);
    merge(33, 1).await.blames(400, "device");
    // As many as this fixture's settings allow.
    merge(1, 4).await.is(200);
    merge(1, 5).await.blames(400, "admissions");
}

/// Of each kind, the rows that are taken along are bounded; those that are left out are the oldest.
#[actix_web::test]
async fn what_a_person_takes_along_is_bounded() {
    let fixture = Fixture::with(Settings { person_rows_max: 2, ..settings() }).await;
    let user = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
    let ada = fixture.sign_up(&user).await;
    let (id, token) = (ada["user"]["id"].as_u64().unwrap(), ada["access_token"].as_str().unwrap().to_owned());
    for (sales, rows) in [(1, 1), (2, 2), (3, 2)] {
        let sale = fixture.sale(1, 0).await;
        fixture.attempt(sale.id, id, 1).await;
        let export = fixture.get("/v1/me/export", &token).await.is(200);
        assert_eq!(export["reservations"].as_array().unwrap().len(), rows, "of {sales} sales");
    }
}

/// However many log out after somebody, the stolen token stays refused: the list has as many pages as it needs.
#[actix_web::test]
async fn many_log_outs_revive_no_token() {
    let fixture = Fixture::new().await;
    let accounts = &fixture.world.accounts;
    let gone = (0..2 * log_outs::PAGE + 1).map(async |number| {
        let email = format!("x{number}@example.org");
        let made = accounts.create_account("X", &email, "-", Role::Shopper, Locale::En, None).await.unwrap().unwrap();
        // Many within one millisecond, and more than a page of them.
        let at = fixture.clock.now().plus_ms(i64::from(number / 5_000));
        accounts.log_out_everywhere(made.id, at, None).await.unwrap().unwrap().buyer
    });
    let gone = join_all(gone).await;
    fixture.gateway.learn_revocations().await.unwrap();
    for buyer in [gone[0], gone[log_outs::PAGE as usize], *gone.last().unwrap()] {
        fixture.get("/v1/me", &fixture.shopper(buyer.0)).await.blames(401, "Authorization");
    }
    let old =
        |buyer: &BuyerId| Principal { buyer: *buyer, role: Role::Shopper, epoch: 0, proved_at: None, session: None };
    assert_eq!(gone.iter().filter(|buyer| fixture.gateway.admitted(old(buyer)).is_ok()).count(), 0);
}

#[test]
fn a_gateway_s_steps_may_take_so_long() {
    assert_eq!(Settings { effort_ms_max: 70, ..settings() }.effort().within.as_millis(), 70);
}

#[actix_web::test]
async fn a_pack_of_too_many_units_is_refused() {
    let fixture = Fixture::new().await;
    let (_, order) = fixture.order(7, 2).await;
    for unit in order.units.clone() {
        let body = json!({ "sale_id": order.sale, "token": fixture.ticket(&order, unit), "gate": "" });
        fixture.post("/v1/check-ins", &fixture.operator(), &body).await.is(201);
    }
    for (pack_units_max, fits) in [(2, true), (1, false)] {
        let keys = ReceiptKeys::parse(&format!("r1:{}", "7".repeat(64))).unwrap();
        let settings = receipts::Settings { pack_units_max, ..receipts::Settings::default() };
        let receipts = Receipts::new(fixture.world.needs(), Arc::new(keys), settings, OFFSET);
        assert_eq!(receipts.pack(order.sale, "A lamp".to_owned()).await.unwrap().is_some(), fits);
    }
}
