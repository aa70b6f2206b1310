//! What Stripe tells, to a gateway whose payments go to it: duplicates, retries, any order, forgeries, and the word that comes
//! when no request waits for it any more.

use actix_web::http::Method;
use miaosha::app::money;
use miaosha::domain::sale::Sale;
use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::platform::clock::Clock;

use miaosha::workers::payment_consumer::{self as payments, Sweeper};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, HOLD_MS};
use crate::support::stripe::{NetworkFault, Step, StripeServer, WEBHOOK_SECRET, signature};

pub const CARD: &str = "pm_card_visa";

pub async fn fixture() -> (StripeServer, Fixture) {
    let server = StripeServer::start().await;
    let fixture = Fixture::on_stripe(&server.url).await;
    (server, fixture)
}

pub async fn tell(fixture: &Fixture, event: &Value) -> Answer {
    let body = event.to_string();
    let signed = signature(WEBHOOK_SECRET, fixture.clock.now().0 / 1_000, body.as_bytes());
    tell_as(fixture, &signed, body).await
}

async fn tell_as(fixture: &Fixture, signature: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = fixture.request(Method::POST, "/v1/webhooks/stripe", None).set_payload(body.into());
    let request = request.insert_header(("Content-Type", "application/json; charset=utf-8"));
    fixture.send(request.insert_header(("Stripe-Signature", signature))).await
}

async fn held(fixture: &Fixture) -> (Sale, ReservationId, String) {
    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.checkout_token(sale.id, 7).await;
    (sale, id, token)
}

async fn sweep(fixture: &Fixture) {
    let settings = payments::Settings { paying_ms_max: 10, ..payments::Settings::default() };
    fixture.clock.advance_ms(20);
    Sweeper::new(fixture.world.needs(), settings).sweep().await.unwrap();
}

/// Its tokens are new ones each time, and the provider says that they are one card. Where it does not say, hold and buyer count alone.
#[actix_web::test]
async fn a_card_is_one_card_under_all_its_tokens() {
    let (server, fixture) = fixture().await;
    let try_on = async |buyer: u64, card: &str| {
        let sale = fixture.sale(1, 0).await.id;
        let id = fixture.attempt(sale, buyer, 1).await;
        let token = fixture.checkout_token(sale, buyer).await;
        fixture.check_out(buyer, &token, card).await.is_problem(402, "card_declined");
        fixture.kind(id).await
    };
    for buyer in 1..=5 {
        assert_eq!(try_on(buyer, &format!("pm_card_declined_n{buyer}_of_ada")).await, Kind::Held, "{buyer}");
    }
    assert_eq!(try_on(6, "pm_card_declined_n6_of_ada").await, Kind::Lapsed);
    assert_eq!(try_on(7, "pm_card_declined_n7_of_bob").await, Kind::Held);
    for _ in 0..2 {
        server.next(Step::LookAtCard, NetworkFault::Says(503));
    }
    assert_eq!(try_on(8, "pm_card_declined_n8_of_ada").await, Kind::Held, "nobody said which card it was");
    assert_eq!(try_on(9, "no-name-of-stripes").await, Kind::Held);
    assert_eq!(server.calls(Step::LookAtCard), 9);
    assert_eq!(server.moved(), (0, 0));
}

#[actix_web::test]
async fn a_checkout_goes_through_and_its_echoes_change_nothing() {
    let (server, fixture) = fixture().await;
    let (sale, id, token) = held(&fixture).await;
    fixture.check_out(7, &token, "pm_card_declined_lost_card").await.is_problem(402, "card_declined");
    let order = fixture.check_out(7, &token, CARD).await.is(201);
    let before = fixture.row(id).await;
    let mut events = server.events();
    assert_eq!(events.len(), 2, "the declined one's end, and the money");
    events.reverse();
    for event in events.iter().chain(&events) {
        assert_eq!(tell(&fixture, event).await.status, 204);
    }
    assert_eq!(fixture.row(id).await, before);
    assert_eq!(fixture.check_out(7, &token, CARD).await.is(200), order);
    assert_eq!((fixture.orders_and_captures(sale.id).await, server.moved()), ((1, 1), (250, 0)));
}

/// The gateway crashes with the money taken: the webhook writes the order before the sweeper comes.
#[actix_web::test]
async fn the_word_finishes_what_a_gateway_left() {
    let (server, fixture) = fixture().await;
    let (sale, id, token) = held(&fixture).await;
    (0..2).for_each(|_| server.next(Step::Capture, NetworkFault::CutAfter));
    fixture.check_out(7, &token, CARD).await.is(202);
    assert_eq!(fixture.kind(id).await, Kind::Paying);
    // It is sent until it is taken: a ledger that is away answers 503, and Stripe comes again.
    for event in server.events() {
        assert_eq!(tell(&fixture, &event).await.status, 204);
    }
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
    assert_eq!((fixture.orders_and_captures(sale.id).await, server.moved()), ((1, 1), (250, 0)));
    fixture.check_out(7, &token, CARD).await.is(200);
}

/// In the very moment between capture and order: one of the two writes it, and both say the same.
#[actix_web::test]
async fn the_word_may_overtake_the_gateway() {
    let (server, fixture) = fixture().await;
    let (sale, id, token) = held(&fixture).await;
    let stop = fixture.stops.arm(money::points::CHECKOUT_AFTER_CAPTURE);
    let checkout = actix_web::rt::spawn(fixture.check_out(7, &token, CARD));
    stop.reached().await;
    assert_eq!(tell(&fixture, &server.events()[0]).await.status, 204);
    let written = fixture.world.orders.orders(miaosha::domain::shared::id::BuyerId(7), 9).await.unwrap();
    stop.go_on();
    assert_eq!(checkout.await.unwrap().is(201)["order_number"], written[0].number);
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 1));
}

/// Money that moved for a row that is gone goes back, though no process here remembered to look.
#[actix_web::test]
async fn a_late_success_is_given_back() {
    let (server, fixture) = fixture().await;
    let (sale, id, token) = held(&fixture).await;
    (0..2).for_each(|_| server.next(Step::Capture, NetworkFault::CutAfter));
    fixture.check_out(7, &token, CARD).await.is(202);
    // A process believed that it was void.
    let State::Paying { payment, .. } = fixture.row(id).await.state else { panic!("it is paying") };
    fixture.world.paying.payment_voided(id, payment, fixture.clock.now().plus_ms(2 * HOLD_MS)).await.unwrap();
    assert_eq!(fixture.kind(id).await, Kind::Lapsed);
    sweep(&fixture).await;
    assert_eq!(server.moved(), (250, 0), "no sweeper looks for it");
    for _ in 0..2 {
        assert_eq!(tell(&fixture, &server.events()[0]).await.status, 204);
    }
    sweep(&fixture).await;
    assert_eq!(server.moved(), (250, 250));
    for event in server.events() {
        assert_eq!(tell(&fixture, &event).await.status, 204);
    }
    sweep(&fixture).await;
    assert_eq!((server.moved(), fixture.orders_and_captures(sale.id).await), ((250, 250), (0, 0)));
    assert_eq!(fixture.kind(id).await, Kind::Lapsed);
}

/// An operator gave the money back at Stripe: the order here goes with it, and not a second time. A part of it says nothing.
#[actix_web::test]
async fn what_was_given_back_by_hand_ends_its_order() {
    let (server, fixture) = fixture().await;
    let (sale, id, token) = held(&fixture).await;
    fixture.check_out(7, &token, CARD).await.is(201);
    server.give_back_by_hand(50);
    assert_eq!(tell(&fixture, server.events().last().unwrap()).await.status, 204);
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
    server.give_back_by_hand(200);
    for _ in 0..2 {
        assert_eq!(tell(&fixture, server.events().last().unwrap()).await.status, 204);
        assert_eq!(fixture.kind(id).await, Kind::Refunded);
    }
    sweep(&fixture).await;
    assert_eq!(fixture.world.refunds.refunds_due(fixture.clock.now(), 9).await.unwrap().len(), 0);
    assert_eq!((server.moved(), server.calls(Step::Refund)), ((250, 250), 0));
    assert_eq!(fixture.orders_and_captures(sale.id).await, (1, 0));
    fixture.check_out(7, &token, CARD).await.is_problem(409, "not_held");
}

/// Nothing is said to be done that is not: while Stripe or the ledger is away it is told again.
#[actix_web::test]
async fn what_could_not_be_done_is_told_again() {
    let (server, fixture) = fixture().await;
    let (_, id, token) = held(&fixture).await;
    (0..2).for_each(|_| server.next(Step::Capture, NetworkFault::CutAfter));
    fixture.check_out(7, &token, CARD).await.is(202);
    (0..2).for_each(|_| server.next(Step::Cancel, NetworkFault::Says(500)));
    let event = server.events().remove(0);
    tell(&fixture, &event).await.is_problem(503, "unavailable");
    assert_eq!(fixture.kind(id).await, Kind::Paying);
    assert_eq!(tell(&fixture, &event).await.status, 204);
    assert_eq!(fixture.kind(id).await, Kind::Confirmed);
}

#[actix_web::test]
async fn what_is_not_signed_or_too_long_is_refused() {
    let (server, fixture) = fixture().await;
    let (_, id, token) = held(&fixture).await;
    (0..2).for_each(|_| server.next(Step::Capture, NetworkFault::CutAfter));
    fixture.check_out(7, &token, CARD).await.is(202);
    let body = server.events()[0].to_string();
    let now_s = fixture.clock.now().0 / 1_000;
    for bad in
        [signature("whsec_guess", now_s, body.as_bytes()), signature(WEBHOOK_SECRET, now_s - 400, body.as_bytes())]
    {
        tell_as(&fixture, &bad, body.clone()).await.blames(400, "Stripe-Signature");
    }
    let unsigned = fixture.request(Method::POST, "/v1/webhooks/stripe", None).set_json(json!({}));
    fixture.send(unsigned).await.blames(400, "Stripe-Signature");
    tell_as(&fixture, "t=1,v1=00", vec![b' '; 300_000]).await.is_problem(413, "payload_too_large");
    let nothing = signature(WEBHOOK_SECRET, now_s, b"[]");
    tell_as(&fixture, &nothing, "[]").await.blames(400, "body");
    assert_eq!(fixture.kind(id).await, Kind::Paying);
    let sandbox = Fixture::new().await;
    let request = sandbox.request(Method::POST, "/v1/webhooks/stripe", None).set_json(json!({}));
    sandbox.send(request).await.is_problem(404, "not_found");
}
