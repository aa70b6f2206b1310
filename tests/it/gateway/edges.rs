//! What people and operators may write, at each limit and one above: what fits is taken, what does not is refused by its name.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::bed::{Answer, Bed};
use super::operators::sale_body;
use crate::support::clock::START;

/// A body with a value at a pointer: the limit, one above, and the field that is blamed.
type Edge = (&'static str, Value, Value, &'static str);

fn text(chars: usize) -> Value {
    json!("x".repeat(chars))
}

/// Each of them at its limit is not blamed, and one above is.
async fn each(bed: &Bed, path: &str, token: &str, good: &Value, edges: &[Edge]) {
    for (pointer, at, above, field) in edges {
        let with = |value: &Value| {
            let mut body = good.clone();
            *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{path} {pointer}")) = value.clone();
            body
        };
        let fits = bed.post(path, token, &with(at)).await;
        assert!(fits.status != 400 || fits.body["field"] != *field, "{path} {field} at its limit: {}", fits.body);
        bed.post(path, token, &with(above)).await.blames(400, field);
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
    let bed = Bed::new().await;
    let user = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
    let edges = [
        ("/name", text(100), text(101), "name"),
        ("/email", email(64, 7), email(65, 7), "email"),
        ("/email", email(3, 63), email(3, 64), "email"),
        ("/email", long_email(254), long_email(255), "email"),
        ("/password", text(128), text(129), "password"),
    ];
    for edge in edges {
        let mut user = user.clone();
        if edge.0 != "/email" {
            user["email"] = json!(format!("{}@example.org", edge.3));
        }
        each(&bed, "/v1/users", "", &user, &[edge]).await;
    }
}

#[actix_web::test]
async fn offers_go_to_their_limits() {
    let bed = Bed::new().await;
    let sale = bed.sale(5, 0).await;
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
    each(&bed, "/v1/admin/sales", &bed.operator(), &sale_body(sale.item.0), &edges).await;
    let item = json!({ "title": "A lamp", "description": "" });
    let edges = [
        ("/title", text(200), text(201), "title"),
        ("/description", text(5_000), text(5_001), "description"),
        ("/title", json!("演".repeat(200)), json!("演".repeat(201)), "title"),
    ];
    each(&bed, "/v1/admin/items", &bed.operator(), &item, &edges).await;
    let raise = format!("/v1/admin/sales/{}/raise", sale.id);
    let edges = [("/capacity", json!(10_000_000), json!(10_000_001), "capacity")];
    each(&bed, &raise, &bed.operator(), &json!({ "capacity": 9 }), &edges).await;
}

#[actix_web::test]
async fn what_is_written_at_the_counter_has_its_length() {
    let bed = Bed::new().await;
    let checkout = json!({ "checkout_token": "x", "card": "ok" });
    let edges = [("/card", text(100), text(101), "card")];
    each(&bed, "/v1/checkouts", &bed.shopper(7), &checkout, &edges).await;
    let hours = [("/older_than_hours", json!(876_600), json!(876_601), "older_than_hours")];
    each(&bed, "/v1/admin/receipts/cleanup", &bed.operator(), &json!({ "older_than_hours": 1 }), &hours).await;
    // There is no such order, which is said after what was written is read.
    let path = "/v1/admin/orders/0000-0000-0000/refunds";
    let refund = async |body: Value| bed.post(path, &bed.operator(), &body).await;
    refund(json!({ "reason": text(500) })).await.is_problem(404, "not_found");
    refund(json!({ "reason": text(501) })).await.blames(400, "reason");
    let units = |count: u32| json!({ "units": (1..=count).collect::<Vec<_>>() });
    refund(units(8)).await.is_problem(404, "not_found");
    refund(units(9)).await.blames(400, "units");
}

#[actix_web::test]
async fn a_key_and_a_body_have_their_length() {
    let bed = Bed::new().await;
    let item = json!({ "title": "A lamp", "description": "" });
    let under =
        async |chars: usize| bed.post_under(&"k".repeat(chars), "/v1/admin/items", &bed.operator(), &item).await;
    under(255).await.is(201);
    under(256).await.blames(400, "Idempotency-Key");
    let body = async |bytes: usize| -> Answer {
        let mut text = item.to_string();
        text.extend(std::iter::repeat_n(' ', bytes - text.len()));
        let request = bed.request(Method::POST, "/v1/admin/items", Some(&bed.operator()));
        bed.send(request.insert_header(("Content-Type", "application/json")).set_payload(text)).await
    };
    body(128 * 1024).await.is(201);
    body(128 * 1024 + 1).await.is_problem(413, "payload_too_large");
}
