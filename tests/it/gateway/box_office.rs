//! The box office: a ticket in one call, once for each purchase, and nothing for who has left; its figures, its tickets, its limits.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt;
use actix_web::test::TestRequest;
use futures_util::future::join_all;
use miaosha::app::money::points;
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::sale::{Question, Sale, SaleState, TILL_HOLD_MS};
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::box_office::Settings;
use miaosha::ports::sale::fallback::SaleLease;
use miaosha::workers::consumer::{self, Consumer};
use serde_json::{Value, json};

use super::fixture::{Answer, Calls, Fixture};
use super::over_both;
use crate::support::clock::START;

const KEY: &str = "0123456789abcdef";

over_both! {
    a_ticket_is_bought_in_one_call
    everything_is_sold_once
    the_same_purchase_is_made_once
    what_costs_something_is_paid
    what_is_not_sold_here_is_not_there
    who_leaves_has_nothing_and_may_come_back
    a_purchase_is_its_buyers
    it_is_told_while_an_event_is_decided_from_memory
}

/// With what decides attempts.
fn open(fixture: &Fixture) {
    let consumer = Consumer::new(fixture.world.needs(), consumer::Settings::default());
    consumer::start(Arc::new(consumer), &fixture.lifecycle);
}

async fn free(fixture: &Fixture, capacity: u32) -> Sale {
    fixture.sale_at(0, "TWD", capacity).await
}

fn order(sale: SaleId) -> TestRequest {
    TestRequest::post().uri(&format!("/buy/{sale}"))
}

async fn buy(fixture: &Fixture, sale: SaleId) -> Answer {
    fixture.send(order(sale)).await
}

async fn buy_under(fixture: &Fixture, sale: SaleId, key: &str) -> Answer {
    fixture.send(order(sale).insert_header(("Idempotency-Key", key))).await
}

async fn get(fixture: &Fixture, path: &str) -> Answer {
    fixture.send(TestRequest::get().uri(path)).await
}

/// A problem that small clients read, too.
#[track_caller]
fn is_refused(answer: &Answer, status: u16, name: &str) {
    answer.is_problem(status, name);
    assert_eq!(answer.body["error"], true);
    assert_eq!((&answer.body["message"], &answer.body["data"]["fallback"]), (&answer.body["detail"], &json!(false)));
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {value}"))
}

async fn a_ticket_is_bought_in_one_call(fixture: Fixture) {
    open(&fixture);
    let sale = free(&fixture, 3).await.id;
    let said = buy(&fixture, sale).await.is(200);
    assert_eq!(said["error"], false);
    let bought = &said["data"];
    assert_eq!((&bought["ticket"], &bought["fallback"]), (&json!(format!("ticket-{sale}-1")), &json!(false)));
    assert_eq!(text(bought, "/url"), format!("/tickets/{}", text(bought, "/purchaseId")));
    let ticket = get(&fixture, text(bought, "/url")).await;
    assert_eq!((ticket.status.as_u16(), &ticket.bytes[..5]), (200, &b"%PDF-"[..]));
    assert_eq!(ticket.headers.get("content-type").unwrap(), "application/pdf");
    let disposition = ticket.headers.get("content-disposition").unwrap().to_str().unwrap();
    assert_eq!(disposition, format!("inline; filename=\"ticket-{sale}-1.pdf\""));
    let event = get(&fixture, &format!("/events/{sale}")).await.is(200)["data"].clone();
    assert_eq!((&event["total"], &event["sold"], &event["remaining"]), (&json!(3), &json!(1), &json!(2)));
    assert_eq!(get(&fixture, "/events").await.is(200)["data"]["events"], json!([event]));
    assert_eq!(fixture.orders_and_captures(sale).await.0, 1);
}

async fn everything_is_sold_once(fixture: Fixture) {
    open(&fixture);
    let sale = free(&fixture, 20).await.id;
    let answers = join_all((0..30).map(|_| buy(&fixture, sale))).await;
    let (sold, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    refused.iter().for_each(|answer| is_refused(answer, 409, "sold_out"));
    assert_eq!(refused.len(), 10);
    let distinct = |pointer| sold.iter().map(|answer| text(&answer.body, pointer)).collect::<BTreeSet<_>>().len();
    assert_eq!((distinct("/data/ticket"), distinct("/data/purchaseId"), distinct("/data/orderNumber")), (20, 20, 20));
    let late = buy(&fixture, sale).await;
    assert_eq!(text(&late.body, "/message"), "No tickets available");
    let as_there = fixture.box_office_with(Settings { compat: true, ..Settings::default() }).await;
    is_refused(&as_there(order(sale)).await, 404, "not_found");
}

async fn the_same_purchase_is_made_once(fixture: Fixture) {
    open(&fixture);
    let sale = free(&fixture, 9).await.id;
    let again = join_all((0..8).map(|_| buy_under(&fixture, sale, KEY))).await;
    let first = again[0].body.clone();
    again.into_iter().for_each(|answer| assert_eq!(answer.is(200), first));
    assert_eq!(buy_under(&fixture, sale, KEY).await.is(200), first);
    assert_ne!(buy_under(&fixture, sale, "fedcba9876543210").await.is(200), first);
    // An account is one buyer, whatever the key.
    let as_somebody = || order(sale).insert_header(("Authorization", format!("Bearer {}", fixture.shopper(7))));
    let own = fixture.send(as_somebody()).await.is(200);
    let under = fixture.send(as_somebody().insert_header(("Idempotency-Key", KEY))).await.is(200);
    assert_eq!((&own, own == first), (&under, false));
    // Without either each is a purchase.
    assert_ne!(buy(&fixture, sale).await.is(200), buy(&fixture, sale).await.is(200));
    assert_eq!(fixture.orders_and_captures(sale).await.0, 5);
    // What was given back is bought again by who has a name, once it is back, and not by a request that is late.
    let row = fixture.world.reservations.reservation_of(sale, BuyerId(7)).await.unwrap().unwrap();
    fixture.refund_all(row.id).await;
    let too_soon = fixture.send(as_somebody()).await;
    is_refused(&too_soon, 503, "busy");
    let number = text(&first, "/data/orderNumber");
    fixture.refund_all(fixture.world.orders.order(number).await.unwrap().unwrap().reservation).await;
    is_refused(&buy_under(&fixture, sale, KEY).await, 409, "not_bought");
}

async fn what_costs_something_is_paid(fixture: Fixture) {
    open(&fixture);
    let sale = fixture.sale(9, 0).await.id;
    let pays = |key: &str, card: &str| {
        let order = order(sale).insert_header(("Idempotency-Key", key.to_owned()));
        fixture.send(order.set_json(json!({ "card": card })))
    };
    let without = buy(&fixture, sale).await;
    without.blames(400, "card");
    is_refused(&without, 400, "invalid");
    assert!(fixture.world.auditing.history(sale).await.unwrap().turns.is_empty(), "nothing was asked of the turnstile");
    is_refused(&pays(KEY, "declined").await, 402, "card_refused");
    let bought = pays(KEY, "ok").await.is(200);
    assert_eq!(pays(KEY, "ok").await.is(200), bought);
    assert_eq!(fixture.orders_and_captures(sale).await, (1, 1));
    // Not known yet.
    let late = pays("fedcba9876543210", "timeout").await;
    assert!(late.headers.contains_key("retry-after"));
    let late = late.is(202);
    assert_eq!(late["data"]["ticket"], Value::Null);
    assert_eq!(get(&fixture, text(&late, "/data/url")).await.is(202)["data"], late["data"]);
}

async fn what_is_not_sold_here_is_not_there(fixture: Fixture) {
    open(&fixture);
    let question = Question { prompt: "How many legs has a cat?".into(), answer: "4".into() };
    let asks = fixture.sale_with(3, 0, vec![question]).await.id;
    let sale = free(&fixture, 3).await.id;
    for missing in [asks, SaleId(sale.0 + 1), SaleId(u64::MAX)] {
        is_refused(&buy(&fixture, missing).await, 404, "not_found");
        is_refused(&get(&fixture, &format!("/events/{missing}")).await, 404, "not_found");
    }
    let events = get(&fixture, "/events").await.is(200);
    assert_eq!(events["data"]["events"].as_array().unwrap().len(), 1);
    for junk in ["/buy/one", "/buy/-1", "/buy/1.5"] {
        is_refused(&fixture.send(TestRequest::post().uri(junk)).await, 400, "invalid");
    }
    let with = |name: &'static str, value: String| fixture.send(order(sale).insert_header((name, value)));
    is_refused(&with("Idempotency-Key", "short".into()).await, 400, "invalid");
    is_refused(&with("Authorization", "Bearer nonsense".into()).await, 401, "unauthorized");
    for body in ["[]", "{", "{\"surprise\":1}", "{\"card\":\"\"}"] {
        is_refused(&fixture.send(order(sale).set_payload(body)).await, 400, "invalid");
    }
    fixture.world.catalogue.set_state(sale, SaleState::Closed).await.unwrap();
    is_refused(&buy(&fixture, sale).await, 409, "not_on_sale");
    assert_eq!(fixture.orders_and_captures(sale).await.0, 0);
}

/// Before it was decided, or before it was confirmed: the hold is short, and the same request takes it up.
async fn who_leaves_has_nothing_and_may_come_back(fixture: Fixture) {
    let sale = free(&fixture, 2).await.id;
    let gone = rt::spawn(fixture.send(order(sale).insert_header(("Idempotency-Key", KEY))));
    while fixture.world.depths.depths().await.unwrap().iter().all(|depth| depth.messages == 0) {
        rt::task::yield_now().await;
    }
    gone.abort();
    open(&fixture);
    let held = loop {
        let rows = fixture.world.auditing.history(sale).await.unwrap().reservations;
        if let Some((_, id)) = rows.first() {
            break *id;
        }
        rt::task::yield_now().await;
    };
    let lapses_at = START.plus_ms(TILL_HOLD_MS);
    assert_eq!(fixture.row(held).await.state, State::Held { units: vec![1], lapses_at });
    let stop = fixture.stops.arm(points::CHECKOUT_AFTER_READ);
    let back = rt::spawn(fixture.send(order(sale).insert_header(("Idempotency-Key", KEY))));
    stop.reached().await;
    assert_eq!(fixture.kind(held).await, Kind::Held);
    stop.go_on();
    let bought = back.await.unwrap().is(200);
    assert!(text(&bought, "/data/purchaseId").contains(&held.to_string()));
    assert_eq!(fixture.kind(held).await, Kind::Confirmed);
}

async fn a_purchase_is_its_buyers(fixture: Fixture) {
    open(&fixture);
    let sale = free(&fixture, 9).await.id;
    let token = fixture.shopper(7);
    let own = fixture.send(order(sale).insert_header(("Authorization", format!("Bearer {token}")))).await.is(200);
    let url = text(&own, "/data/url").to_owned();
    assert_eq!(fixture.get(&url, &token).await.status, 200);
    is_refused(&fixture.get(&url, &fixture.shopper(8)).await, 404, "not_found");
    is_refused(&get(&fixture, &url).await, 404, "not_found");
    let bought = buy(&fixture, sale).await.is(200);
    let id = text(&bought, "/data/purchaseId");
    // One's neighbour in a batch has the next number, and another buyer's.
    let (of_attempt, of_buyer) = id.rsplit_once('-').unwrap();
    let other = |text: &str| format!("/tickets/{text}");
    let next = |hex: &str| format!("{:016x}", u64::from_str_radix(hex, 16).unwrap() ^ 1);
    let neighbour = other(&format!("{of_attempt}-{}", next(of_buyer)));
    // It reads like one that is on its way, and then like one that never was.
    assert_eq!(get(&fixture, &neighbour).await.is(202)["data"]["ticket"], Value::Null);
    fixture.clock.advance_ms(60_000);
    is_refused(&get(&fixture, &neighbour).await, 404, "not_found");
    assert_eq!(get(&fixture, &other(id)).await.status, 200);
    for junk in ["1", "x-y-z", "ticket-1-1"] {
        is_refused(&get(&fixture, &other(junk)).await, 404, "not_found");
    }
}

/// As a consumer that fell back leaves it in the ledger: what is told follows the lease.
async fn it_is_told_while_an_event_is_decided_from_memory(fixture: Fixture) {
    const LEASE: SaleLease = SaleLease { by: 7, ms: 600_000, partitions: 4 };
    open(&fixture);
    let (fallen, other) = (free(&fixture, 1).await.id, free(&fixture, 9).await.id);
    let told = async |of: SaleId| {
        let answer = buy_under(&fixture, of, KEY).await;
        let sold_out = buy(&fixture, of).await;
        (answer.is(200)["data"]["fallback"].clone(), sold_out.body["data"]["fallback"].clone())
    };
    let health = async || get(&fixture, "/health").await.body["data"]["fallback"].clone();
    let [none, one] = [json!({ "active": false, "events": [] }), json!({ "active": true, "events": [fallen] })];
    let both = |is: bool| (json!(is), json!(is));
    assert_eq!((told(fallen).await, health().await), (both(false), none.clone()));
    let (world, now) = (&fixture.world, fixture.world.clock.now());
    world.restoring.restore_under(fallen, 1, &LEASE, now).await.unwrap().expect("nobody has it");
    until(async || health().await == one).await;
    assert_eq!(told(fallen).await, both(true));
    assert_eq!(told(other).await.0, json!(false), "of another event");
    let unknown = fixture.send(TestRequest::post().uri("/buy/999999")).await;
    is_refused(&unknown, 404, "not_found");
    assert_eq!(get(&fixture, "/metrics").await.is(200)["fallbackActivations"], 1);
    world.fallbacks.give_back(fallen, LEASE.by).await.unwrap();
    until(async || health().await == none).await;
    assert_eq!(told(fallen).await, both(false));
    assert_eq!(get(&fixture, "/metrics").await.is(200)["fallbackActivations"], 1);
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let seen = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), seen).await.expect("it is told");
}

#[actix_web::test]
async fn figures_are_the_ledgers_whichever_process_answers() {
    let fixture = Fixture::new().await;
    open(&fixture);
    let (first, second) = (free(&fixture, 5).await.id, free(&fixture, 2).await.id);
    buy(&fixture, first).await.is(200);
    let other = fixture.another_gateway().await;
    let figures = |calls: Calls, accept: &'static str| {
        calls(TestRequest::get().uri("/metrics").insert_header(("Accept", accept)))
    };
    let wanted = json!({
        "ticketsSold": { first.to_string(): 1, second.to_string(): 0 },
        "ticketsRemaining": { first.to_string(): 4, second.to_string(): 2 },
        "fallbackActivations": 0, "errors": 0,
    });
    assert_eq!(figures(other.clone(), "*/*").await.is(200), wanted);
    let scraped =
        figures(other, "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1").await;
    assert_eq!(scraped.headers.get("content-type").unwrap(), "text/plain; version=0.0.4; charset=utf-8");
    let lines = String::from_utf8(scraped.bytes).unwrap();
    assert!(lines.contains(&format!("tickets_sold{{eventId=\"{first}\"}} 1\n")), "{lines}");
    assert!(lines.contains(&format!("tickets_remaining{{eventId=\"{second}\"}} 2\n")), "{lines}");
}

#[actix_web::test]
async fn it_says_which_parts_answer() {
    let fixture = Fixture::new().await;
    let answer = fixture.lifecycle.soft.clone();
    let running = fixture.gateway.clone();
    let runs = rt::spawn(async move { running.run().await });
    while fixture.gateway.problems().contains(&"ledger") {
        rt::task::yield_now().await;
    }
    let health = get(&fixture, "/health").await.is(200);
    assert_eq!(health["data"]["parts"], json!({ "turnstile": true, "ledger": true, "queue": true }));
    assert_eq!(health["data"]["fallback"], json!({ "active": false, "events": [] }));
    answer.cancel();
    runs.await.unwrap();
    let away = Fixture::without_ledger().await;
    assert_eq!(get(&away, "/health").await.is(503)["data"]["parts"]["ledger"], false);
    is_refused(&get(&away, "/events").await, 503, "unavailable");
    assert_eq!(away.send(TestRequest::get().uri("/health")).await.is(503)["message"], "degraded");
}

#[actix_web::test]
async fn operators_count_and_remove_tickets() {
    let fixture = Fixture::new().await;
    open(&fixture);
    let sale = free(&fixture, 5).await.id;
    let url = text(&buy(&fixture, sale).await.is(200), "/data/url").to_owned();
    let pdf = get(&fixture, &url).await.bytes;
    let operator = fixture.operator();
    assert_eq!(fixture.get("/admin/pdf-stats", &operator).await.is(200)["data"]["count"], 1);
    let seeded = fixture.post("/admin/seed-fallback", &operator, &json!({})).await.is(200);
    assert_eq!(seeded["data"]["ticketsRemaining"], json!({ sale.to_string(): 4 }));
    // The archive's time is the machine's.
    fixture.clock.advance_ms(100 * 365 * 86_400_000);
    let now = fixture.world.clock.now();
    let token = fixture.keys.sign_access(BuyerId(1_000_000), Role::Owner, now, 86_400_000);
    let removed = fixture.post("/admin/cleanup-tickets", &token, &json!({})).await.is(200);
    assert_eq!((&removed["data"]["removed"], &removed["data"]["more"]), (&json!(1), &json!(false)));
    assert_eq!(get(&fixture, &url).await.bytes, pdf, "it is printed again");
}

/// Whoever asks too often reaches neither queue nor ledger.
#[actix_web::test]
async fn a_network_asks_for_so_many_purchases() {
    let fixture = Fixture::new().await;
    open(&fixture);
    let sale = free(&fixture, 9).await.id;
    let calls = fixture.box_office_with(Settings { calls_max: 2, ..Settings::default() }).await;
    let from = |host: u8, request: TestRequest| request.peer_addr(([203, 0, 113, host], 1_000).into());
    let first = calls(from(1, order(sale))).await.is(200);
    assert_eq!(calls(from(1, TestRequest::get().uri(text(&first, "/data/url")))).await.status, 200);
    is_refused(&calls(from(1, order(sale))).await, 429, "too_many_requests");
    is_refused(&calls(from(1, TestRequest::get().uri(text(&first, "/data/url")))).await, 429, "too_many_requests");
    calls(from(2, order(sale))).await.is(200);
    fixture.clock.advance_ms(30_000);
    calls(from(1, order(sale))).await.is(200);
    is_refused(&calls(from(1, order(sale))).await, 429, "too_many_requests");
    assert_eq!(fixture.orders_and_captures(sale).await.0, 3);
}

#[actix_web::test]
async fn a_card_at_the_box_office_has_its_length() {
    let fixture = Fixture::new().await;
    open(&fixture);
    let sale = fixture.sale(1, 0).await.id;
    let pays = |length: usize| fixture.send(order(sale).set_json(json!({ "card": "c".repeat(length) })));
    pays(101).await.blames(400, "card");
    assert_ne!(pays(100).await.status, 400);
}
