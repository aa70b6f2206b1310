//! Receipts in the shop: printed once, kept, handed to their buyers only, and printed again where they are lost.

use std::time::Duration;

use miaosha::adapters::folder::FolderArchive;
use miaosha::app::receipts;
use miaosha::app::receipts::fonts::Fonts;
use miaosha::app::receipts::keys::PublicKeys;
use miaosha::app::receipts::pdf::render;
use miaosha::app::receipts::token::verify;
use miaosha::domain::money::order::Order;
use miaosha::domain::people::Role;
use miaosha::domain::receipts::archive_key;
use miaosha::domain::shared::event::{Event, Fact, Purchase};
use miaosha::domain::shared::id::ReservationId;
use miaosha::domain::shared::locale::Locale;
use miaosha::ports::platform::archive::Archive;

use serde_json::{Value, json};

use super::fixture::{Fixture, OFFSET};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_buyer_gets_the_receipt_and_nobody_else_does
    a_receipt_is_in_its_buyers_language
    the_keys_are_for_everybody
    what_is_paid_for_is_printed_by_itself
    a_press_stopped_anywhere_prints_the_same_bytes_again
}

impl Fixture {
    /// Bought and paid for.
    pub async fn order(&self, buyer: u64, quantity: u8) -> (ReservationId, Order) {
        let sale = self.sale(8, 0).await;
        self.order_of(sale.id, buyer, quantity).await
    }

    pub async fn order_of(
        &self,
        sale: miaosha::domain::shared::id::SaleId,
        buyer: u64,
        quantity: u8,
    ) -> (ReservationId, Order) {
        let id = self.attempt(sale, buyer, quantity).await;
        let token = self.checkout_token(sale, buyer).await;
        let order = self.check_out(buyer, &token, "ok").await.is(201);
        let number = order["order_number"].as_str().unwrap();
        (id, self.world.orders.order(number).await.unwrap().unwrap())
    }

    async fn kept(&self) -> Vec<String> {
        let kept = self.world.archive.list("", None, 100).await.unwrap();
        kept.into_iter().map(|kept| kept.key).collect()
    }
}

fn paid(id: ReservationId, order: &Order, occasion: u128) -> Event {
    let fact = Purchase {
        order: order.number.clone(),
        reservation: id,
        sale: order.sale,
        buyer: order.buyer,
        units: order.units.clone(),
        amount: order.amount,
    };
    Event::new(Fact::OrderPaid(fact), occasion, START)
}

async fn a_buyer_gets_the_receipt_and_nobody_else_does(fixture: Fixture) {
    let (_, order) = fixture.order(7, 3).await;
    let path = format!("/v1/orders/{}/receipt.pdf", order.number);
    fixture.get(&path, &fixture.shopper(8)).await.is_problem(404, "not_found");
    fixture.get(&path, &fixture.operator()).await.is_problem(404, "not_found");
    fixture.get("/v1/orders/0000-0000-0000/receipt.pdf", &fixture.shopper(7)).await.is_problem(404, "not_found");
    fixture.send(fixture.request(actix_web::http::Method::GET, &path, None)).await.is_problem(401, "unauthorized");
    assert_eq!(fixture.kept().await, [""; 0]);

    let answer = fixture.get(&path, &fixture.shopper(7)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers.get("content-type").unwrap(), "application/pdf");
    assert!(answer.headers.get("cache-control").unwrap().to_str().unwrap().contains("no-store"));
    assert!(answer.bytes.starts_with(b"%PDF-"));
    assert_eq!(fixture.kept().await, [archive_key(&order, Locale::En)]);
    assert_eq!(fixture.get(&path, &fixture.shopper(7)).await.bytes, answer.bytes);
    assert_eq!(fixture.receipts.pdf_of(&order).await.unwrap(), answer.bytes);

    let tickets = fixture.get(&format!("/v1/orders/{}/tickets", order.number), &fixture.shopper(7)).await.is(200);
    fixture
        .get(&format!("/v1/orders/{}/tickets", order.number), &fixture.shopper(8))
        .await
        .is_problem(404, "not_found");
    let units = tickets["units"].as_array().unwrap();
    assert_eq!(units.len(), 3);
    for (unit, number) in units.iter().zip(&order.units) {
        let proof = verify(unit["token"].as_str().unwrap(), fixture.receipts.keys().public()).unwrap();
        assert_eq!((proof.unit, proof.sale, proof.reservation), (*number, order.sale, order.reservation));
        assert!(unit["qr_svg"].as_str().unwrap().starts_with("<svg "));
        assert_eq!(unit["state"], "valid");
    }
}

/// The one that they have when it is asked for; a letter carries the same, and who goes leaves none.
async fn a_receipt_is_in_its_buyers_language(fixture: Fixture) {
    let account = fixture
        .world
        .accounts
        .create_account("陳美玲", "chen@example.org", "", Role::Shopper, Locale::ZhTw, None)
        .await
        .unwrap();
    let (_, order) = fixture.order(account.unwrap().id.0, 1).await;
    let path = format!("/v1/orders/{}/receipt.pdf", order.number);
    let asked = fixture.get(&path, &fixture.shopper(order.buyer.0)).await;
    assert_eq!((asked.status.as_u16(), fixture.kept().await), (200, vec![archive_key(&order, Locale::ZhTw)]));
    let sheet = fixture.receipts.sheet(&order).await.unwrap();
    assert_eq!((sheet.locale, sheet.utc_offset_minutes), (Locale::ZhTw, OFFSET));
    assert_eq!(asked.bytes, render(&sheet, Fonts::get()).unwrap());
    let letter = fixture.receipts.for_mail().receipt(&order.number).await.unwrap().unwrap();
    assert_eq!((letter.key, letter.bytes), (archive_key(&order, Locale::ZhTw), asked.bytes.to_vec()));
    let english = archive_key(&order, Locale::En);
    fixture.world.archive.put(&english, b"of another time".to_vec()).await.unwrap();
    fixture.receipts.forget(&order.number).await.unwrap();
    assert_eq!(fixture.kept().await, [""; 0]);
}

async fn the_keys_are_for_everybody(fixture: Fixture) {
    let ask = |tag: Option<String>| {
        let request = fixture.request(actix_web::http::Method::GET, "/v1/keys", None);
        fixture.send(match tag {
            Some(tag) => request.insert_header(("If-None-Match", tag)),
            None => request,
        })
    };
    let answer = ask(None).await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers.get("cache-control").unwrap().to_str().unwrap().contains("max-age"));
    let tag = answer.headers.get("etag").unwrap().to_str().unwrap().to_owned();
    let keys = PublicKeys::from_json(&answer.body.to_string()).unwrap();
    assert_eq!(&keys, fixture.receipts.keys().public());
    let again = ask(Some(format!("\"other\", {tag}"))).await;
    assert_eq!((again.status.as_u16(), again.bytes.len()), (304, 0));
    assert_eq!(ask(Some("\"other\"".into())).await.status, 200);
}

async fn what_is_paid_for_is_printed_by_itself(fixture: Fixture) {
    let listening = tokio::spawn(fixture.receipts.clone().run(fixture.lifecycle.clone()));
    let (id, order) = fixture.order(7, 1).await;
    let event = paid(id, &order, 1);
    // Twice: nothing is the worse for it.
    fixture.world.events.publish_events(&[event.clone(), event]).await.unwrap();
    until(async || fixture.kept().await == [archive_key(&order, Locale::En)]).await;
    let printed = fixture.world.archive.get(&archive_key(&order, Locale::En)).await.unwrap().unwrap();
    assert!(printed.starts_with(b"%PDF-"));
    fixture.lifecycle.soft.cancel();
    listening.await.unwrap();
    let stats = fixture.receipts.stats().await.unwrap();
    assert_eq!((stats.count, stats.made, stats.waiting), (1, 1, 0));
}

/// Killed between the press and the archive, and between the archive and the acknowledgement: the event comes again, and so do the
/// same bytes, once.
async fn a_press_stopped_anywhere_prints_the_same_bytes_again(fixture: Fixture) {
    let (id, order) = fixture.order(7, 2).await;
    let expected = fixture.receipts.pdf_of(&order).await.unwrap();
    for (occasion, point) in [(1, receipts::AFTER_PRESS), (2, receipts::AFTER_ARCHIVE)] {
        fixture.world.events.publish_events(&[paid(id, &order, occasion)]).await.unwrap();
        fixture.receipts.forget(&order.number).await.unwrap();
        assert_eq!(fixture.kept().await, [""; 0]);
        let stop = fixture.stops.arm(point);
        let killed = tokio::spawn(fixture.receipts.clone().run(fixture.lifecycle.clone()));
        tokio::time::timeout(Duration::from_secs(30), stop.reached()).await.expect("nobody reached it");
        let kept = fixture.kept().await.len();
        assert_eq!(kept, usize::from(point == receipts::AFTER_ARCHIVE), "{point:?}");
        killed.abort();
        let _ = killed.await;
        let lifecycle = miaosha::kit::work::lifecycle::Lifecycle::new();
        let again = tokio::spawn(fixture.receipts.clone().run(lifecycle.clone()));
        until(async || fixture.kept().await.len() == 1).await;
        lifecycle.soft.cancel();
        again.await.unwrap();
        assert_eq!(fixture.world.archive.get(&archive_key(&order, Locale::En)).await.unwrap().unwrap(), expected);
        assert_eq!(fixture.receipts.stats().await.unwrap().count, 1);
    }
}

/// Polls what other tasks bring about.
async fn until(mut seen: impl AsyncFnMut() -> bool) {
    let waited = async {
        while !seen().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waited).await.expect("it never came about");
}

#[actix_web::test]
async fn of_many_who_ask_at_once_one_prints() {
    let fixture = Fixture::new().await;
    let (_, order) = fixture.order(7, 2).await;
    let asked = futures_util::future::join_all((0..20).map(|_| fixture.receipts.pdf_of(&order))).await;
    let first = asked[0].clone().unwrap();
    assert!(asked.into_iter().all(|pdf| pdf.unwrap() == first));
    assert_eq!(fixture.receipts.stats().await.unwrap().made, 1);
}

/// Where a folder is due there is a file: nothing can be kept. It is tried again until it can be.
#[actix_web::test]
async fn an_archive_that_takes_nothing_is_tried_again() {
    let fixture = Fixture::new().await;
    let (id, order) = fixture.order(7, 1).await;
    let blocked = fixture.folder.path().join("archive");
    std::fs::write(&blocked, b"in the way").unwrap();
    let fault = fixture.receipts.pdf_of(&order).await.unwrap_err();
    assert_eq!(fault.part, "archive");
    let path = format!("/v1/orders/{}/receipt.pdf", order.number);
    fixture.get(&path, &fixture.shopper(7)).await.is_problem(503, "unavailable");

    fixture.world.events.publish_events(&[paid(id, &order, 1)]).await.unwrap();
    let listening = tokio::spawn(fixture.receipts.clone().run(fixture.lifecycle.clone()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    std::fs::remove_file(&blocked).unwrap();
    until(async || fixture.kept().await == [archive_key(&order, Locale::En)]).await;
    fixture.lifecycle.soft.cancel();
    listening.await.unwrap();
}

#[actix_web::test]
async fn operators_see_what_is_kept_and_clear_what_is_old() {
    let fixture = Fixture::new().await;
    let stats = async || fixture.get("/v1/admin/receipts/stats", &fixture.operator()).await.is(200);
    let empty = json!({ "count": 0, "bytes": 0, "oldest_at": null, "newest_at": null, "made": 0, "waiting": 0 });
    assert_eq!(stats().await, empty);
    let sale = fixture.sale(8, 0).await;
    let mut bytes = 0;
    for buyer in 1..=5 {
        let (_, order) = fixture.order_of(sale.id, buyer, 1).await;
        bytes += fixture.receipts.pdf_of(&order).await.unwrap().len();
        // Kept an hour after each other, the last one at START.
        let at = std::time::UNIX_EPOCH + Duration::from_millis((START.0 - (5 - buyer as i64) * 3_600_000) as u64);
        let file = fixture.folder.path().join("archive").join(archive_key(&order, Locale::En));
        std::fs::File::options().write(true).open(file).unwrap().set_modified(at).unwrap();
    }
    let all = stats().await;
    assert_eq!((&all["count"], &all["bytes"], &all["made"]), (&json!(5), &json!(bytes), &json!(5)));
    assert_eq!((&all["newest_at"], &all["oldest_at"]), (&json!(START.0), &json!(START.0 - 4 * 3_600_000)));

    let clean = async |hours: Value| {
        fixture.post("/v1/admin/receipts/cleanup", &fixture.operator(), &json!({ "older_than_hours": hours })).await
    };
    assert_eq!(clean(json!(4)).await.is(200)["removed"], 0);
    assert_eq!(clean(json!(3)).await.is(200)["removed"], 1);
    // Three at a time, as the fixture is set.
    fixture.clock.advance_ms(1);
    let cleaned = clean(json!(0)).await.is(200);
    assert_eq!((&cleaned["removed"], &cleaned["more"]), (&json!(3), &json!(true)));
    assert!(cleaned["bytes"].as_u64().unwrap() > 1_000);
    let cleaned = clean(json!(0)).await.is(200);
    assert_eq!((&cleaned["removed"], &cleaned["more"]), (&json!(1), &json!(false)));
    assert_eq!(stats().await["count"], 0);

    clean(json!(-1)).await.blames(400, "older_than_hours");
    clean(json!(10_000_000)).await.blames(400, "older_than_hours");
    clean(json!("all")).await.blames(400, "older_than_hours");
    fixture.get("/v1/admin/receipts/stats", &fixture.shopper(7)).await.is_problem(403, "forbidden");
    let body = json!({ "older_than_hours": 1 });
    fixture.post("/v1/admin/receipts/cleanup", &fixture.shopper(7), &body).await.is_problem(403, "forbidden");
}

/// A gateway of another process finds what this one kept.
#[actix_web::test]
async fn what_is_kept_is_not_printed_again() {
    let fixture = Fixture::new().await;
    let (_, order) = fixture.order(7, 1).await;
    let other = FolderArchive::new(&fixture.folder.path().join("archive"));
    other.put(&archive_key(&order, Locale::En), b"%PDF- kept by somebody".to_vec()).await.unwrap();
    let answer = fixture.get(&format!("/v1/orders/{}/receipt.pdf", order.number), &fixture.shopper(7)).await;
    assert_eq!(answer.bytes, b"%PDF- kept by somebody");
    assert_eq!(fixture.receipts.stats().await.unwrap().made, 0);
}
