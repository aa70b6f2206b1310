//! Giving back after payment: whole orders and single units, by operators, each unit once.

use miaosha::app::audit::audit;
use miaosha::app::money;
use miaosha::domain::money::order;
use miaosha::domain::money::payment::{Payment, PaymentState};
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;
use miaosha::faces::front::Settings;
use miaosha::kit::work::backoff::BackoffSettings;

use miaosha::workers::payment_consumer::{self as payments, Sweeper};
use serde_json::{Value, json};

use super::fixture::Fixture;
use super::over_both;
use crate::contract::signals::told;
use crate::support::checkout::begin;
use crate::support::clock::START;

over_both! {
    a_whole_order_goes_back
    single_units_go_back
    what_does_not_divide_goes_back_to_the_last_unit
    a_refund_reaches_whoever_waits
    a_refund_after_all_is_paid_reaches_whoever_waits
    what_cannot_go_back_is_said_by_name
    the_operator_hangs_up
    who_dies_before_the_answer_gave_back_once
}

/// A paid order of buyer 7: its reservation and its number.
async fn bought(fixture: &Fixture, sale: SaleId, quantity: u8) -> (ReservationId, String) {
    let id = fixture.attempt(sale, 7, quantity).await;
    let token = fixture.checkout_token(sale, 7).await;
    let order = fixture.check_out(7, &token, "ok").await.is(201);
    (id, order["order_number"].as_str().unwrap().to_owned())
}

async fn sweep(fixture: &Fixture) {
    let backoff = BackoffSettings { first_ms: 1, wait_ms_max: 10, outage_ms_max: 5_000 };
    let settings = payments::Settings { backoff, ..payments::Settings::default() };
    Sweeper::new(fixture.world.needs(), settings).sweep().await.unwrap();
}

async fn sound(fixture: &Fixture, sale: SaleId) {
    let events: Vec<_> = fixture.world.outbox.unpublished(99).await.unwrap().iter().map(|event| event.id).collect();
    fixture.world.outbox.mark_published(&events, START).await.unwrap();
    let verdict = audit(&fixture.world.needs(), sale).await.unwrap().unwrap();
    assert!(verdict.pass && verdict.is_at_rest(), "{verdict}");
}

fn refunds(number: &str) -> String {
    format!("/v1/admin/orders/{number}/refunds")
}

async fn a_whole_order_goes_back(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await;
    let (id, number) = bought(&fixture, sale.id, 3).await;
    let path = format!("/v1/admin/orders/{number}");
    let before = fixture.get(&path, &fixture.operator()).await.is(200);
    assert_eq!(
        (&before["refunds"], &before["buyer_id"], &before["reservation_id"]),
        (&json!([]), &json!(7), &json!(id))
    );
    let body =
        fixture.post(&refunds(&number), &fixture.operator(), &json!({ "reason": " The show is off " })).await.is(201);
    let amount = json!({ "minor": 750, "currency": "TWD", "decimals": 2 });
    assert_eq!((&body["refund"]["amount"], &body["refund"]["units"]), (&amount, &json!([1, 2, 3])));
    assert_eq!((&body["refund"]["why"], &body["refund"]["reason"]), (&json!("operator"), &json!("The show is off")));
    assert_eq!((&body["order"]["refunded"], &body["order"]["refunded_amount"]), (&json!(true), &amount));
    assert!(body["refund"].get("done_at").is_none(), "the provider has not heard of it");
    assert_eq!(fixture.kind(id).await, Kind::Refunded);
    for again in [json!({}), json!({ "units": null }), json!({ "units": [1] })] {
        fixture.post(&refunds(&number), &fixture.operator(), &again).await.blames(409, "units");
    }
    sweep(&fixture).await;
    let after = fixture.get(&path, &fixture.operator()).await.is(200);
    assert_eq!((after["refunds"].as_array().unwrap().len(), &after["refunds"][0]["done_at"]), (1, &json!(START.0)));
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
    assert_eq!(fixture.world.turnstile.look(sale.id).await.unwrap().unwrap().free, 4, "the units are for sale again");
    let seen = fixture.get(&format!("/v1/orders/{number}"), &fixture.shopper(7)).await.is(200);
    assert_eq!((&seen["refunded"], &seen["refunded_units"]), (&json!(true), &json!([1, 2, 3])));
    let token = fixture.keys.sign_checkout(id, BuyerId(7), START, 600_000);
    fixture.check_out(7, &token, "ok").await.is_problem(409, "not_held");
    sound(&fixture, sale.id).await;
}

async fn single_units_go_back(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await;
    let (id, number) = bought(&fixture, sale.id, 3).await;
    let give = async |body: Value| fixture.post(&refunds(&number), &fixture.operator(), &body).await;
    let body = give(json!({ "units": [2] })).await.is(201);
    assert_eq!((&body["refund"]["amount"]["minor"], &body["order"]["refunded"]), (&json!(250), &json!(false)));
    let row = fixture.row(id).await;
    assert_eq!((row.state.kind(), row.state.units()), (Kind::Confirmed, [1, 3].as_slice()));
    let standing = fixture.get(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(7)).await.is(200);
    assert_eq!((&standing["status"], &standing["units"]), (&json!("confirmed"), &json!([1, 3])));
    give(json!({ "units": [1, 2] })).await.blames(409, "units[1]");
    sweep(&fixture).await;
    sound(&fixture, sale.id).await;
    assert_eq!(give(json!({})).await.is(201)["refund"]["units"], json!([1, 3]), "all that is left");
    sweep(&fixture).await;
    let order = fixture.get(&format!("/v1/orders/{number}"), &fixture.shopper(7)).await.is(200);
    assert_eq!((&order["refunded_units"], &order["refunded_amount"]["minor"]), (&json!([1, 2, 3]), &json!(750)));
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
    sound(&fixture, sale.id).await;
}

/// 1,001 for three units: each is worth 333, two are worth 666 (and not the 667 of two thirds), and the last one to
/// go takes what is left, wherever it stands.
async fn what_does_not_divide_goes_back_to_the_last_unit(fixture: Fixture) {
    for (parts, amounts) in [
        (vec![vec![2], vec![1], vec![3]], vec![333, 333, 335]),
        (vec![vec![1, 3], vec![2]], vec![666, 335]),
        (vec![vec![3], vec![1, 2]], vec![333, 668]),
        (vec![vec![1, 2, 3]], vec![1_001]),
    ] {
        let sale = fixture.sale(3, 0).await;
        let id = fixture.attempt(sale.id, 7, 3).await;
        let amount = Money { minor: 1_001, ..sale.price };
        let payment = PaymentId(id.0 ^ 1);
        let (state, opened_at) = (PaymentState::Opened, START);
        let opened = Payment { id: payment, reservation: id, sale: sale.id, amount, state, opened_at };
        let payments = &fixture.world.payments;
        begin(&*fixture.world.paying, &opened, BuyerId(7), START).await;
        payments.open(payment, amount).await.unwrap();
        payments.capture(payment, "ok").await.unwrap();
        let number = order::number(sale.id.0);
        fixture.world.paying.confirm(id, payment, &number, START).await.unwrap();
        let mut kept = 1_001;
        for (units, amount) in parts.iter().zip(amounts) {
            let given = fixture.post(&refunds(&number), &fixture.operator(), &json!({ "units": units })).await.is(201);
            assert_eq!(given["refund"]["amount"]["minor"], json!(amount), "{units:?} of {parts:?}");
            sweep(&fixture).await;
            kept -= amount;
            assert_eq!(payments.kept_minor(payment).await.unwrap(), kept, "{units:?} of {parts:?}");
            sound(&fixture, sale.id).await;
        }
        assert_eq!(kept, 0);
    }
}

/// The unit goes to the next on standby, and the wake-up for that is sent at once.
async fn a_refund_reaches_whoever_waits(fixture: Fixture) {
    let sale = fixture.sale(3, 2).await;
    let (_, number) = bought(&fixture, sale.id, 2).await;
    fixture.attempt(sale.id, 8, 1).await;
    let waits = fixture.attempt(sale.id, 9, 1).await;
    assert_eq!(fixture.kind(waits).await, Kind::Standby);
    let mut alarms = fixture.world.deadlines.deadlines().await.unwrap();
    let mut notices = fixture.world.notices.notices().await.unwrap();
    fixture.post(&refunds(&number), &fixture.operator(), &json!({ "units": [1] })).await.is(201);
    let told = told(&mut notices).await.unwrap().remove(0);
    let kept = fixture.world.reservations.reservation_of(sale.id, told.buyer).await.unwrap().unwrap();
    assert_eq!((told.buyer.0, told.version, told.state), (7, kept.version, Kind::Confirmed), "the buyer hears of it");
    let woken = alarms.next(9).await.unwrap().remove(0);
    let unfreed = fixture.world.sweeping.unfreed(9).await.unwrap();
    assert_eq!(unfreed, [(sale.id, woken.body().reservations[0])]);
    let backoff = BackoffSettings { first_ms: 1, wait_ms_max: 10, outage_ms_max: 5_000 };
    let settings = payments::Settings { backoff, ..payments::Settings::default() };
    payments::Alarms::new(fixture.world.needs(), settings).handle(vec![woken]).await.unwrap();
    let row = fixture.row(waits).await;
    assert_eq!((row.state.kind(), row.state.units()), (Kind::Held, [1].as_slice()));
    sweep(&fixture).await;
    sound(&fixture, sale.id).await;
}

/// Everything is paid, and the line is still there; who is promoted pays, though the sale is closed meanwhile.
async fn a_refund_after_all_is_paid_reaches_whoever_waits(fixture: Fixture) {
    let sale = fixture.sale(2, 2).await;
    let (_, number) = bought(&fixture, sale.id, 2).await;
    let waits = [fixture.attempt(sale.id, 8, 1).await, fixture.attempt(sale.id, 9, 2).await];
    sweep(&fixture).await;
    let standing = async |buyer: u64| {
        let standing =
            fixture.get(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(buyer)).await.is(200);
        (standing["status"].as_str().unwrap().to_owned(), standing["position"].as_u64())
    };
    assert_eq!(standing(8).await, ("standby".to_owned(), Some(1)), "everything is paid");
    fixture.post(&refunds(&number), &fixture.operator(), &json!({ "units": [1] })).await.is(201);
    sweep(&fixture).await;
    assert_eq!(standing(8).await, ("held".to_owned(), None));
    assert_eq!(standing(9).await, ("standby".to_owned(), Some(1)));
    let close = format!("/v1/admin/sales/{}/close", sale.id);
    fixture.post(&close, &fixture.operator(), &json!({})).await.is(200);
    sweep(&fixture).await;
    assert_eq!(fixture.kind(waits[1]).await, Kind::Standby, "what is held may come back");
    let token = fixture.checkout_token(sale.id, 8).await;
    fixture.check_out(8, &token, "ok").await.is(201);
    sweep(&fixture).await;
    assert_eq!(standing(9).await, ("ended".to_owned(), None));
    fixture.post(&refunds(&number), &fixture.operator(), &json!({})).await.is(201);
    sweep(&fixture).await;
    assert_eq!(fixture.kind(waits[1]).await, Kind::Ended, "what comes back after everything ended stays unsold");
    assert_eq!(fixture.world.turnstile.look(sale.id).await.unwrap().unwrap().free, 1);
    sound(&fixture, sale.id).await;
}

async fn what_cannot_go_back_is_said_by_name(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await;
    let (id, number) = bought(&fixture, sale.id, 2).await;
    let give = async |body: Value| fixture.post(&refunds(&number), &fixture.operator(), &body).await;
    give(json!({ "units": [1, 9] })).await.blames(400, "units[1]");
    give(json!({ "units": [2, 1, 2] })).await.blames(400, "units[2]");
    give(json!({ "units": [] })).await.blames(400, "units");
    give(json!({ "units": [1, 2, 3, 4, 5, 6, 7, 8, 9] })).await.blames(400, "units");
    give(json!({ "units": [-1] })).await.blames(400, "units[0]");
    give(json!({ "units": 1 })).await.blames(400, "units");
    give(json!({ "reason": " " })).await.blames(400, "reason");
    give(json!({ "reason": "x".repeat(501) })).await.blames(400, "reason");
    give(json!({ "unit": [1] })).await.blames(400, "unit");
    for nobody in ["0000-0000-0000", "nonsense", "0000-0000-0000-0000"] {
        fixture.post(&refunds(nobody), &fixture.operator(), &json!({})).await.is_problem(404, "not_found");
        fixture.get(&format!("/v1/admin/orders/{nobody}"), &fixture.operator()).await.is_problem(404, "not_found");
    }
    assert_eq!(
        (fixture.kind(id).await, fixture.world.refunds.refunds_due(START, 9).await.unwrap()),
        (Kind::Confirmed, vec![])
    );
}

/// A gateway that crashes between the refund and its answer: under the same key the operator is told the same.
async fn who_dies_before_the_answer_gave_back_once(fixture: Fixture) {
    let sale = fixture.sale(3, 0).await;
    let (id, number) = bought(&fixture, sale.id, 2).await;
    let ask = || fixture.post_under("7d0ce6a6", &refunds(&number), &fixture.operator(), &json!({ "units": [2] }));
    let stop = fixture.stops.arm(money::points::GIVE_BACK_AFTER_LEDGER);
    let first = tokio::task::spawn_local(ask());
    stop.reached().await;
    fixture.clock.advance_ms(Settings::default().request_lease_ms);
    let again = ask().await.is(201);
    assert_eq!((&again["refund"]["units"], &again["order"]["refunded_units"]), (&json!([2]), &json!([2])));
    stop.go_on();
    assert_eq!(first.await.unwrap().is(201), again);
    assert_eq!(fixture.row(id).await.state.units(), [1]);
    assert_eq!(fixture.world.refunds.refunds_of(&[id]).await.unwrap().len(), 1);
}

/// What has begun is finished: the units go on and the money goes back, though the client does not get the answer.
async fn the_operator_hangs_up(fixture: Fixture) {
    let sale = fixture.sale(3, 0).await;
    let (id, number) = bought(&fixture, sale.id, 2).await;
    let stop = fixture.stops.arm(money::points::GIVE_BACK_AFTER_LEDGER);
    let refund =
        tokio::task::spawn_local(fixture.post(&refunds(&number), &fixture.operator(), &json!({ "units": [2] })));
    stop.reached().await;
    refund.abort();
    assert!(refund.await.unwrap_err().is_cancelled());
    stop.go_on();
    assert!(fixture.lifecycle.drain().await);
    sweep(&fixture).await;
    assert_eq!(fixture.row(id).await.state.units(), [1]);
    sound(&fixture, sale.id).await;
}
