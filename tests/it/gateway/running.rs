//! What operators see of sales that run.

use miaosha::faces::front::Settings;
use serde_json::json;

use super::fixture::{Fixture, HOLD_MS, settings};
use super::over_both;

over_both! {
    a_running_sale_is_watched
}

async fn a_running_sale_is_watched(fixture: Fixture) {
    let sale = fixture.sale(2, 1).await;
    let path = format!("/v1/admin/sales/{}/live", sale.id);
    let live = async || fixture.get(&path, &fixture.operator()).await.is(200);
    let before = live().await;
    assert_eq!(
        (&before["capacity"], &before["held"], &before["lately"]["attempts"]),
        (&json!(2), &json!(0), &json!(0))
    );
    assert_eq!(before["lately"].get("answer_ms_p50"), None);

    fixture.clock.advance_ms(250);
    let held = fixture.attempt(sale.id, 7, 2).await;
    fixture.attempt(sale.id, 8, 1).await;
    fixture.attempt(sale.id, 9, 1).await;
    fixture.attempt(sale.id, 7, 1).await;
    // Figures are half a second old at most.
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let live_now = live().await;
    assert_eq!((&live_now["held"], &live_now["standby"], &live_now["sold"]), (&json!(2), &json!(1), &json!(0)));
    let lately = &live_now["lately"];
    let outcomes = ["attempts", "taken", "stood_by", "already", "refused"].map(|name| lately[name].as_u64().unwrap());
    assert_eq!(outcomes, [4, 1, 1, 1, 1]);
    // Batches of the fixture are made when it starts.
    assert_eq!((&lately["answer_ms_p50"], &lately["answer_ms_p99"]), (&json!(250), &json!(250)));
    assert_eq!((&lately["attempts_per_s"], &lately["window_ms"]), (&json!(0.8), &json!(5_000)));

    fixture.clock.advance_ms(HOLD_MS);
    let rows = { fixture.world.sweeping.lapse(sale.id, &[held], fixture.world.clock.now()).await.unwrap() };
    assert_eq!(rows.len(), 1);
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;
    let after = live().await;
    assert_eq!((&after["held"], &after["lapsed"], &after["unfreed"]), (&json!(0), &json!(1), &json!(1)));
    assert_eq!(after["lately"]["attempts"], 0, "that was a while ago");
    fixture.get("/v1/admin/sales/99/live", &fixture.operator()).await.is_problem(404, "not_found");
}

/// More turns than are read: the rate is of those that were.
#[actix_web::test]
async fn a_rush_is_measured_by_its_newest_turns() {
    let fixture = Fixture::with(Settings { live_turns_max: 2, ..settings() }).await;
    let sale = fixture.sale(4, 4).await;
    for buyer in 0..4 {
        fixture.clock.advance_ms(100);
        fixture.attempt(sale.id, buyer, 1).await;
    }
    let live = fixture.get(&format!("/v1/admin/sales/{}/live", sale.id), &fixture.operator()).await.is(200);
    assert_eq!((&live["lately"]["attempts"], &live["lately"]["window_ms"]), (&json!(2), &json!(100)));
    assert_eq!(live["lately"]["attempts_per_s"], 20.0);
}

#[actix_web::test]
async fn the_audit_gives_its_verdict() {
    let fixture = Fixture::with(Settings { audit_sales_max: 2, ..settings() }).await;
    let sales = [fixture.sale(1, 1).await, fixture.sale(1, 1).await, fixture.sale(1, 1).await];
    fixture.attempt(sales[0].id, 7, 1).await;
    let newest = fixture.get("/v1/admin/audit", &fixture.operator()).await.is(200);
    let ids = |answer: &serde_json::Value| -> Vec<u64> {
        answer["sales"].as_array().unwrap().iter().map(|sale| sale["sale"].as_u64().unwrap()).collect()
    };
    assert_eq!((&newest["pass"], ids(&newest)), (&json!(true), vec![sales[2].id.0, sales[1].id.0]));
    let path = format!("/v1/admin/audit?sale={}", sales[0].id);
    let first = fixture.get(&path, &fixture.operator()).await.is(200);
    assert_eq!((ids(&first), &first["sales"][0]["figures"]["pending"]), (vec![sales[0].id.0], &json!(1)));
    fixture.get("/v1/admin/audit?sale=x", &fixture.operator()).await.blames(400, "sale");
    fixture.get("/v1/admin/audit?sail=1", &fixture.operator()).await.blames(400, "sail");
    for missing in ["999", "18446744073709551615"] {
        let path = format!("/v1/admin/audit?sale={missing}");
        fixture.get(&path, &fixture.operator()).await.is_problem(404, "not_found");
    }
    // A second one at the same time is told to come again.
    let both = futures_util::join!(fixture.get(&path, &fixture.operator()), fixture.get(&path, &fixture.operator()));
    let statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 1, "{statuses:?}");
}
