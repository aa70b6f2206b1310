//! Drafts as operators meet them, and as nobody else does; and what is corrected of a sale, or stays.

use miaosha::domain::sale::{PARTY_MAX, SaleState};
use miaosha::domain::shared::id::SaleId;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::operators::sale_body;
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_draft_is_seen_by_operators_alone
    a_draft_is_published_once
    a_sale_that_was_changed_meanwhile_is_left_as_it_is
    what_stays_is_said_by_name
    other_limits_reach_the_turnstile
}

async fn item(fixture: &Fixture) -> u64 {
    let item = json!({ "title": "A clay teapot", "description": "Fired twice." });
    fixture.post("/v1/admin/items", &fixture.operator(), &item).await.is(201)["id"].as_u64().unwrap()
}

/// It opens in a second.
async fn draft(fixture: &Fixture) -> u64 {
    let mut body = sale_body(item(fixture).await);
    body["draft"] = json!(true);
    fixture.post("/v1/admin/sales", &fixture.operator(), &body).await.is(201)["id"].as_u64().unwrap()
}

async fn edit(fixture: &Fixture, sale: u64, body: Value) -> Answer {
    fixture.patch(&format!("/v1/admin/sales/{sale}"), &fixture.operator(), &body).await
}

async fn seen(fixture: &Fixture, sale: u64) -> Value {
    fixture.get(&format!("/v1/admin/sales/{sale}"), &fixture.operator()).await.is(200)
}

fn rule(answer: &Answer) -> &str {
    answer.body["rule"].as_str().unwrap()
}

async fn a_draft_is_seen_by_operators_alone(fixture: Fixture) {
    let shown = fixture.sale(1, 0).await;
    let sale = draft(&fixture).await;
    let view = seen(&fixture, sale).await;
    assert_eq!((&view["draft"], &view["version"], &view["left"]), (&json!(true), &json!(1), &json!(10)));
    assert_eq!((&view["title"], &view["description"]), (&json!("A clay teapot"), &json!("Fired twice.")));
    assert_eq!(view["prompts"], json!(["2 + 2?"]));
    assert!(!view.to_string().contains("\"4\""), "answers are told to nobody");
    let drafts = fixture.get("/v1/admin/drafts", &fixture.operator()).await.is(200);
    assert_eq!(drafts, json!([view]));
    assert_eq!(seen(&fixture, shown.id.0).await["draft"], false);

    for token in [String::new(), fixture.shopper(7), fixture.operator()] {
        let missing = fixture.get("/v1/sales/999", &token).await;
        let hidden = fixture.get(&format!("/v1/sales/{sale}"), &token).await;
        assert_eq!((hidden.status, &hidden.body), (missing.status, &missing.body), "as one that there is not");
        for query in ["", "?order=opening", "?state=open", "?state=upcoming", "?search=teapot"] {
            let list = fixture.get(&format!("/v1/sales{query}"), &token).await.is(200);
            let ids: Vec<_> = list.as_array().unwrap().iter().map(|sale| sale["id"].as_u64().unwrap()).collect();
            assert!(!ids.contains(&sale), "{query}: {ids:?}");
        }
    }
    let raise = format!("/v1/admin/sales/{sale}/raise");
    fixture.post(&raise, &fixture.operator(), &json!({ "capacity": 11 })).await.is_problem(409, "conflict");
    fixture.clock.advance_ms(1_000);
    let body = json!({});
    let admission = format!("/v1/sales/{sale}/admission");
    fixture.post(&admission, &fixture.shopper(7), &body).await.is_problem(404, "not_found");
}

async fn a_draft_is_published_once(fixture: Fixture) {
    let sale = draft(&fixture).await;
    let path = format!("/v1/admin/sales/{sale}/publish");
    let publish = || fixture.post(&path, &fixture.operator(), &json!({}));
    let (one, other) = tokio::join!(publish(), publish());
    for answer in [one, other, publish().await] {
        let view = answer.is(200);
        assert_eq!((&view["draft"], &view["version"]), (&json!(false), &json!(2)));
    }
    let shown = fixture.get(&format!("/v1/sales/{sale}"), "").await.is(200);
    assert_eq!((&shown["title"], &shown["phase"]), (&json!("A clay teapot"), &json!("scheduled")));
    assert_eq!(fixture.get("/v1/sales?search=teapot", "").await.is(200)[0]["id"], sale);
    assert_eq!(fixture.get("/v1/admin/drafts", &fixture.operator()).await.is(200), json!([]));
    let level = fixture.world.turnstile.look(SaleId(sale)).await.unwrap().unwrap();
    assert_eq!((level.generation, level.free), (1, 10));

    let given_up = draft(&fixture).await;
    let at = |verb: &str| format!("/v1/admin/sales/{given_up}/{verb}");
    fixture.post(&at("close"), &fixture.operator(), &json!({})).await.is(200);
    fixture.post(&at("publish"), &fixture.operator(), &json!({})).await.is_problem(409, "conflict");
    fixture.get(&format!("/v1/sales/{given_up}"), "").await.is_problem(404, "not_found");
    let unknown = "/v1/admin/sales/999/publish";
    fixture.post(unknown, &fixture.operator(), &json!({})).await.is_problem(404, "not_found");
}

async fn a_sale_that_was_changed_meanwhile_is_left_as_it_is(fixture: Fixture) {
    let sale = draft(&fixture).await;
    let body = json!({ "version": 1, "title": " An iron kettle ", "price": { "minor": 250, "currency": "EUR" } });
    let view = edit(&fixture, sale, body.clone()).await.is(200);
    assert_eq!((&view["version"], &view["title"]), (&json!(2), &json!("An iron kettle")));
    assert_eq!((&view["price"]["currency"], &view["description"]), (&json!("EUR"), &json!("Fired twice.")));
    let answer = edit(&fixture, sale, body).await;
    answer.is_problem(409, "outdated");
    assert_eq!((&answer.body["field"], &answer.body["version"]), (&json!("version"), &json!(2)));
    assert_eq!(seen(&fixture, sale).await["version"], 2);
    edit(&fixture, 999, json!({ "version": 1 })).await.is_problem(404, "not_found");
    let same = edit(&fixture, sale, json!({ "version": 2, "title": "An iron kettle" })).await.is(200);
    assert_eq!(same["version"], 2, "nothing differs");

    // What is wrong is told as when a sale is made.
    for (field, value) in [
        ("title", json!(" ")),
        ("title", json!("x".repeat(201))),
        ("description", json!("x".repeat(5_001))),
        ("description", json!("a\u{7}b")),
        ("capacity", json!(0)),
        ("quantity_max", json!(PARTY_MAX + 1)),
        ("hold_ms", json!(999)),
        ("closes_at", json!(START.0 + 1_000)),
        ("colour", json!(1)),
    ] {
        edit(&fixture, sale, json!({ "version": 2, field: value })).await.blames(400, field);
    }
    edit(&fixture, sale, json!({ "title": "A lamp" })).await.blames(400, "version");
    let price = json!({ "version": 2, "price": { "minor": -1, "currency": "EUR" } });
    edit(&fixture, sale, price).await.blames(400, "price.minor");
    let questions = json!({ "version": 2, "questions": [{ "prompt": "?", "answer": " " }] });
    edit(&fixture, sale, questions).await.blames(400, "questions[0].answer");
    let fewer = json!({ "version": 2, "capacity": 3 });
    edit(&fixture, sale, fewer).await.blames(400, "quantity_max");
    let limits = json!({ "version": 2, "title": "x".repeat(200), "description": "y".repeat(5_000), "hold_ms": 1_000 });
    assert_eq!(edit(&fixture, sale, limits).await.is(200)["version"], 3);
}

async fn what_stays_is_said_by_name(fixture: Fixture) {
    let sale = draft(&fixture).await;
    fixture.post(&format!("/v1/admin/sales/{sale}/publish"), &fixture.operator(), &json!({})).await.is(200);
    let refused = async |version: u64, field: &str, value: Value| {
        let answer = edit(&fixture, sale, json!({ "version": version, field: value })).await;
        answer.is_problem(409, "fixed");
        assert_eq!(answer.body["field"], field);
        rule(&answer).to_owned()
    };
    assert_eq!(refused(2, "capacity", json!(11)).await, "published");
    let questions = json!([{ "prompt": "3 + 3?", "answer": "6" }]);
    let more = json!({ "version": 2, "quantity_max": 3, "questions": questions, "closes_at": START.0 + 9_000 });
    assert_eq!(edit(&fixture, sale, more).await.is(200)["prompts"], json!(["3 + 3?"]));

    fixture.clock.advance_ms(1_000);
    assert_eq!(refused(3, "opens_at", json!(START.0 + 2_000)).await, "opened");
    assert_eq!(refused(3, "questions", json!([])).await, "opened");
    assert_eq!(refused(3, "closes_at", json!(START.0 + 8_999)).await, "earlier");
    let dearer = json!({ "version": 3, "price": { "minor": 2_000, "currency": "TWD" }, "closes_at": START.0 + 10_000 });
    assert_eq!(edit(&fixture, sale, dearer).await.is(200)["price"]["minor"], 2_000, "nobody pressed");
    fixture.attempt(SaleId(sale), 7, 1).await;
    assert_eq!(refused(4, "price", json!({ "minor": 1, "currency": "TWD" })).await, "pressed");
    assert_eq!(refused(4, "quantity_max", json!(4)).await, "pressed");
    assert_eq!(refused(4, "hold_ms", json!(1_000)).await, "pressed");
    let words = json!({ "version": 4, "title": "An iron kettle", "description": "It sings." });
    let view = edit(&fixture, sale, words).await.is(200);
    let shown = fixture.get(&format!("/v1/sales/{sale}"), "").await.is(200);
    assert_eq!((&shown["title"], &shown["description"]), (&json!("An iron kettle"), &json!("It sings.")));
    assert_eq!((&shown["version"], &view["version"]), (&json!(5), &json!(5)));
    assert_eq!(fixture.get("/v1/sales?search=kettle", "").await.is(200)[0]["id"], sale);
    assert_eq!(fixture.get("/v1/sales?search=teapot", "").await.is(200), json!([]));

    fixture.world.catalogue.set_state(SaleId(sale), SaleState::Closed).await.unwrap();
    assert_eq!(refused(6, "closes_at", json!(START.0 + 99_000)).await, "over");
    edit(&fixture, sale, json!({ "version": 6, "title": "A sold kettle" })).await.is(200);
}

async fn other_limits_reach_the_turnstile(fixture: Fixture) {
    let sale = draft(&fixture).await;
    let limits = json!({ "version": 1, "capacity": 3, "quantity_max": 2, "standby_max": 0 });
    assert_eq!(edit(&fixture, sale, limits).await.is(200)["left"], 3);
    fixture.post(&format!("/v1/admin/sales/{sale}/publish"), &fixture.operator(), &json!({})).await.is(200);
    let level = fixture.world.turnstile.look(SaleId(sale)).await.unwrap().unwrap();
    assert_eq!((level.generation, level.free, level.allotment.quantity_max), (2, 3, 2));
    fixture.attempt(SaleId(sale), 7, 2).await;
    assert_eq!(fixture.get(&format!("/v1/sales/{sale}"), "").await.is(200)["left"], 1);
}

#[actix_web::test]
async fn a_correction_is_made_once() {
    let fixture = Fixture::new().await;
    let (sale, operator) = (draft(&fixture).await, fixture.operator());
    let path = format!("/v1/admin/sales/{sale}");
    let body = json!({ "version": 1, "title": "An iron kettle" });
    let send = |key: &'static str, body: &Value| {
        let request = fixture.request(actix_web::http::Method::PATCH, &path, Some(&operator));
        fixture.send(request.insert_header(("Idempotency-Key", key)).set_json(body))
    };
    let first = send("k", &body).await.is(200);
    assert_eq!(send("k", &body).await.is(200), first, "whose answer was lost asks again");
    send("k", &json!({ "version": 2 })).await.is_problem(422, "idempotency_key_reused");
    send("l", &body).await.is_problem(409, "outdated");
}

#[actix_web::test]
async fn drafts_are_listed_by_pages() {
    let fixture = Fixture::new().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, draft(&fixture).await);
    }
    let page = async |query: &str| {
        let answer = fixture.get(&format!("/v1/admin/drafts{query}"), &fixture.operator()).await;
        let next = answer.headers.get("link").is_some();
        let drafts = answer.is(200);
        (drafts.as_array().unwrap().iter().map(|sale| sale["id"].as_u64().unwrap()).collect::<Vec<_>>(), next)
    };
    assert_eq!(page("?limit=2").await, (made[..2].to_vec(), true));
    assert_eq!(page(&format!("?limit=2&after={}", made[1])).await, (made[2..].to_vec(), false));
    assert_eq!(page("?limit=50").await, (made, false));
    fixture.get("/v1/admin/drafts?limit=51", &fixture.operator()).await.blames(400, "limit");
}
