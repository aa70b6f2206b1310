//! Letting go: of a hold, of a place on standby, and of what cannot be let go of.

use actix_web::rt;
use miaosha::app::sale;
use miaosha::domain::sale::reservation::Kind;
use miaosha::ports::sale::deadlines::Deadline;
use serde_json::json;

use super::fixture::Fixture;

#[actix_web::test]
async fn a_hold_and_a_place_on_standby_are_let_go() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 5).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    let mut wakes = fixture.world.deadlines.deadlines().await.unwrap();
    for buyer in [7, 8] {
        let id = fixture.attempt(sale.id, buyer, 1).await;
        let cancelled = fixture.delete(&path, &fixture.shopper(buyer)).await.is(200);
        assert_eq!((&cancelled["status"], &cancelled["version"]), (&json!("cancelled"), &json!(2)));
        assert!(cancelled.get("checkout_token").is_none());
        // The worker that gives the unit on is woken at once.
        let wake = wakes.next(1).await.unwrap().remove(0);
        assert_eq!(wake.body(), &Deadline { sale: sale.id, reservations: vec![id], traced: Vec::new() });
        wake.ack().await.unwrap();
        assert_eq!(fixture.delete(&path, &fixture.shopper(buyer)).await.is(200), cancelled, "twice is as good as once");
        assert_eq!(fixture.get(&path, &fixture.shopper(buyer)).await.is(200), cancelled);
    }
}

#[actix_web::test]
async fn what_is_paid_or_being_paid_stays() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(2, 0).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    for (buyer, card, status) in [(7, "timeout", "paying"), (8, "ok", "confirmed")] {
        fixture.attempt(sale.id, buyer, 1).await;
        let token = fixture.checkout_token(sale.id, buyer).await;
        fixture.check_out(buyer, &token, card).await;
        assert_eq!(fixture.delete(&path, &fixture.shopper(buyer)).await.is(200)["status"], status);
    }
}

#[actix_web::test]
async fn nothing_cannot_be_let_go() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    fixture
        .delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(8))
        .await
        .is_problem(404, "not_found");
    fixture.delete("/v1/sales/99/reservation", &fixture.shopper(7)).await.is_problem(404, "not_found");
}

/// Stopped between the ledger and the wake-up: the ended row says that it was not freed, which is what the sweeper looks for.
#[actix_web::test]
async fn a_cancel_that_stops_half_way_is_found() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let stop = fixture.stops.arm(sale::points::CANCEL_AFTER_LEDGER);
    let path = format!("/v1/sales/{}/reservation", sale.id);
    let cancel = rt::spawn(fixture.delete(&path, &fixture.shopper(7)));
    stop.reached().await;
    assert_eq!(fixture.kind(id).await, Kind::Cancelled);
    assert_eq!(fixture.world.sweeping.unfreed(10).await.unwrap(), [(sale.id, id)]);
    cancel.abort();
    stop.go_on();
    assert!(fixture.lifecycle.drain().await);
    let mut wakes = fixture.world.deadlines.deadlines().await.unwrap();
    assert_eq!(wakes.next(1).await.unwrap()[0].body().reservations, [id]);
}
