//! A checkout stopped between any two effects: the ledger is left as the design says, another process finishes it, and the
//! stopped one that wakes late changes nothing.

use std::sync::Arc;

use actix_web::rt;
use miaosha::app::money;
use miaosha::domain::money::payment::Why;
use miaosha::domain::sale::Sale;
use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::shared::id::{BuyerId, ReservationId};
use miaosha::ports::platform::fault::Point;
use miaosha::workers::payment_consumer::{self as payments, Sweeper};
use tokio::task::JoinHandle;

use super::fixture::{Answer, Fixture, HOLD_MS};
use super::over_both;
use crate::support::clock::START;
use crate::support::faults::Stop;

over_both! {
    before_the_hold_takes_the_payment_nothing_is_written
    before_the_capture_the_payment_is_voided_and_the_hold_goes_on
    after_the_capture_somebody_else_writes_the_order
    a_hold_does_not_lapse_while_it_is_paid
    no_payment_begins_after_the_time_is_over
    a_capture_that_cannot_stand_goes_back
    a_checkout_outlives_its_connection
}

/// A checkout that stands at the point.
async fn stopped_at(fixture: &Fixture, point: Point) -> (Sale, ReservationId, Arc<Stop>, JoinHandle<Answer>) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    let stop = fixture.stops.arm(point);
    let checkout = rt::spawn(fixture.check_out(7, &token, "ok"));
    stop.reached().await;
    (sale, id, stop, checkout)
}

/// The payment-consumer comes by after a while.
async fn sweep(fixture: &Fixture) {
    let settings = payments::Settings { paying_ms_max: 10, ..payments::Settings::default() };
    fixture.clock.advance_ms(20);
    Sweeper::new(fixture.world.needs(), settings).sweep().await.unwrap();
}

async fn before_the_hold_takes_the_payment_nothing_is_written(fixture: Fixture) {
    let (sale, id, stop, checkout) = stopped_at(&fixture, money::points::CHECKOUT_AFTER_READ).await;
    assert_eq!(fixture.kind(id).await, Kind::Held);
    sweep(&fixture).await;
    assert_eq!(fixture.kind(id).await, Kind::Held);
    stop.go_on();
    checkout.await.unwrap().is(201);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

/// Whether it was opened at the provider or not: a void is final, and the stopped one cannot go on with it.
async fn before_the_capture_the_payment_is_voided_and_the_hold_goes_on(fixture: Fixture) {
    for (point, status, problem) in [
        (money::points::CHECKOUT_AFTER_PAYING, 503, "unavailable"),
        (money::points::CHECKOUT_AFTER_OPEN, 402, "card_declined"),
    ] {
        let (sale, id, stop, checkout) = stopped_at(&fixture, point).await;
        assert_eq!(fixture.kind(id).await, Kind::Paying);
        assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));

        sweep(&fixture).await;
        assert_eq!(fixture.kind(id).await, Kind::Held, "time is left");

        stop.go_on();
        checkout.await.unwrap().is_problem(status, problem);
        assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
        assert_eq!(fixture.kind(id).await, Kind::Held);
        assert_eq!(fixture.world.paying.declines(id).await.unwrap(), 1, "by the sweep alone");
        let token = fixture.checkout_token(sale.id, 7).await;
        fixture.check_out(7, &token, "ok").await.is(201);
    }
}

async fn after_the_capture_somebody_else_writes_the_order(fixture: Fixture) {
    for point in [money::points::CHECKOUT_AFTER_CAPTURE, money::points::CHECKOUT_AFTER_CONFIRM] {
        let (sale, id, stop, checkout) = stopped_at(&fixture, point).await;
        sweep(&fixture).await;
        assert_eq!(fixture.kind(id).await, Kind::Confirmed);
        let orders = fixture.world.orders.orders(BuyerId(7), 10).await.unwrap();
        let written = orders.into_iter().find(|order| order.reservation == id).unwrap();
        stop.go_on();
        let order = checkout.await.unwrap().is(201);
        assert_eq!(order["order_number"], written.number);
        assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
    }
}

/// Time runs out while the money moves: the order stands, for the hold was taken in time.
async fn a_hold_does_not_lapse_while_it_is_paid(fixture: Fixture) {
    let (sale, id, stop, checkout) = stopped_at(&fixture, money::points::CHECKOUT_AFTER_PAYING).await;
    fixture.clock.advance_ms(2 * HOLD_MS);
    assert_eq!(fixture.world.sweeping.lapse(sale.id, &[id], fixture.world.clock.now()).await.unwrap(), []);
    stop.go_on();
    checkout.await.unwrap().is(201);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

async fn no_payment_begins_after_the_time_is_over(fixture: Fixture) {
    let (sale, id, stop, checkout) = stopped_at(&fixture, money::points::CHECKOUT_AFTER_READ).await;
    fixture.clock.advance_ms(HOLD_MS);
    stop.go_on();
    checkout.await.unwrap().is_problem(409, "hold_lapsed");
    assert_eq!(fixture.kind(id).await, Kind::Held, "whose time is over; writing that down is the payment-consumer's");
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
}

/// A provider that said "void" of a payment it captured all the same: the buyer is told that the money goes back.
async fn a_capture_that_cannot_stand_goes_back(fixture: Fixture) {
    let (sale, id, stop, checkout) = stopped_at(&fixture, money::points::CHECKOUT_AFTER_CAPTURE).await;
    let State::Paying { payment, .. } = fixture.row(id).await.state else { panic!("it is paying") };
    fixture.world.paying.payment_voided(id, payment, START).await.unwrap();
    stop.go_on();
    let answer = checkout.await.unwrap();
    answer.is_problem(409, "conflict");
    assert!(answer.body["detail"].as_str().unwrap().contains("money goes back"));
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 1));
    let due = fixture.world.refunds.refunds_due(START, 10).await.unwrap();
    assert_eq!((due[0].refund.payment, &due[0].why), (payment, &Why::CaptureTooLate));
    sweep(&fixture).await;
    assert_eq!(fixture.orders_and_captures(sale.id).await, (0, 0));
}

/// The buyer hangs up in the middle: the checkout is finished, and a graceful stop waits for it.
async fn a_checkout_outlives_its_connection(fixture: Fixture) {
    let before = fixture.lifecycle.tracker.len();
    let (sale, id, stop, checkout) = stopped_at(&fixture, money::points::CHECKOUT_AFTER_PAYING).await;
    checkout.abort();
    assert!(checkout.await.unwrap_err().is_cancelled());
    assert_eq!(fixture.lifecycle.tracker.len(), before + 2, "the request and its move");
    stop.go_on();
    assert!(fixture.lifecycle.drain().await);
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}
