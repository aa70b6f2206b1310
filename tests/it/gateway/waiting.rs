//! Long polls: a buyer who waits is told, and what is there already is answered at once.
//!
//! The waits below are far longer than any test may take: who comes back was told.

use std::pin::pin;
use std::time::Duration;

use actix_web::rt;
use futures_util::poll;
use miaosha::domain::sale::attempt::{Attempt, Batch};
use miaosha::domain::sale::notice::Notice;
use miaosha::domain::shared::id::{AttemptId, BatchId, BuyerId, SaleId};
use miaosha::faces::front::Settings;
use serde_json::json;

use super::fixture::{Fixture, settings};
use crate::support::clock::START;

/// A fixture whose gateway receives notices.
async fn hearing() -> Fixture {
    let fixture = Fixture::new().await;
    let gateway = fixture.gateway.clone();
    rt::spawn(async move { gateway.run().await });
    until(|| fixture.gateway.problems().is_empty() && fixture.gateway.hears()).await;
    fixture
}

async fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn somebody_waits(fixture: &Fixture) {
    until(|| !fixture.gateway.registry().is_empty()).await;
}

#[actix_web::test]
async fn who_waits_for_an_attempt_is_told_of_its_outcome() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 1).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    // Waits for any reservation of this sale, of which there is none.
    let wait = rt::spawn(fixture.get(&format!("{path}?wait_ms=25000"), &fixture.shopper(7)));
    somebody_waits(&fixture).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    fixture.world.notices.tell(&[Notice::from(&fixture.row(id).await)]).await.unwrap();
    assert_eq!(wait.await.unwrap().is(200)["status"], "held");
    // What is decided already is answered at once.
    let decided = fixture.get(&format!("{path}?attempt={id}&wait_ms=25000"), &fixture.shopper(7)).await.is(200);
    assert_eq!(decided["status"], "held");
    let newer = fixture.get(&format!("{path}?version=0&wait_ms=25000"), &fixture.shopper(7)).await.is(200);
    assert_eq!(newer["version"], 1);
    assert!(fixture.gateway.registry().is_empty());
}

#[actix_web::test]
async fn who_knows_this_version_is_told_of_the_next() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 1).await;
    fixture.attempt(sale.id, 7, 1).await;
    let waiting = fixture.attempt(sale.id, 8, 1).await;
    let path = format!("/v1/sales/{}/reservation?wait_ms=25000&version=1", sale.id);
    let wait = rt::spawn(fixture.get(&path, &fixture.shopper(8)));
    somebody_waits(&fixture).await;
    // Notices of another sale, or of what is known already, end no wait.
    let other = fixture.sale(1, 0).await;
    let elsewhere = fixture.attempt(other.id, 8, 1).await;
    let old = [Notice::from(&fixture.row(elsewhere).await), Notice::from(&fixture.row(waiting).await)];
    fixture.world.notices.tell(&old).await.unwrap();
    // Cancelled in another tab; this gateway notifies all.
    fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(8)).await.is(200);
    let told = wait.await.unwrap().is(200);
    assert_eq!((&told["status"], &told["version"]), (&json!("cancelled"), &json!(2)));
}

#[actix_web::test]
async fn a_checkout_is_told_to_the_buyers_other_tab() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 1).await;
    fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    let path = format!("/v1/sales/{}/reservation?wait_ms=25000", sale.id);
    let wait = rt::spawn(fixture.get(&path, &fixture.shopper(7)));
    somebody_waits(&fixture).await;
    fixture.check_out(7, &token, "ok").await.is(201);
    let told = wait.await.unwrap().is(200);
    assert!(told["version"].as_u64().unwrap() > 1, "{told}");
}

/// A process that could not notify says that something was missed: the requests that wait for that sale look.
#[actix_web::test]
async fn who_waits_looks_when_notices_were_missed() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 0).await;
    let wait = rt::spawn(fixture.get(&format!("/v1/sales/{}/reservation?wait_ms=25000", sale.id), &fixture.shopper(7)));
    somebody_waits(&fixture).await;
    fixture.attempt(sale.id, 7, 1).await;
    fixture.world.notices.missed(sale.id);
    let told = tokio::time::timeout(Duration::from_secs(15), wait).await.expect("long before its wait is over");
    assert_eq!(told.unwrap().is(200)["status"], "held");
}

/// No notice came, and the wait is over: the answer is what the ledger says at that moment.
#[actix_web::test]
async fn who_was_not_told_looks_at_the_end() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 0).await;
    let wait = rt::spawn(fixture.get(&format!("/v1/sales/{}/reservation?wait_ms=300", sale.id), &fixture.shopper(7)));
    somebody_waits(&fixture).await;
    fixture.attempt(sale.id, 7, 1).await;
    assert_eq!(wait.await.unwrap().is(200)["status"], "held");
}

/// Without notices waiting requests look by themselves.
#[actix_web::test]
async fn who_waits_is_not_forgotten_while_no_notices_come() {
    let fixture = Fixture::new().await;
    assert!(!fixture.gateway.hears());
    let sale = fixture.sale(1, 0).await;
    let path = format!("/v1/sales/{}/reservation?wait_ms=25000", sale.id);
    let wait = rt::spawn(fixture.get(&path, &fixture.shopper(7)));
    somebody_waits(&fixture).await;
    fixture.attempt(sale.id, 7, 1).await;
    assert_eq!(wait.await.unwrap().is(200)["status"], "held");
}

#[actix_web::test]
async fn nobody_waits_beyond_the_limits() {
    let settings = Settings { waits_max: 1, ..settings() };
    let fixture = Fixture::with(settings).await;
    let sale = fixture.sale(1, 0).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    let place = fixture.gateway.registry().register(BuyerId(8), SaleId(1)).unwrap();
    fixture.get(&format!("{path}?wait_ms=25000"), &fixture.shopper(7)).await.is_problem(404, "not_found");
    drop(place);
    fixture.get("/v1/sales/99/reservation?wait_ms=25000", &fixture.shopper(7)).await.is_problem(404, "not_found");
    for beyond in ["25001", "-1", "1.5", "x", ""] {
        fixture.get(&format!("{path}?wait_ms={beyond}"), &fixture.shopper(7)).await.blames(400, "wait_ms");
    }
}

#[actix_web::test]
async fn who_waits_takes_a_place_of_the_register() {
    let fixture = Fixture::with(Settings { waits_max: 3, waits_per_buyer_max: 2, ..settings() }).await;
    let places = [7, 7, 7, 8, 9].map(|buyer| fixture.gateway.registry().register(BuyerId(buyer), SaleId(1)));
    assert_eq!(places.map(|place| place.is_ok()), [true, true, false, true, false]);
}

#[actix_web::test]
async fn a_wait_ends_with_its_time_or_with_the_process() {
    let fixture = hearing().await;
    let sale = fixture.sale(1, 0).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    fixture.get(&format!("{path}?wait_ms=1"), &fixture.shopper(7)).await.is_problem(404, "not_found");
    let mut wait = pin!(fixture.get(&format!("{path}?wait_ms=25000"), &fixture.shopper(7)));
    assert!(poll!(&mut wait).is_pending());
    fixture.lifecycle.soft.cancel();
    wait.await.is_problem(404, "not_found");
}

/// A client that was answered 202 a moment ago, and names no time to wait.
#[actix_web::test]
async fn who_names_an_attempt_is_told_what_it_came_to() {
    let fixture = Fixture::with(Settings { attempt_wait_ms: 3_600_000, wait_ms_max: 3_600_000, ..settings() }).await;
    let gateway = fixture.gateway.clone();
    rt::spawn(async move { gateway.run().await });
    until(|| fixture.gateway.problems().is_empty() && fixture.gateway.hears()).await;
    let sale = fixture.sale(1, 0).await;
    let id = BatchId::new(START.0 as u64, 1);
    let attempts = vec![
        Attempt { buyer: BuyerId(7), quantity: 1, waits: true },
        Attempt { buyer: BuyerId(8), quantity: 1, waits: true },
    ];
    let batch = Batch { id, sale: sale.id, attempts, traced: vec![] };
    let path = format!("/v1/sales/{}/reservation", sale.id);
    let of = |attempt: AttemptId, more: &str| format!("{path}?attempt={attempt}{more}");
    // Who says that it will not wait does not, and without an attempt nothing is waited for.
    let now = fixture.get(&of(id.attempt(0), "&wait_ms=0"), &fixture.shopper(7)).await.is(200);
    assert_eq!(now, json!({ "status": "pending" }));
    fixture.get(&path, &fixture.shopper(7)).await.is_problem(404, "not_found");
    let elsewhere = format!("/v1/sales/99/reservation?attempt={}", id.attempt(0));
    fixture.get(&elsewhere, &fixture.shopper(7)).await.is_problem(404, "not_found");

    let waits = [(0, 7), (1, 8)]
        .map(|(index, buyer)| rt::spawn(fixture.get(&of(id.attempt(index), ""), &fixture.shopper(buyer))));
    until(|| fixture.gateway.registry().len() == 2).await;
    fixture.decide(batch).await;
    fixture.world.notices.tell(&[Notice::from(&fixture.row(id.attempt(0).into()).await)]).await.unwrap();
    let [held, refused] = waits;
    // A refusal sends no notice: a request that waits for one looks.
    assert_eq!(held.await.unwrap().is(200)["status"], "held");
    assert_eq!(refused.await.unwrap().is(200), json!({ "status": "refused" }));
}
