//! What operators take home: lists that are whole or seen to be broken, harmless in a spreadsheet, and a report that adds up.

use std::collections::BTreeSet;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, Version};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpServer};
use futures_util::future::{LocalBoxFuture, poll_fn};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use miaosha::domain::people::Role;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::front::Settings;
use miaosha::kit::http::answers;
use miaosha::wire::gateway::routes;
use serde_json::{Value, json};

use super::fixture::{Fixture, HOLD_MS, settings};
use crate::support::clock::START;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(super) fn path(sale: SaleId, list: &str) -> String {
    format!("/v1/admin/sales/{sale}/exports/{list}.csv")
}

/// The gateway's answers before their bodies are read.
pub(super) async fn service(
    fixture: &Fixture,
) -> impl Fn(TestRequest) -> LocalBoxFuture<'static, ServiceResponse<BoxBody>> {
    let gateway = fixture.gateway.clone();
    let app = answers::app().configure(|cfg| routes(cfg, gateway));
    let app = Rc::new(init_service(app).await);
    move |request| {
        let app = app.clone();
        Box::pin(async move { app.call(request.to_request()).await.unwrap().map_into_boxed_body() })
    }
}

async fn pieces(response: ServiceResponse<BoxBody>) -> Result<Vec<Vec<u8>>, String> {
    let mut body = Box::pin(response.into_body());
    let mut pieces = Vec::new();
    while let Some(piece) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
        pieces.push(piece.map_err(|error| error.to_string())?.to_vec());
    }
    Ok(pieces)
}

async fn list(fixture: &Fixture, sale: SaleId, list: &str) -> Vec<u8> {
    let call = service(fixture).await;
    let response = call(fixture.request(Method::GET, &path(sale, list), Some(&fixture.operator()))).await;
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(response.headers().get("content-type").unwrap(), "text/csv; charset=utf-8; header=present");
    let name = format!("attachment; filename=\"sale-{sale}-{list}.csv\"");
    assert_eq!(response.headers().get("content-disposition").unwrap(), name.as_str());
    pieces(response).await.unwrap().concat()
}

/// As another program reads it: the header's names, and the rows by them.
fn rows(file: &[u8]) -> Vec<Value> {
    let text = file.strip_prefix(BYTE_ORDER_MARK).expect("spreadsheets are told that this is UTF-8");
    let mut reader = csv::ReaderBuilder::new().from_reader(text);
    let names = reader.headers().unwrap().clone();
    let row =
        |row: csv::StringRecord| names.iter().zip(&row).map(|(name, field)| (name.to_owned(), json!(field))).collect();
    reader.into_records().map(|record| row(record.unwrap())).collect()
}

async fn account(fixture: &Fixture, name: &str, email: &str) -> u64 {
    fixture
        .world
        .accounts
        .create_account(name, email, "hash", Role::Shopper, Locale::En, None)
        .await
        .unwrap()
        .unwrap()
        .id
        .0
}

async fn buys(fixture: &Fixture, sale: SaleId, buyer: u64, quantity: u8) {
    fixture.attempt(sale, buyer, quantity).await;
    let token = fixture.checkout_token(sale, buyer).await;
    fixture.check_out(buyer, &token, "ok").await.is(201);
}

/// The admissions, by unit; a gate's name is text, too.
async fn whoever_came_in_is_listed(fixture: Fixture) {
    let sale = fixture.sale(20, 5).await.id;
    buys(&fixture, sale, 1, 3).await;
    let orders = fixture.get("/v1/orders", &fixture.shopper(1)).await.is(200);
    let number = orders[0]["order_number"].as_str().unwrap();
    let tickets = fixture.get(&format!("/v1/orders/{number}/tickets"), &fixture.shopper(1)).await.is(200);
    assert_eq!(rows(&list(&fixture, sale, "check-ins").await), Vec::<Value>::new());
    for unit in tickets["units"].as_array().unwrap().iter().take(2) {
        let body = json!({ "sale_id": sale, "token": unit["token"], "gate": "=North" });
        fixture.post("/v1/check-ins", &fixture.operator(), &body).await.is(201);
    }
    let rows = rows(&list(&fixture, sale, "check-ins").await);
    let seen: Vec<_> = rows.iter().map(|row| (row["unit"].as_str().unwrap(), row["gate"].as_str().unwrap())).collect();
    assert_eq!(seen, [("1", "'=North"), ("2", "'=North")]);
}

/// Names that are formulas, quotes, commas, line ends and Chinese; and a buyer without an account.
async fn lists_are_read_as_they_were_meant(fixture: Fixture) {
    let sale = fixture.sale(20, 5).await.id;
    let names = ["=1+1", "+1", "-1", "@x", "\ttab", "\rcr", "王小明", "O\"Hara, Ann", "two\nlines", "it's = fine"];
    let mut buyers = Vec::new();
    for (number, name) in names.iter().enumerate() {
        buyers.push(account(&fixture, name, &format!("+buyer{number}@example.org")).await);
    }
    for &buyer in &buyers {
        buys(&fixture, sale, buyer, 1).await;
    }
    fixture.attempt(sale, 900_001, 2).await;
    let file = list(&fixture, sale, "orders").await;
    assert!(file.ends_with(b"\r\n") && file.windows(2).filter(|two| two == b"\r\n").count() == 11, "ends of lines");
    let mut orders = rows(&file);
    orders.sort_by_key(|row| row["buyer"].as_str().unwrap().parse::<u64>().unwrap());
    let harmless =
        ["'=1+1", "'+1", "'-1", "'@x", "'\ttab", "'\rcr", "王小明", "O\"Hara, Ann", "two\nlines", "it's = fine"];
    assert_eq!(orders.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), harmless);
    let first = &orders[0];
    assert_eq!((&first["email"], &first["quantity"]), (&json!("'+buyer0@example.org"), &json!("1")));
    assert_eq!(
        (&first["amount_minor"], &first["currency"], &first["refunded"]),
        (&json!("250"), &json!("TWD"), &json!("no"))
    );
    let amounts = ["amount", "refunded_amount", "refunded_minor"].map(|name| first[name].as_str().unwrap());
    assert_eq!(amounts, ["2.50", "0.00", "0"]);
    assert_eq!(first["placed_at"], "2026-01-01T00:00:00.000Z");
    let number = fixture.get("/v1/orders", &fixture.shopper(buyers[0])).await.is(200)[0]["order_number"].clone();
    assert_eq!(first["order"], number);

    let reservations = rows(&list(&fixture, sale, "reservations").await);
    assert_eq!(reservations.len(), 11);
    let stranger = reservations.iter().find(|row| row["buyer"] == "900001").unwrap();
    assert_eq!((&stranger["name"], &stranger["email"]), (&json!(""), &json!("")), "the account is gone");
    assert_eq!((&stranger["state"], &stranger["quantity"]), (&json!("held"), &json!("2")));
    assert_eq!(stranger["units"].as_str().unwrap().split(' ').count(), 2);
    assert_eq!(stranger["lapses_at"], "2026-01-01T00:01:00.000Z");
}

async fn an_empty_sale_has_headers_and_an_empty_report(fixture: Fixture) {
    let sale = fixture.sale(3, 0).await.id;
    for name in ["orders", "reservations"] {
        let file = list(&fixture, sale, name).await;
        assert!(rows(&file).is_empty());
        assert_eq!(file.iter().filter(|&&byte| byte == b'\n').count(), 1);
    }
    let report = fixture.get(&format!("/v1/admin/sales/{sale}/report"), &fixture.operator()).await.is(200);
    assert_eq!(
        report["attempts"],
        json!({
            "accepted": 0, "taken": 0, "standby": 0, "already": 0, "refused": 0, "first_at": null, "last_at": null,
        })
    );
    assert_eq!((&report["decided_within_ms"], &report["orders"]["placed"]), (&Value::Null, &json!(0)));
    assert_eq!(report["orders"]["gross"], json!({ "minor": 0, "currency": "TWD", "decimals": 2 }));
}

/// A batch that was made at this time, decided.
async fn decide(fixture: &Fixture, sale: SaleId, made_at: u64, attempts: Vec<Attempt>) {
    let batch = Batch { id: BatchId::new(made_at, getrandom::u64().unwrap()), sale, attempts, traced: Vec::new() };
    fixture.decide(batch).await;
}

fn one_each(buyers: std::ops::Range<u64>) -> Vec<Attempt> {
    buyers.map(|buyer| Attempt { buyer: BuyerId(buyer), quantity: 1, waits: true }).collect()
}

async fn crowd(fixture: &Fixture, sale: SaleId, count: u64) {
    for first in (1..=count).step_by(500) {
        decide(fixture, sale, START.0 as u64, one_each(first..(first + 500).min(count + 1))).await;
    }
}

/// Every row once, and never more than a page in one piece.
async fn a_long_list_travels_in_pages(fixture: Fixture) {
    const ROWS: u64 = 10_700;
    let sale = fixture.sale(6_000, 6_000).await.id;
    crowd(&fixture, sale, ROWS).await;
    let call = service(&fixture).await;
    let request = fixture.request(Method::GET, &path(sale, "reservations"), Some(&fixture.operator()));
    let pieces = pieces(call(request).await).await.unwrap();
    let page = settings().export_rows_max as usize;
    assert_eq!(pieces.len(), (ROWS as usize).div_ceil(page));
    for piece in &pieces {
        assert!(piece.iter().filter(|&&byte| byte == b'\n').count() <= page + 1);
    }
    let rows = rows(&pieces.concat());
    let ids: BTreeSet<&str> = rows.iter().map(|row| row["reservation"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (ROWS as usize, ROWS as usize));
}

/// Times of four batches, and each outcome, one of each way a reservation can go.
async fn a_report_adds_up(fixture: Fixture) {
    let sale = fixture.sale(6, 2).await.id;
    let made_at = START.0 as u64;
    fixture.clock.advance_ms(10);
    decide(&fixture, sale, made_at, one_each(1..5)).await;
    fixture.clock.advance_ms(190);
    let twice = Attempt { buyer: BuyerId(1), quantity: 1, waits: true };
    decide(&fixture, sale, made_at + 100, vec![twice, Attempt { buyer: BuyerId(5), quantity: 2, waits: true }]).await;
    decide(&fixture, sale, made_at + 999_999, one_each(6..10)).await;
    for buyer in [1, 2] {
        let token = fixture.checkout_token(sale, buyer).await;
        fixture.check_out(buyer, &token, "ok").await.is(201);
    }
    let orders = fixture.get("/v1/orders", &fixture.shopper(2)).await.is(200);
    let path = format!("/v1/admin/orders/{}/refunds", orders[0]["order_number"].as_str().unwrap());
    fixture.post(&path, &fixture.operator(), &json!({})).await.is(201);
    fixture.delete(&format!("/v1/sales/{sale}/reservation"), &fixture.shopper(3)).await.is(200);
    fixture.clock.advance_ms(HOLD_MS);
    let due = fixture.world.reservations.reservation_of(sale, BuyerId(4)).await.unwrap().unwrap();
    fixture.world.sweeping.lapse(sale, &[due.id], fixture.world.clock.now()).await.unwrap();

    let report = fixture.get(&format!("/v1/admin/sales/{sale}/report"), &fixture.operator()).await.is(200);
    assert_eq!(
        report["attempts"],
        json!({
            "accepted": 10, "taken": 5, "standby": 2, "already": 1, "refused": 2,
            "first_at": made_at, "last_at": made_at + 999_999,
        })
    );
    // Four in 0 ms, since their publisher's clock ran ahead; four in 10 ms, two in 100.
    assert_eq!(report["decided_within_ms"], json!({ "p50": 10, "p90": 100, "p99": 100, "max": 100 }));
    let reservations = |status: &str, expected: (u64, u64)| {
        let found = &report["reservations"][status];
        assert_eq!(
            (found["reservations"].as_u64(), found["units"].as_u64()),
            (Some(expected.0), Some(expected.1)),
            "{status}"
        );
    };
    for (status, expected) in [
        ("standby", (2, 2)),
        ("held", (1, 2)),
        ("paying", (0, 0)),
        ("confirmed", (1, 1)),
        ("lapsed", (1, 1)),
        ("cancelled", (1, 1)),
        ("ended", (0, 0)),
        ("refunded", (1, 1)),
    ] {
        reservations(status, expected);
    }
    let twd = |minor: i64| json!({ "minor": minor, "currency": "TWD", "decimals": 2 });
    assert_eq!(
        report["orders"],
        json!({
            "placed": 2, "placed_units": 2, "refunded": 1, "refunded_units": 1, "sold_units": 1,
            "gross": twd(500), "refunds": twd(250), "net": twd(250),
            "refunds_by_state": {
                "due": { "refunds": 1, "amount": twd(250) },
                "sent": { "refunds": 0, "amount": twd(0) },
                "done": { "refunds": 0, "amount": twd(0) },
                "failed": { "refunds": 0, "amount": twd(0) },
                "settled": { "refunds": 0, "amount": twd(0) },
            },
        })
    );
    assert_eq!((&report["title"], &report["capacity"]), (&json!("A lamp"), &json!(6)));
}

async fn what_cannot_be_listed_is_said(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await.id;
    for tail in ["exports/orders.csv", "exports/reservations.csv", "report"] {
        let of = |sale: u64| format!("/v1/admin/sales/{sale}/{tail}");
        fixture.get(&of(sale.0 + 1), &fixture.operator()).await.is_problem(404, "not_found");
        fixture.get(&of(u64::MAX), &fixture.operator()).await.is_problem(404, "not_found");
        fixture.get(&format!("/v1/admin/sales/x/{tail}"), &fixture.operator()).await.blames(400, "id");
        fixture.post(&of(sale.0), &fixture.operator(), &json!({})).await.is_problem(405, "method_not_allowed");
    }
    let old = fixture.request(Method::GET, &path(sale, "orders"), Some(&fixture.operator())).version(Version::HTTP_10);
    fixture.send(old).await.is_problem(400, "invalid");
}

super::over_both! {
    whoever_came_in_is_listed
    lists_are_read_as_they_were_meant
    an_empty_sale_has_headers_and_an_empty_report
    a_long_list_travels_in_pages
    a_report_adds_up
    what_cannot_be_listed_is_said
}

#[actix_web::test]
async fn a_ledger_that_is_away_is_no_empty_file() {
    let fixture = Fixture::without_ledger().await;
    for tail in ["exports/orders.csv", "report"] {
        fixture.get(&format!("/v1/admin/sales/1/{tail}"), &fixture.operator()).await.is_problem(503, "unavailable");
    }
}

#[actix_web::test]
async fn so_many_lists_are_made_at_once() {
    let fixture = Fixture::with(Settings { exports_max: 1, export_rows_max: 1, ..settings() }).await;
    let sale = fixture.sale(9, 0).await.id;
    crowd(&fixture, sale, 3).await;
    let call = service(&fixture).await;
    let request = || fixture.request(Method::GET, &path(sale, "reservations"), Some(&fixture.operator()));
    let first = call(request()).await;
    assert_eq!(first.status().as_u16(), 200);
    fixture.send(request()).await.is_problem(503, "busy");
    drop(first);
    assert_eq!(pieces(call(request()).await).await.unwrap().len(), 3);
    assert_eq!(fixture.send(request()).await.status.as_u16(), 200, "who is done makes room");
}

/// Reads a whole body over a real connection, or says how it broke off.
async fn over_the_wire(port: u16, path: &str, token: &str) -> (u16, Result<Vec<u8>, String>) {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = hyper::Request::get(path)
        .header("host", "localhost")
        .header("authorization", format!("Bearer {token}"))
        .body(http_body_util::Empty::<hyper::body::Bytes>::new())
        .unwrap();
    let response = sender.send_request(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await;
    connection.abort();
    (status, body.map(|body| body.to_bytes().to_vec()).map_err(|error| error.to_string()))
}

/// The last page has a row that cannot be read: a client that has the others sees that the list is not whole.
#[actix_web::test]
async fn a_list_that_breaks_off_breaks_the_connection() {
    let fixture = Fixture::with(Settings { export_rows_max: 10, ..settings() }).await;
    let sale = fixture.sale(100, 0).await.id;
    crowd(&fixture, sale, 35).await;
    let gateway = fixture.gateway.clone();
    let server = HttpServer::new(move || App::new().configure(|cfg| routes(cfg, gateway.clone())))
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
    let port = server.addrs()[0].port();
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let path = path(sale, "reservations");
    let (status, body) = over_the_wire(port, &path, &fixture.operator()).await;
    assert_eq!((status, rows(&body.unwrap()).len()), (200, 35));
    fixture.spoil("UPDATE reservations SET state = 99 WHERE buyer = 35").await;
    let (status, body) = over_the_wire(port, &path, &fixture.operator()).await;
    assert_eq!(status, 200);
    assert!(body.is_err(), "half a list looks like the whole");
    let (_, body) = over_the_wire(port, &path.replace("reservations", "orders"), &fixture.operator()).await;
    assert!(rows(&body.unwrap()).is_empty(), "the others go on");
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
