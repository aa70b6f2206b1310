//! The same request twice, at once, late, with another body, and after a death between effect and answer.

use actix_web::http::Method;
use actix_web::rt;
use futures_util::future::join_all;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::front::Settings;
use miaosha::kit::http::idempotency;
use miaosha::kit::http::idempotency::REPLAYED;
use miaosha::workers::payment_consumer;
use serde_json::{Value, json};
use sqlx::{Connection, Row, SqliteConnection};

use super::fixture::{Answer, Fixture};
use super::operators::{ROUTES, sale_body};
use super::over_both;
use crate::support::clock::START;

const KEY: &str = "8e03978e-40d5-43dd-bc93-6894a57f9324";
const ITEMS: &str = "/v1/admin/items";

over_both! {
    the_same_request_is_answered_the_same_again
    a_key_is_good_for_one_request
    of_many_at_once_one_is_carried_out
    who_dies_before_the_effect_is_followed
    who_dies_before_the_answer_is_kept_did_it_once
    a_checkout_that_died_before_its_answer_is_paid_once
    who_hangs_up_finds_the_answer_later
    what_may_pass_is_not_kept
    who_was_told_to_wait_asks_again_for_the_order
    a_decline_is_an_end
    what_was_refused_leaves_nothing_behind
    a_key_is_forgotten_after_a_day
}

fn lamp() -> Value {
    json!({ "title": "A lamp", "description": "It shines." })
}

fn is_replay(answer: &Answer) -> bool {
    answer.headers.get(REPLAYED).is_some()
}

/// Every route that costs something, as a fresh request without its key.
#[actix_web::test]
async fn a_key_is_needed_and_must_be_one() {
    let fixture = Fixture::new().await;
    fixture.sale(1, 0).await;
    let operators = ROUTES.into_iter().filter(|(method, _)| *method == Method::POST).map(|(_, path)| path);
    for path in operators.chain(["/v1/checkouts"]) {
        let send = |keys: &[&[u8]]| {
            let request = actix_web::test::TestRequest::post().uri(path);
            let mut request = request.insert_header(("Authorization", format!("Bearer {}", fixture.operator())));
            for key in keys {
                request = request.append_header(("Idempotency-Key", *key));
            }
            fixture.send(request.set_json(json!({})))
        };
        let answer = send(&[]).await;
        answer.is_problem(400, "idempotency_key_missing");
        answer.blames(400, "Idempotency-Key");
        let long = [b'x'; 256];
        for bad in [&b""[..], b"a b", b"\xc3\xa9", b"a\tb", &long] {
            send(&[bad]).await.blames(400, "Idempotency-Key");
        }
        send(&[b"a", b"b"]).await.blames(400, "Idempotency-Key");
        let longest = format!("{path:x<255}");
        assert_ne!(send(&[longest.as_bytes()]).await.body["field"], "Idempotency-Key");
    }
    // Logging in costs nothing that lasts.
    let login = actix_web::test::TestRequest::post().uri("/v1/sessions");
    fixture.send(login.set_json(json!({ "email": "a@b.cc", "password": "x" }))).await.is(401);
}

async fn the_same_request_is_answered_the_same_again(fixture: Fixture) {
    let first = fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await;
    assert!(!is_replay(&first));
    let again = fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await;
    assert!(is_replay(&again));
    assert_eq!(again.headers.get("content-type"), first.headers.get("content-type"));
    let (first, again) = (first.is(201), again.is(201));
    assert_eq!(first, again);
    let other = fixture.post_under("other", ITEMS, &fixture.operator(), &lamp()).await.is(201);
    assert_ne!(other["id"], first["id"]);
    // Another's key is another key.
    let someone = fixture.keys.sign_access(BuyerId(5), Role::Owner, START, 60_000);
    assert_ne!(fixture.post_under(KEY, ITEMS, &someone, &lamp()).await.is(201)["id"], first["id"]);

    let sale = sale_body(first["id"].as_u64().unwrap());
    let made = fixture.post_under("s", "/v1/admin/sales", &fixture.operator(), &sale).await.is(201);
    fixture.clock.advance_ms(50);
    assert_eq!(
        fixture.post_under("s", "/v1/admin/sales", &fixture.operator(), &sale).await.is(201),
        made,
        "as it was told then"
    );
    assert_eq!(fixture.world.catalogue.sales(9).await.unwrap().len(), 1);
    // What is refused is refused again.
    for _ in 0..2 {
        fixture
            .post_under("t", "/v1/admin/sales/99/pause", &fixture.operator(), &json!({}))
            .await
            .is_problem(404, "not_found");
    }
}

async fn a_key_is_good_for_one_request(fixture: Fixture) {
    fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201);
    let other = json!({ "title": "A lamp", "description": "It shines!" });
    let answer = fixture.post_under(KEY, ITEMS, &fixture.operator(), &other).await;
    answer.is_problem(422, "idempotency_key_reused");
    answer.blames(422, "Idempotency-Key");
    let elsewhere = fixture.post_under(KEY, "/v1/admin/sales", &fixture.operator(), &lamp()).await;
    elsewhere.is_problem(422, "idempotency_key_reused");
}

async fn of_many_at_once_one_is_carried_out(fixture: Fixture) {
    let answers = join_all((0..12).map(|_| fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()))).await;
    let mut ids = Vec::new();
    for answer in answers {
        match answer.status.as_u16() {
            201 => ids.push(answer.body["id"].as_u64().unwrap()),
            _ => answer.is_problem(409, "in_flight"),
        }
    }
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    // Nothing was made beside it.
    let next = fixture.post(ITEMS, &fixture.operator(), &lamp()).await.is(201);
    assert!(next["id"].as_u64().unwrap() > ids[0]);
    assert_eq!(fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201)["id"], ids[0]);
}

async fn who_dies_before_the_effect_is_followed(fixture: Fixture) {
    let stop = fixture.stops.arm(idempotency::AFTER_CLAIM);
    let first = rt::spawn(fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()));
    stop.reached().await;
    let answer = fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await;
    answer.is_problem(409, "in_flight");
    assert_eq!(answer.headers.get("retry-after").unwrap(), "1");

    fixture.clock.advance_ms(Settings::default().request_lease_ms);
    let second = fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201);
    // The first one only slept, and finds the same.
    stop.go_on();
    assert_eq!(first.await.unwrap().is(201), second);
    assert_eq!(fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201), second);
}

async fn who_dies_before_the_answer_is_kept_did_it_once(fixture: Fixture) {
    let item = fixture.post(ITEMS, &fixture.operator(), &lamp()).await.is(201)["id"].as_u64().unwrap();
    for (path, body) in [(ITEMS, lamp()), ("/v1/admin/sales", sale_body(item))] {
        let stop = fixture.stops.arm(idempotency::AFTER_EFFECT);
        let first = rt::spawn(fixture.post_under(path, path, &fixture.operator(), &body));
        stop.reached().await;
        fixture.post_under(path, path, &fixture.operator(), &body).await.is_problem(409, "in_flight");
        fixture.clock.advance_ms(Settings::default().request_lease_ms);
        let second = fixture.post_under(path, path, &fixture.operator(), &body).await.is(201);
        stop.go_on();
        assert_eq!(first.await.unwrap().is(201)["id"], second["id"]);
    }
    assert_eq!(fixture.world.catalogue.sales(9).await.unwrap().len(), 1);
}

async fn a_checkout_that_died_before_its_answer_is_paid_once(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    let body = json!({ "checkout_token": fixture.checkout_token(sale.id, 7).await, "card": "ok" });
    let stop = fixture.stops.arm(idempotency::AFTER_EFFECT);
    let first = rt::spawn(fixture.post_under(KEY, "/v1/checkouts", &fixture.shopper(7), &body));
    stop.reached().await;
    fixture.clock.advance_ms(Settings::default().request_lease_ms);
    let second = fixture.post_under(KEY, "/v1/checkouts", &fixture.shopper(7), &body).await.is(201);
    stop.go_on();
    assert_eq!(first.await.unwrap().is(201), second);
    assert_eq!(fixture.post_under(KEY, "/v1/checkouts", &fixture.shopper(7), &body).await.is(201), second);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
    // Another key asks what is so, and is told.
    assert_eq!(fixture.post("/v1/checkouts", &fixture.shopper(7), &body).await.is(200), second);
}

async fn who_hangs_up_finds_the_answer_later(fixture: Fixture) {
    let stop = fixture.stops.arm(idempotency::AFTER_CLAIM);
    let first = rt::spawn(fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()));
    stop.reached().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    stop.go_on();
    let answer = loop {
        let answer = fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await;
        if answer.status != 409 {
            break answer;
        }
        rt::task::yield_now().await;
    };
    assert!(is_replay(&answer), "without waiting for the lease to end");
    answer.is(201);
}

async fn what_may_pass_is_not_kept(fixture: Fixture) {
    // Who may not ask writes nothing.
    fixture.post_under(KEY, ITEMS, "nonsense", &lamp()).await.is_problem(401, "unauthorized");
    fixture.post_under(KEY, ITEMS, &fixture.shopper(1_000_000), &lamp()).await.is_problem(403, "forbidden");
    let huge = fixture.request(Method::POST, ITEMS, Some(&fixture.operator())).insert_header(("Idempotency-Key", KEY));
    fixture.send(huge.set_payload(vec![b' '; 200_000])).await.is_problem(413, "payload_too_large");
    // A fault under way: the claim is let go, and the next one is carried out at once.
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    let body = json!({ "checkout_token": fixture.checkout_token(sale.id, 7).await, "card": "ok" });
    fixture.clock.doubt(true);
    fixture.post_under("c", "/v1/checkouts", &fixture.shopper(7), &body).await.is_problem(503, "unavailable");
    fixture.clock.doubt(false);
    fixture.post_under("c", "/v1/checkouts", &fixture.shopper(7), &body).await.is(201);
    fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201);
}

/// "Still paying" is no end: under the same key the buyer is told how it ended, and that is kept.
async fn who_was_told_to_wait_asks_again_for_the_order(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    let body = json!({ "checkout_token": fixture.checkout_token(sale.id, 7).await, "card": "late" });
    let ask = || fixture.post_under(KEY, "/v1/checkouts", &fixture.shopper(7), &body);
    for _ in 0..2 {
        let waits = ask().await;
        assert!(!is_replay(&waits));
        assert_eq!(waits.is(202)["status"], "paying");
    }
    let sweeps = payment_consumer::Settings { paying_ms_max: 10, ..payment_consumer::Settings::default() };
    fixture.clock.advance_ms(20);
    payment_consumer::Sweeper::new(fixture.world.needs(), sweeps)
        .sweep_one(payment_consumer::Job::Stuck)
        .await
        .unwrap();
    let told = ask().await;
    assert!(!is_replay(&told));
    let order = told.is(201);
    assert_eq!(order["order_number"].as_str().map(str::len), Some(14));
    let again = ask().await;
    assert!(is_replay(&again));
    assert_eq!(again.is(201), order);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

/// The card was charged in vain: under this key that is so for ever, and another card is another request.
async fn a_decline_is_an_end(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    let pay = |key: &str, card: &str| {
        fixture.post_under(key, "/v1/checkouts", &fixture.shopper(7), &json!({ "checkout_token": token, "card": card }))
    };
    for is_again in [false, true] {
        let declined = pay(KEY, "declined").await;
        assert_eq!(is_replay(&declined), is_again);
        declined.is_problem(402, "card_declined");
    }
    pay(KEY, "ok").await.is_problem(422, "idempotency_key_reused");
    pay("another", "ok").await.is(201);
    pay(KEY, "declined").await.is_problem(402, "card_declined");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

/// A client that mends a mistake asks under the same key; what is refused now may be right later.
async fn what_was_refused_leaves_nothing_behind(fixture: Fixture) {
    fixture
        .post_under(KEY, ITEMS, &fixture.operator(), &json!({ "title": " ", "description": "x" }))
        .await
        .blames(400, "title");
    fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201);
    let sale = fixture.sale(2, 1).await;
    fixture.attempt(sale.id, 8, 2).await;
    fixture.attempt(sale.id, 7, 1).await;
    let standby = fixture.world.reservations.reservation_of(sale.id, BuyerId(7)).await.unwrap().unwrap();
    let body =
        json!({ "checkout_token": fixture.keys.sign_checkout(standby.id, BuyerId(7), START, 600_000), "card": "ok" });
    let pay = || fixture.post_under("p", "/v1/checkouts", &fixture.shopper(7), &body);
    for _ in 0..2 {
        let answer = pay().await;
        assert!(!is_replay(&answer));
        answer.is_problem(409, "not_held");
    }
    fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(8)).await.is(200);
    payment_consumer::Sweeper::new(fixture.world.needs(), payment_consumer::Settings::default())
        .sweep_one(payment_consumer::Job::Unfreed)
        .await
        .unwrap();
    pay().await.is(201);
}

async fn a_key_is_forgotten_after_a_day(fixture: Fixture) {
    let operator = fixture.keys.sign_access(BuyerId(1_000_000), Role::Owner, START, 10 * 86_400_000);
    let first = fixture.post_under(KEY, ITEMS, &operator, &lamp()).await.is(201);
    fixture.clock.advance_ms(Settings::default().request_ttl_ms - 1);
    assert_eq!(fixture.post_under(KEY, ITEMS, &operator, &lamp()).await.is(201), first);
    assert_eq!(fixture.world.idempotency.forget(fixture.world.clock.now(), 9).await.unwrap(), 0);
    fixture.clock.advance_ms(1);
    let second = fixture.post_under(KEY, ITEMS, &operator, &lamp()).await.is(201);
    assert_ne!(first["id"], second["id"]);
    fixture.clock.advance_ms(Settings::default().request_ttl_ms);
    assert_eq!(fixture.world.idempotency.forget(fixture.world.clock.now(), 9).await.unwrap(), 1);
}

fn ada() -> Value {
    json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" })
}

/// Whoever shows no token has no keys, and leaves no row here.
#[actix_web::test]
async fn strangers_are_not_written_down() {
    let fixture = Fixture::new().await;
    for n in 0..5 {
        let bad = json!({ "name": "Eve", "email": "nobody", "password": "x" });
        fixture.post_under(&format!("k{n}"), "/v1/users", "", &bad).await.is_problem(400, "invalid");
    }
    fixture.post_under(KEY, "/v1/users", "", &ada()).await.is(202);
    fixture.post_under(KEY, ITEMS, "", &lamp()).await.is_problem(401, "unauthorized");
    fixture.post_under(KEY, ITEMS, &fixture.operator(), &lamp()).await.is(201);
    let file = format!("sqlite://{}", fixture.folder.path().join("ledger.db").display());
    let mut conn = SqliteConnection::connect(&file).await.unwrap();
    let rows = sqlx::query("SELECT COUNT(*) FROM requests").fetch_one(&mut conn).await.unwrap();
    assert_eq!(rows.get::<i64, _>(0), 1);
}

#[actix_web::test]
async fn the_operators_other_calls_repeat_their_answer() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await;
    let path = |verb: &str| format!("/v1/admin/sales/{}/{verb}", sale.id);
    let paused = fixture.post_under("p", &path("pause"), &fixture.operator(), &json!({})).await.is(200);
    fixture.post_under("r", &path("resume"), &fixture.operator(), &json!({})).await.is(200);
    // The answer of then, and no second effect now.
    assert_eq!(fixture.post_under("p", &path("pause"), &fixture.operator(), &json!({})).await.is(200), paused);
    assert_eq!(fixture.get(&format!("/v1/sales/{}", sale.id), "").await.is(200)["phase"], "open");
    let raised = fixture.post_under("c", &path("raise"), &fixture.operator(), &json!({ "capacity": 8 })).await.is(200);
    assert_eq!(
        fixture.post_under("c", &path("raise"), &fixture.operator(), &json!({ "capacity": 8 })).await.is(200),
        raised
    );
    let id = SaleId(sale.id.0);
    assert_eq!(fixture.world.restoring.standing(id).await.unwrap().unwrap().allotment.capacity, 8);
}
