//! What is sold, and what is left of it.

use miaosha::app::sale::catalogue_cache::CatalogueCache;
use miaosha::domain::sale::SaleState;
use miaosha::domain::shared::id::SaleId;
use miaosha::faces::front::Settings;
use serde_json::json;

use super::fixture::{Fixture, HOLD_MS, settings};
use crate::support::clock::START;
use crate::support::counted::Counted;

#[actix_web::test]
async fn a_sale_is_shown_with_what_is_left() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 9).await;
    let path = format!("/v1/sales/{}", sale.id);
    let shown = fixture.get(&path, "").await.is(200);
    let expected = json!({
        "id": sale.id.0, "item_id": sale.item.0, "title": "A lamp", "price": { "minor": 250, "currency": "TWD", "decimals": 2 },
        "capacity": 5, "quantity_max": 4, "standby_max": 9, "standby_until": "closed", "hold_ms": HOLD_MS,
        "opens_at": START.0, "closes_at": START.0 + 86_400_000, "phase": "open", "left": 5, "all_paid": false,
        "server_time": START.0, "version": 1, "description": "It shines.",
    });
    assert_eq!(shown, expected);

    fixture.attempt(sale.id, 7, 2).await;
    fixture.attempt(sale.id, 8, 1).await;
    let token = fixture.checkout_token(sale.id, 8).await;
    fixture.check_out(8, &token, "ok").await.is(201);
    assert_eq!(fixture.get(&path, "").await.is(200)["left"], 2, "what is held or sold is not left");
    fixture.delete(&format!("{path}/reservation"), &fixture.shopper(7)).await.is(200);
    assert_eq!(fixture.get(&path, "").await.is(200)["left"], 4);

    fixture.world.catalogue.set_state(sale.id, SaleState::Paused).await.unwrap();
    assert_eq!(fixture.get(&path, "").await.is(200)["phase"], "paused");
    fixture.clock.advance_ms(86_400_000);
    assert_eq!(fixture.get(&path, "").await.is(200)["phase"], "closed");
    fixture.get("/v1/sales/99", "").await.is_problem(404, "not_found");
}

/// What is held may lapse; what is paid for comes back only by a refund.
#[actix_web::test]
async fn a_sale_says_when_everything_is_paid() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 2).await;
    let path = format!("/v1/sales/{}", sale.id);
    let shown = async || {
        let shown = fixture.get(&path, "").await.is(200);
        (shown["left"].as_u64().unwrap(), shown["all_paid"].as_bool().unwrap())
    };
    let id = fixture.attempt(sale.id, 7, 1).await;
    assert_eq!(shown().await, (0, false));
    let token = fixture.checkout_token(sale.id, 7).await;
    fixture.check_out(7, &token, "ok").await.is(201);
    assert_eq!(shown().await, (0, true));
    fixture.refund_all(id).await;
    assert_eq!(shown().await, (1, false));
}

#[actix_web::test]
async fn sales_are_listed_newest_first() {
    let fixture = Fixture::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fixture.sale(1, 0).await.id.0);
    }
    let list = fixture.get("/v1/sales", "").await.is(200);
    let listed: Vec<u64> = list.as_array().unwrap().iter().map(|sale| sale["id"].as_u64().unwrap()).collect();
    assert_eq!(listed, [ids[2], ids[1], ids[0]]);
}

/// While a figure is young enough the ledger is not asked for it.
#[actix_web::test]
async fn a_crowd_reads_what_was_read_before() {
    let fixture = Fixture::with(Settings { catalogue_age_ms_max: 3_600_000, ..settings() }).await;
    let sale = fixture.sale(5, 0).await;
    let path = format!("/v1/sales/{}", sale.id);
    assert_eq!(fixture.get(&path, "").await.is(200)["left"], 5);
    assert_eq!(fixture.get("/v1/sales", "").await.is(200)[0]["left"], 5);
    fixture.attempt(sale.id, 7, 1).await;
    let crowd = futures_util::future::join_all((0..50).map(|_| fixture.get(&path, ""))).await;
    assert!(crowd.into_iter().all(|shown| shown.is(200)["left"] == 5));
    // An operator who changes the sale sees the change.
    let pause = format!("/v1/admin/sales/{}/pause", sale.id);
    assert_eq!(fixture.post(&pause, &fixture.operator(), &json!({})).await.is(200)["left"], 4);
    assert_eq!(fixture.get(&path, "").await.is(200)["phase"], "paused");
    assert_eq!(fixture.get("/v1/sales", "").await.is(200)[0]["left"], 4);
}

/// A thousand ids that nobody gave, each asked for in both ways, are one question for the newest.
#[actix_web::test]
async fn made_up_ids_reach_no_store() {
    let fixture = Fixture::new().await;
    let first = fixture.sale(5, 0).await.id;
    let (world, counted) = Counted::within(fixture.world.clone());
    let board = CatalogueCache::new((&world).into(), 3_600_000);
    for id in 0..1_000 {
        let made_up = SaleId(first.0 + 1 + id * 7_919);
        assert!(board.seen(made_up).await.unwrap().is_none() && board.sale(made_up).await.unwrap().is_none());
    }
    assert_eq!(counted.taken(), (0, 1));
    assert!(board.seen(first).await.unwrap().is_some());
    assert_eq!(counted.taken(), (1, 0));

    // One that comes is there when the figure is too old, or at once where it was made.
    let second = fixture.sale(5, 0).await.id;
    assert!(board.seen(second).await.unwrap().is_none());
    board.forget(second);
    assert!(board.seen(second).await.unwrap().is_some());
    assert_eq!(counted.taken(), (1, 1));
    let impatient = CatalogueCache::new((&world).into(), 0);
    assert!(impatient.seen(SaleId(second.0 + 1)).await.unwrap().is_none());
    let third = fixture.sale(5, 0).await.id;
    assert!(impatient.seen(third).await.unwrap().is_some() && impatient.sale(third).await.unwrap().is_some());
}
