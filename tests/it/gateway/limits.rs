//! What a gateway waits for, and how much it reads at once: each at its limit and one above.

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::http::Method;
use futures_util::FutureExt;
use futures_util::future::poll_fn;
use miaosha::app::receipts;
use miaosha::domain::people::TOKEN_MS_MAX;
use miaosha::faces::front::Settings;
use serde_json::json;
use tokio::task::LocalSet;

use super::exports::{path, service};
use super::fixture::{Fixture, settings};
use super::worlds;
use crate::support::clock::START;
use crate::support::held::{Still, Stuck};
use crate::support::watched::{Before, Call};

#[tokio::test(start_paused = true)]
async fn a_capture_may_take_so_long() {
    let (still, stuck) = (Still::new(), Stuck::default());
    let captures = stuck.clone();
    let before: Before = Arc::new(move |call, _| {
        let stuck = captures.clone();
        async move {
            if call == Call::Capture {
                stuck.stay().await
            }
        }
        .boxed()
    });
    let settings = Settings { capture_ms_max: 4_000, ..settings() };
    let checks_out = async {
        let fixture =
            Fixture::make(settings, |folder, clock, stops| worlds::watched(before, folder, clock, stops).boxed_local());
        let fixture = fixture.await;
        let sale = fixture.sale(1, 0).await.id;
        fixture.attempt(sale, 1, 1).await;
        let token = fixture.checkout_token(sale, 1).await;
        let answer = still.leaves_after(4_000, &stuck, fixture.check_out(1, &token, "ok")).await;
        assert_eq!(answer.is(202)["status"], "paying");
    };
    LocalSet::new().run_until(checks_out).await;
}

#[tokio::test(start_paused = true)]
async fn a_buyer_waits_so_long_for_a_receipt() {
    let still = Still::new();
    let asks = async {
        let fixture = Fixture::new().await;
        let (_, order) = fixture.order(1, 1).await;
        let stop = fixture.stops.arm(receipts::AFTER_PRESS);
        let (path, within) = (format!("/v1/orders/{}/receipt.pdf", order.number), 60_000);
        assert_eq!(fixture.receipts.settings().pdf_wait_ms_max, within);
        let answer = still.ends_after(within, stop.reached(), fixture.get(&path, &fixture.shopper(1))).await;
        answer.is_problem(503, "busy");
        stop.go_on();
    };
    LocalSet::new().run_until(asks).await;
}

#[tokio::test(start_paused = true)]
async fn an_export_may_take_so_long() {
    let still = Still::new();
    let reads = async {
        let fixture = Fixture::with(Settings { export_ms_max: 3_000, export_rows_max: 1, ..settings() }).await;
        let sale = fixture.sale(8, 0).await.id;
        for buyer in 1..=5 {
            fixture.attempt(sale, buyer, 1).await;
        }
        let call = service(&fixture).await;
        let request = fixture.request(Method::GET, &path(sale, "reservations"), Some(&fixture.operator()));
        let mut body = Box::pin(call(request).await.into_body());
        for (ms, is_there) in [(0, true), (3_000, true), (1, false)] {
            still.pass(ms).await;
            let piece = poll_fn(|cx| body.as_mut().poll_next(cx)).await.unwrap();
            assert_eq!(piece.is_ok(), is_there, "after {ms} ms more");
        }
    };
    LocalSet::new().run_until(reads).await;
}

/// However long a shop lets its tokens live.
#[actix_web::test]
async fn no_token_lives_longer_than_any_may() {
    for (ttl_ms, lives_ms) in [(-1_000, -1_000), (0, 0), (1_000, 0)].map(|(a, b)| (TOKEN_MS_MAX + a, 86_400_000 + b)) {
        let fixture = Fixture::with(Settings { access_ttl_ms: ttl_ms, ..settings() }).await;
        let body = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
        let welcome = fixture.sign_up(&body).await;
        let (_, until) = fixture.keys.access().verify_until(welcome["access_token"].as_str().unwrap()).unwrap();
        assert_eq!(until.since_ms(START), lives_ms + 6_000, "with the leeway, to a whole second");
    }
}

#[actix_web::test]
async fn a_report_reads_its_turns_in_pages() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(600, 0).await.id;
    for buyer in 1..=513 {
        fixture.attempt(sale, buyer, 1).await;
    }
    let report = fixture.get(&format!("/v1/admin/sales/{sale}/report"), &fixture.operator()).await.is(200);
    assert_eq!(report["attempts"]["accepted"], 513);
}

/// What is in the way of an account's end is named so far; of orders, the units are counted to the last.
#[actix_web::test]
async fn so_much_that_is_in_the_way_is_named() {
    let fixture = Fixture::new().await;
    let body = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
    let welcome = fixture.sign_up(&body).await;
    let (ada, token) = (welcome["user"]["id"].as_u64().unwrap(), welcome["access_token"].as_str().unwrap());
    let named = async |what: &str| {
        let request = fixture.request(Method::DELETE, "/v1/me", Some(token));
        let answer = fixture.send(request.set_json(json!({ "password": "difference engine" }))).await.is(409);
        (answer[what].as_array().unwrap().len(), answer["units"].as_u64().unwrap())
    };
    for number in 1..=101 {
        fixture.order(ada, 1).await;
        if number >= 100 {
            assert_eq!(named("orders").await, (100, number));
        }
    }
    for number in 1..=101 {
        let sale = fixture.sale(1, 0).await.id;
        fixture.attempt(sale, ada, 1).await;
        if number >= 100 {
            assert_eq!(named("reservations").await.0, 100);
        }
    }
}
