//! What only operators may do, and what comes of it. Which of them may do what: `roles`.

use actix_web::http::Method;
use miaosha::domain::sale::{PARTY_MAX, StandbyUntil};
use miaosha::domain::shared::id::SaleId;
use serde_json::{Value, json};

use super::fixture::Fixture;
use crate::support::clock::START;

pub const ROUTES: [(Method, &str); 25] = [
    (Method::GET, "/v1/admin/audit"),
    (Method::GET, "/v1/admin/sales/1/live"),
    (Method::GET, "/v1/admin/sales/1/blocks"),
    (Method::POST, "/v1/admin/sales/1/blocks"),
    (Method::DELETE, "/v1/admin/sales/1/blocks/0000000000000000000000000000abcd"),
    (Method::POST, "/v1/admin/items"),
    (Method::POST, "/v1/admin/sales"),
    (Method::GET, "/v1/admin/drafts"),
    (Method::GET, "/v1/admin/sales/1"),
    (Method::PATCH, "/v1/admin/sales/1"),
    (Method::POST, "/v1/admin/sales/1/publish"),
    (Method::POST, "/v1/admin/sales/1/pause"),
    (Method::POST, "/v1/admin/sales/1/resume"),
    (Method::POST, "/v1/admin/sales/1/close"),
    (Method::POST, "/v1/admin/sales/1/raise"),
    (Method::GET, "/v1/admin/sales/1/exports/orders.csv"),
    (Method::GET, "/v1/admin/sales/1/exports/reservations.csv"),
    (Method::GET, "/v1/admin/sales/1/report"),
    (Method::GET, "/v1/admin/parked"),
    (Method::POST, "/v1/admin/parked/replay"),
    (Method::GET, "/v1/admin/orders/0000-0000-0000"),
    (Method::POST, "/v1/admin/orders/0000-0000-0000/refunds"),
    (Method::GET, "/v1/admin/refunds"),
    (Method::POST, "/v1/admin/refunds/00000000000000000000000000000001/retry"),
    (Method::POST, "/v1/admin/refunds/00000000000000000000000000000001/settlement"),
];

pub fn sale_body(item_id: u64) -> Value {
    json!({
        "item_id": item_id, "price": { "minor": 1999, "currency": "TWD" }, "capacity": 10, "quantity_max": 4,
        "standby_max": 20, "hold_ms": 600_000, "opens_at": START.0 + 1_000, "closes_at": START.0 + 2_000,
        "questions": [{ "prompt": "2 + 2?", "answer": "4" }],
    })
}

#[actix_web::test]
async fn only_operators_may() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    for (method, path) in ROUTES {
        let send = |token: Option<&str>| fixture.send(fixture.request(method.clone(), path, token).set_json(json!({})));
        send(Some(&fixture.shopper(7))).await.is_problem(403, "forbidden");
        send(None).await.is_problem(401, "unauthorized");
        send(Some("nonsense")).await.is_problem(401, "unauthorized");
    }
    assert_eq!(fixture.world.catalogue.sale(sale.id).await.unwrap().unwrap(), sale, "nothing was changed");
}

#[actix_web::test]
async fn an_item_is_put_on_sale() {
    let fixture = Fixture::new().await;
    let item = json!({ "title": " A lamp ", "description": "It shines.\nBright." });
    let item = fixture.post("/v1/admin/items", &fixture.operator(), &item).await.is(201);
    assert_eq!((&item["title"], &item["description"]), (&json!("A lamp"), &json!("It shines.\nBright.")));
    let item_id = item["id"].as_u64().unwrap();

    let shown = fixture.post("/v1/admin/sales", &fixture.operator(), &sale_body(item_id)).await.is(201);
    assert_eq!((&shown["phase"], &shown["left"], &shown["title"]), (&json!("scheduled"), &json!(10), &json!("A lamp")));
    let id = SaleId(shown["id"].as_u64().unwrap());
    assert_eq!(fixture.get(&format!("/v1/sales/{id}"), "").await.is(200), shown);
    let level = fixture.world.turnstile.look(id).await.unwrap().unwrap();
    assert_eq!((level.generation, level.free, level.allotment.standby_max), (1, 10, 20));
    let sale = fixture.world.catalogue.sale(id).await.unwrap().unwrap();
    assert_eq!((sale.questions[0].answer.as_str(), sale.hold_ms), ("4", 600_000));
    assert_ne!(sale.question_key.0, [0; 32]);
    assert_eq!((&shown["standby_until"], sale.standby_until), (&json!("closed"), StandbyUntil::Closed), "by default");
    let mut until_paid = sale_body(item_id);
    until_paid["standby_until"] = json!("paid");
    let shown = fixture.post("/v1/admin/sales", &fixture.operator(), &until_paid).await.is(201);
    let sale = fixture.world.catalogue.sale(SaleId(shown["id"].as_u64().unwrap())).await.unwrap().unwrap();
    assert_eq!((&shown["standby_until"], sale.standby_until), (&json!("paid"), StandbyUntil::Paid));
    let report = fixture.get(&format!("/v1/admin/sales/{}/report", sale.id), &fixture.operator()).await.is(200);
    assert_eq!(report["standby_until"], "paid");

    fixture.post("/v1/admin/sales", &fixture.operator(), &sale_body(item_id + 1)).await.blames(400, "item_id");
    fixture.post("/v1/admin/sales", &fixture.operator(), &sale_body(u64::MAX)).await.blames(400, "item_id");
}

#[actix_web::test]
async fn a_sale_is_paused_and_resumed_and_closed_for_good() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    let phase = async |verb: &str| {
        let path = format!("/v1/admin/sales/{}/{verb}", sale.id);
        fixture.post(&path, &fixture.operator(), &json!({})).await
    };
    assert_eq!(phase("pause").await.is(200)["phase"], "paused");
    assert_eq!(phase("pause").await.is(200)["phase"], "paused");
    assert_eq!(phase("resume").await.is(200)["phase"], "open");
    assert_eq!(phase("close").await.is(200)["phase"], "closed");
    phase("resume").await.is_problem(409, "conflict");
    phase("pause").await.is_problem(409, "conflict");
    fixture.post("/v1/admin/sales/99/pause", &fixture.operator(), &json!({})).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn capacity_only_grows() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await;
    let path = format!("/v1/admin/sales/{}/raise", sale.id);
    let raised = fixture.post(&path, &fixture.operator(), &json!({ "capacity": 8 })).await.is(200);
    assert_eq!((&raised["capacity"], &raised["left"]), (&json!(8), &json!(8)));
    fixture.post(&path, &fixture.operator(), &json!({ "capacity": 7 })).await.is_problem(409, "conflict");
    fixture
        .post("/v1/admin/sales/99/raise", &fixture.operator(), &json!({ "capacity": 7 }))
        .await
        .is_problem(404, "not_found");
}

#[actix_web::test]
async fn parked_messages_are_listed_and_replayed() {
    let fixture = Fixture::new().await;
    assert_eq!(fixture.get("/v1/admin/parked", &fixture.operator()).await.is(200), json!([]));
    let replayed = fixture.post("/v1/admin/parked/replay", &fixture.operator(), &json!({})).await.is(200);
    assert_eq!(replayed, json!({ "replayed": 0 }));
}

/// For pages in other languages: a name, and bounds where there are any.
#[actix_web::test]
async fn a_field_that_is_wrong_says_which_rule_it_breaks() {
    let fixture = Fixture::new().await;
    let (items, sales) = ("/v1/admin/items", "/v1/admin/sales");
    let item = json!({ "title": "A lamp", "description": "" });
    let item = fixture.post(items, &fixture.operator(), &item).await.is(201)["id"].as_u64().unwrap();
    let with = |name: &str, value: Value| {
        let mut body = sale_body(item);
        body[name] = value;
        body
    };
    for (path, body, field, said) in [
        (
            items,
            json!({ "title": "x".repeat(201), "description": "" }),
            "title",
            json!({ "rule": "length", "max": 200 }),
        ),
        (items, json!({ "title": " ", "description": "" }), "title", json!({ "rule": "empty" })),
        (items, json!({ "title": "a\u{7}b", "description": "" }), "title", json!({ "rule": "control_characters" })),
        (items, json!({ "title": "A lamp" }), "description", json!({ "rule": "missing" })),
        (sales, with("quantity_max", json!(0)), "quantity_max", json!({ "rule": "range", "min": 1, "max": PARTY_MAX })),
        (sales, with("hold_ms", json!("long")), "hold_ms", json!({ "rule": "type" })),
        (sales, with("closes_at", json!(0)), "closes_at", json!({ "rule": "order" })),
        (sales, with("colour", json!(0)), "colour", json!({ "rule": "unknown" })),
        (sales, with("item_id", json!(item + 1)), "item_id", json!({ "rule": "no_such" })),
        // Nothing that could be compared: any answer like it would be right.
        (
            sales,
            with("questions", json!([{ "prompt": "?", "answer": "\u{200b}\u{ad}" }])),
            "questions[0].answer",
            json!({ "rule": "empty" }),
        ),
    ] {
        let answer = fixture.post(path, &fixture.operator(), &body).await;
        answer.blames(400, field);
        let named = ["rule", "min", "max"].into_iter().filter_map(|name| Some((name, answer.body.get(name)?.clone())));
        assert_eq!(Value::Object(named.map(|(name, value)| (name.to_owned(), value)).collect()), said, "{field}");
    }
}
