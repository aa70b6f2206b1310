//! Whatever is sent, the answer is a problem that names the field: never a 5xx, never a panic.

use actix_web::http::Method;
use miaosha::domain::people::Role;
use miaosha::domain::people::code::Ticket;
use miaosha::domain::shared::id::{BuyerId, CodeId, ReservationId};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::operators::{ROUTES, sale_body};
use crate::support::clock::START;

const PEOPLE: [(Method, &str); 25] = [
    (Method::POST, "/v1/users"),
    (Method::POST, "/v1/codes"),
    (Method::POST, "/v1/codes/proof"),
    (Method::PUT, "/v1/me/email"),
    (Method::POST, "/v1/sessions"),
    (Method::GET, "/v1/me"),
    (Method::DELETE, "/v1/sessions"),
    (Method::GET, "/v1/sessions"),
    (Method::DELETE, "/v1/sessions/00000000000000000000000000000001"),
    (Method::GET, "/v1/me/export"),
    (Method::PUT, "/v1/me/password"),
    (Method::DELETE, "/v1/me"),
    (Method::GET, "/v1/me/second-factor"),
    (Method::POST, "/v1/me/second-factor"),
    (Method::PUT, "/v1/me/second-factor"),
    (Method::POST, "/v1/me/second-factor/codes"),
    (Method::GET, "/v1/sales"),
    (Method::GET, "/v1/sales/1"),
    (Method::POST, "/v1/sales/1/admission"),
    (Method::GET, "/v1/sales/1/reservation"),
    (Method::DELETE, "/v1/sales/1/reservation"),
    (Method::POST, "/v1/checkouts"),
    (Method::GET, "/v1/orders"),
    (Method::GET, "/v1/orders/0000-0000-0000"),
    (Method::GET, "/v1/sales/1/reservation?attempt=00000000000000000000000000000001"),
];

fn user() -> Value {
    json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" })
}

fn proof() -> Value {
    json!({ "ticket": Ticket::new(CodeId(7), [7; 16]).written(), "code": "123456" })
}

fn with(body: &Value, pointer: &str, value: Value) -> Value {
    let mut body = body.clone();
    *body.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    body
}

/// Every way to leave out, mistype and add to the fields of a good body.
async fn each_field_is_checked(fixture: &Fixture, path: &str, token: &str, good: &Value) {
    let fields: Vec<&String> = good.as_object().unwrap().keys().collect();
    for &field in &fields {
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        // Questions may be left out: then nothing is asked. So may a card: not everything costs something.
        if field != "questions" && field != "card" {
            fixture.post(path, token, &without).await.blames(400, field);
        }
        for wrong in [json!(null), json!([]), json!({}), json!(true), json!(-1), json!(1.5), json!("x")] {
            if std::mem::discriminant(&wrong) == std::mem::discriminant(&good[field]) {
                continue;
            }
            let answer = fixture.post(path, token, &with(good, &format!("/{field}"), wrong)).await;
            assert_eq!(answer.status, 400, "{field}: {}", answer.body);
            assert!(answer.body["field"].as_str().unwrap().starts_with(field.as_str()), "{field}: {}", answer.body);
        }
    }
    let mut more = good.clone();
    more["surprise"] = json!(1);
    fixture.post(path, token, &more).await.blames(400, "surprise");
    for no_object in ["", "  ", "[]", "null", "1", "\"x\"", "{", "{}x", "\u{0}", "{\"a\":1,\"a\":2}"] {
        let request = fixture.request(Method::POST, path, Some(token));
        let request = request.insert_header(("Content-Type", "application/json")).set_payload(no_object);
        let answer = fixture.send(request).await;
        assert_eq!(answer.status, 400, "{no_object}: {}", answer.body);
        assert!(answer.body["field"].is_string(), "{no_object}: {}", answer.body);
    }
    let text = fixture.request(Method::POST, path, Some(token)).insert_header(("Content-Type", "text/plain"));
    fixture.send(text.set_payload(good.to_string())).await.is_problem(415, "unsupported_media_type");
    let huge = fixture.request(Method::POST, path, Some(token)).insert_header(("Content-Type", "application/json"));
    fixture.send(huge.set_payload(vec![b' '; 200_000])).await.is_problem(413, "payload_too_large");
}

#[actix_web::test]
async fn every_body_is_checked_field_by_field() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await;
    let raise = format!("/v1/admin/sales/{}/raise", sale.id);
    each_field_is_checked(&fixture, "/v1/users", "", &user()).await;
    each_field_is_checked(&fixture, "/v1/codes", "", &json!({ "email": "a@b.cc" })).await;
    each_field_is_checked(&fixture, "/v1/codes/proof", "", &proof()).await;
    each_field_is_checked(&fixture, "/v1/sessions", "", &json!({ "email": "a@b.cc", "password": "x" })).await;
    let checkout = json!({ "checkout_token": "x", "card": "ok" });
    each_field_is_checked(&fixture, "/v1/checkouts", &fixture.shopper(7), &checkout).await;
    let item = json!({ "title": "A lamp", "description": "" });
    each_field_is_checked(&fixture, "/v1/admin/items", &fixture.operator(), &item).await;
    each_field_is_checked(&fixture, "/v1/admin/sales", &fixture.operator(), &sale_body(sale.item.0)).await;
    each_field_is_checked(&fixture, &raise, &fixture.operator(), &json!({ "capacity": 9 })).await;
}

#[actix_web::test]
async fn people_are_plausible() {
    let fixture = Fixture::new().await;
    for name in [
        String::new(),
        "   ".into(),
        "x".repeat(101),
        "a\u{0}b".into(),
        "a\nb".into(),
        "\u{200b}".into(),
        "evil.example".into(),
    ] {
        fixture.post("/v1/users", "", &with(&user(), "/name", json!(name))).await.blames(400, "name");
    }
    for password in ["1234567".to_owned(), "x".repeat(129), "password1".into(), "Ada@example.org".into()] {
        fixture.post("/v1/users", "", &with(&user(), "/password", json!(password))).await.blames(400, "password");
    }
    let long = format!("{}@example.org", "x".repeat(65));
    let longer = format!("x@{}.org", "y.".repeat(130));
    for email in [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example",
        "a da@example.org",
        "ada@exa mple.org",
        "adaexample.org",
        ".ada@example.org",
        "a..da@example.org",
        "ada@.org",
        "ada@example..org",
        "ada@-x.org",
        "adä@example.org",
        "ada@example.org\u{0}",
        "ada@example.org,eve@example.org",
        &long,
        &longer,
    ] {
        fixture.post("/v1/users", "", &with(&user(), "/email", json!(email))).await.blames(400, "email");
    }
}

#[actix_web::test]
async fn offers_keep_to_the_limits() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await;
    let good = sale_body(sale.item.0);
    for until in [json!("never"), json!("Paid"), json!(""), json!(1), json!(null), json!({})] {
        let mut body = good.clone();
        body["standby_until"] = until;
        fixture.post("/v1/admin/sales", &fixture.operator(), &body).await.blames(400, "standby_until");
    }
    let question = |prompt: &str, answer: &str| json!({ "prompt": prompt, "answer": answer });
    let long = "x".repeat(1_000);
    let bad = [
        ("/capacity", json!(0), "capacity"),
        ("/capacity", json!(10_000_001), "capacity"),
        ("/capacity", json!(4_294_967_296_u64), "capacity"),
        ("/capacity", json!(3), "quantity_max"),
        ("/quantity_max", json!(0), "quantity_max"),
        ("/quantity_max", json!(9), "quantity_max"),
        ("/quantity_max", json!(256), "quantity_max"),
        ("/standby_max", json!(1_000_001), "standby_max"),
        ("/hold_ms", json!(999), "hold_ms"),
        ("/hold_ms", json!(86_400_001), "hold_ms"),
        ("/opens_at", json!(-1), "opens_at"),
        ("/opens_at", json!(START.0 + 2_000), "closes_at"),
        ("/closes_at", json!(i64::MAX), "closes_at"),
        ("/price/minor", json!(-1), "price.minor"),
        ("/price/minor", json!(i64::MAX), "price.minor"),
        ("/price/minor", json!(1e300), "price.minor"),
        ("/price/currency", json!("twd"), "price.currency"),
        ("/price/currency", json!("NTDS"), "price.currency"),
        ("/price", json!({ "minor": 1 }), "price.currency"),
        ("/questions", json!([question("", "4")]), "questions[0].prompt"),
        ("/questions", json!([question("a", "b"), question("a", " ")]), "questions[1].answer"),
        ("/questions", json!([question(&long, "b")]), "questions[0].prompt"),
        ("/questions", json!([question("a", &long)]), "questions[0].answer"),
        ("/questions", json!([{ "prompt": "a" }]), "questions[0].answer"),
        ("/questions", json!(vec![question("a", "b"); 65]), "questions"),
    ];
    for (pointer, value, field) in bad {
        let body = with(&good, pointer, value);
        fixture.post("/v1/admin/sales", &fixture.operator(), &body).await.blames(400, field);
    }
    fixture.post("/v1/admin/sales", &fixture.operator(), &good).await.is(201);
    let item = |title: &str, description: &str| json!({ "title": title, "description": description });
    for (body, field) in [
        (item("", "x"), "title"),
        (item(&long, "x"), "title"),
        (item("x", &"x".repeat(5_001)), "description"),
        (item("x", "\u{0}"), "description"),
    ] {
        fixture.post("/v1/admin/items", &fixture.operator(), &body).await.blames(400, field);
    }
    let raise = format!("/v1/admin/sales/{}/raise", sale.id);
    fixture.post(&raise, &fixture.operator(), &json!({ "capacity": 10_000_001 })).await.blames(400, "capacity");
    let card = json!({ "checkout_token": "x", "card": "x".repeat(101) });
    fixture.post("/v1/checkouts", &fixture.shopper(7), &card).await.blames(400, "card");
}

#[actix_web::test]
async fn paths_and_queries_are_checked() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    let shopper = fixture.shopper(7);
    for id in ["x", "-1", "1.0", "18446744073709551616", "%00"] {
        fixture.get(&format!("/v1/sales/{id}"), "").await.blames(400, "id");
        fixture.post(&format!("/v1/sales/{id}/admission"), &shopper, &json!({})).await.blames(400, "id");
        fixture.get(&format!("/v1/sales/{id}/reservation"), &shopper).await.blames(400, "id");
    }
    fixture.get(&format!("/v1/sales/{}", u64::MAX), "").await.is_problem(404, "not_found");
    let path = format!("/v1/sales/{}/reservation", sale.id);
    for (query, field) in [
        ("attempt=", "attempt"),
        ("attempt=xyz", "attempt"),
        ("attempt=0000000000000000000000000000000G", "attempt"),
        ("version=-1", "version"),
        ("version=18446744073709551616", "version"),
        ("wait_ms=1&wait_ms=2", "wait_ms"),
        ("surprise=1", "surprise"),
        ("%ff%00=1", "\u{fffd}"),
    ] {
        fixture.get(&format!("{path}?{query}"), &shopper).await.blames(400, field);
    }
    let pending = fixture.get(&format!("{path}?attempt={}", "0".repeat(32)), &shopper).await.is(200);
    assert_eq!(pending, json!({ "status": "pending" }));
    for number in ["x", "0000-0000-000", "%00", "0000-0000-00000", "0000-0000-000%e9"] {
        fixture.get(&format!("/v1/orders/{number}"), &shopper).await.is_problem(404, "not_found");
    }
    fixture.get("/v1/nothing", "").await.is_problem(404, "not_found");
    fixture.send(fixture.request(Method::PUT, "/v1/checkouts", None)).await.is_problem(405, "method_not_allowed");
    let patched = |path: &str| ROUTES.iter().any(|(method, route)| *method == Method::PATCH && *route == path);
    for (_, path) in PEOPLE.iter().chain(&ROUTES).filter(|(_, path)| !patched(path)) {
        let answer = fixture.send(fixture.request(Method::PATCH, path, Some(&fixture.operator()))).await;
        answer.is_problem(405, "method_not_allowed");
    }
}

#[actix_web::test]
async fn a_token_is_needed_wherever_somebody_is_meant() {
    let fixture = Fixture::new().await;
    let old = fixture.keys.sign_access(BuyerId(7), Role::Shopper, START, -9_000);
    for (method, path) in PEOPLE {
        if method == Method::POST && ["/v1/users", "/v1/sessions", "/v1/codes", "/v1/codes/proof"].contains(&path) {
            continue;
        }
        if ["/v1/sales", "/v1/sales/1"].contains(&path) {
            continue;
        }
        let send = |token: Option<&str>| fixture.send(fixture.request(method.clone(), path, token).set_json(json!({})));
        for token in [None, Some(""), Some("x"), Some("a.b.c"), Some(old.as_str())] {
            send(token).await.blames(401, "Authorization");
        }
    }
}

/// A world that fails is no reason for anything but asking to come again.
#[actix_web::test]
async fn a_ledger_that_is_away_is_a_503() {
    let fixture = Fixture::without_ledger().await;
    let token = fixture.keys.sign_checkout(ReservationId(1), BuyerId(7), START, 60_000);
    let checkout = json!({ "checkout_token": token, "card": "ok" });
    let bodies = [
        ("/v1/users", user()),
        ("/v1/codes", json!({ "email": "ada@example.org" })),
        ("/v1/codes/proof", proof()),
        ("/v1/me/email", json!({ "email": "eve@example.org", "password": "difference engine" })),
        ("/v1/sessions", json!({ "email": "ada@example.org", "password": "difference engine" })),
        ("/v1/checkouts", checkout),
        ("/v1/me", json!({ "password": "difference engine" })),
        ("/v1/me/password", json!({ "password": "difference engine", "new_password": "analytical engine" })),
        ("/v1/me/second-factor", json!({ "password": "difference engine" })),
        ("/v1/admin/items", json!({ "title": "A lamp", "description": "" })),
        ("/v1/admin/sales", sale_body(1)),
        ("/v1/admin/sales/1/raise", json!({ "capacity": 9 })),
    ];
    for (method, path) in PEOPLE.into_iter().chain(ROUTES) {
        // Parked messages are the broker's.
        if path.contains("parked") {
            continue;
        }
        let role = if path.contains("admin") { Role::Owner } else { Role::Shopper };
        let access = fixture.keys.sign_access(BuyerId(7), role, START, 60_000);
        let body = bodies.iter().find(|(route, _)| *route == path).map_or(json!({}), |(_, body)| body.clone());
        let answer = fixture.send(fixture.request(method.clone(), path, Some(&access)).set_json(body)).await;
        assert_eq!(answer.status, 503, "{method} {path}: {}", answer.body);
        answer.is_problem(503, "unavailable");
        assert!(!answer.body.to_string().contains("table"), "what happened inside is nobody's business");
    }
}

/// Random bytes as body, path, query and token, at every route.
#[actix_web::test]
async fn noise_is_answered_by_problems() {
    let fixture = Fixture::new().await;
    fixture.sale(1, 0).await;
    let tokens = [String::new(), fixture.shopper(7), fixture.operator()];
    let routes: Vec<_> = PEOPLE.into_iter().chain(ROUTES).collect();
    let text = || proptest::string::string_regex("[ -~]{0,20}").unwrap();
    let json_like = proptest::string::string_regex(r#"[\[\]{}",:0-9a-z_ .-]{0,60}"#).unwrap();
    let body = prop_oneof![prop::collection::vec(any::<u8>(), 0..80), json_like.prop_map(String::into_bytes)];
    let noise =
        (0..routes.len(), 0..tokens.len(), body, prop::collection::vec(any::<u8>(), 0..12), text(), any::<bool>());
    let cases: Vec<_> = {
        let mut runner = TestRunner::new(Config::default());
        (0..600).map(|_| noise.new_tree(&mut runner).unwrap().current()).collect()
    };
    for (route, token, body, tail, header, is_query) in cases {
        let (method, path) = &routes[route];
        let tail: String = tail.iter().map(|byte| format!("%{byte:02x}")).collect();
        let joint = if path.contains('?') {
            "&"
        } else if is_query {
            "?"
        } else {
            "/"
        };
        let paths = [(*path).to_owned(), format!("{path}{joint}{tail}"), path.replace('1', &tail)];
        for path in paths {
            let path = if path.is_empty() { "/".to_owned() } else { path };
            let request = fixture.request(method.clone(), &path, Some(&tokens[token]));
            let request =
                request.insert_header(("Content-Type", "application/json")).insert_header(("X-Noise", header.as_str()));
            let answer = fixture.send(request.set_payload(body.clone())).await;
            assert!(answer.status.as_u16() < 500, "{method} {path} {body:?}: {answer:?}");
            if !answer.status.is_success() {
                assert_eq!(answer.headers.get("content-type").unwrap(), "application/problem+json", "{method} {path}");
            }
        }
    }
}
