//! What Stripe tells, to a gateway whose payments go to it: duplicates, retries, any order, forgeries, and the word that comes
//! when nobody waits for it any more.

use actix_web::http::Method;
use miaosha::app::money;
use miaosha::domain::sale::Sale;
use miaosha::domain::sale::reservation::{Kind, State};
use miaosha::domain::shared::id::ReservationId;
use miaosha::ports::platform::clock::Clock;

use miaosha::workers::payment_consumer::{self as payments, Sweeper};
use serde_json::{Value, json};

use super::bed::{Answer, Bed, HOLD_MS};
use crate::support::localstripe::LocalStripe;
use crate::support::stripe::{Mood, Step, StripeServer, WEBHOOK_SECRET, signature};

pub const CARD: &str = "pm_card_visa";

pub async fn bed() -> (StripeServer, Bed) {
    let server = StripeServer::start().await;
    let bed = Bed::on_stripe(&server.url).await;
    (server, bed)
}

pub async fn tell(bed: &Bed, event: &Value) -> Answer {
    let body = event.to_string();
    let signed = signature(WEBHOOK_SECRET, bed.clock.now().0 / 1_000, body.as_bytes());
    tell_as(bed, &signed, body).await
}

async fn tell_as(bed: &Bed, signature: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = bed.request(Method::POST, "/v1/webhooks/stripe", None).set_payload(body.into());
    let request = request.insert_header(("Content-Type", "application/json; charset=utf-8"));
    bed.send(request.insert_header(("Stripe-Signature", signature))).await
}

async fn held(bed: &Bed) -> (Sale, ReservationId, String) {
    let sale = bed.sale(1, 0).await;
    let id = bed.attempt(sale.id, 7, 1).await;
    let token = bed.checkout_token(sale.id, 7).await;
    (sale, id, token)
}

async fn sweep(bed: &Bed) {
    let settings = payments::Settings { paying_ms_max: 10, orphan_ms: 10, ..payments::Settings::default() };
    bed.clock.advance_ms(20);
    Sweeper::new(bed.world.needs(), settings).sweep().await.unwrap();
}

#[actix_web::test]
async fn a_checkout_goes_through_and_its_echoes_change_nothing() {
    let (server, bed) = bed().await;
    let (sale, id, token) = held(&bed).await;
    bed.check_out(7, &token, "pm_card_declined_lost_card").await.is_problem(402, "card_declined");
    let order = bed.check_out(7, &token, CARD).await.is(201);
    let before = bed.row(id).await;
    let mut events = server.events();
    assert_eq!(events.len(), 2, "the declined one's end, and the money");
    events.reverse();
    for event in events.iter().chain(&events) {
        assert_eq!(tell(&bed, event).await.status, 204);
    }
    assert_eq!(bed.row(id).await, before);
    assert_eq!(bed.check_out(7, &token, CARD).await.is(200), order);
    assert_eq!((bed.orders_and_captures(sale.id).await, server.moved()), ((1, 1), (250, 0)));
}

/// The gateway dies with the money taken: the word writes the order before the sweeper comes.
#[actix_web::test]
async fn the_word_finishes_what_a_gateway_left() {
    let (server, bed) = bed().await;
    let (sale, id, token) = held(&bed).await;
    (0..2).for_each(|_| server.next(Step::Capture, Mood::CutAfter));
    bed.check_out(7, &token, CARD).await.is(202);
    assert_eq!(bed.kind(id).await, Kind::Paying);
    // It is told until it is heard: a ledger that is away answers 503, and Stripe comes again.
    for event in server.events() {
        assert_eq!(tell(&bed, &event).await.status, 204);
    }
    assert_eq!(bed.kind(id).await, Kind::Confirmed);
    assert_eq!((bed.orders_and_captures(sale.id).await, server.moved()), ((1, 1), (250, 0)));
    bed.check_out(7, &token, CARD).await.is(200);
}

/// In the very moment between capture and order: one of the two writes it, and both say the same.
#[actix_web::test]
async fn the_word_may_overtake_the_gateway() {
    let (server, bed) = bed().await;
    let (sale, id, token) = held(&bed).await;
    let stop = bed.stops.arm(money::points::CHECKOUT_AFTER_CAPTURE);
    let checkout = actix_web::rt::spawn(bed.check_out(7, &token, CARD));
    stop.reached().await;
    assert_eq!(tell(&bed, &server.events()[0]).await.status, 204);
    let written = bed.world.orders.orders(miaosha::domain::shared::id::BuyerId(7), 9).await.unwrap();
    stop.go_on();
    assert_eq!(checkout.await.unwrap().is(201)["order_number"], written[0].number);
    assert_eq!(bed.kind(id).await, Kind::Confirmed);
    assert_eq!(bed.orders_and_captures(sale.id).await, (1, 1));
}

/// Money that moved for a row that is gone goes back, though nobody here remembered to look.
#[actix_web::test]
async fn a_late_success_is_given_back() {
    let (server, bed) = bed().await;
    let (sale, id, token) = held(&bed).await;
    (0..2).for_each(|_| server.next(Step::Capture, Mood::CutAfter));
    bed.check_out(7, &token, CARD).await.is(202);
    // Somebody believed that it was void.
    let State::Paying { payment, .. } = bed.row(id).await.state else { panic!("it is paying") };
    bed.world.paying.payment_voided(id, payment, bed.clock.now().plus_ms(2 * HOLD_MS)).await.unwrap();
    assert_eq!(bed.kind(id).await, Kind::Lapsed);
    sweep(&bed).await;
    assert_eq!(server.moved(), (250, 0), "no sweeper looks for it");
    for _ in 0..2 {
        assert_eq!(tell(&bed, &server.events()[0]).await.status, 204);
    }
    sweep(&bed).await;
    assert_eq!(server.moved(), (250, 250));
    for event in server.events() {
        assert_eq!(tell(&bed, &event).await.status, 204);
    }
    sweep(&bed).await;
    assert_eq!((server.moved(), bed.orders_and_captures(sale.id).await), ((250, 250), (0, 0)));
    assert_eq!(bed.kind(id).await, Kind::Lapsed);
}

/// An operator gave the money back at Stripe: the order here goes with it, and not a second time. A part of it says nothing.
#[actix_web::test]
async fn what_was_given_back_by_hand_ends_its_order() {
    let (server, bed) = bed().await;
    let (sale, id, token) = held(&bed).await;
    bed.check_out(7, &token, CARD).await.is(201);
    server.give_back_by_hand(50);
    assert_eq!(tell(&bed, server.events().last().unwrap()).await.status, 204);
    assert_eq!(bed.kind(id).await, Kind::Confirmed);
    server.give_back_by_hand(200);
    for _ in 0..2 {
        assert_eq!(tell(&bed, server.events().last().unwrap()).await.status, 204);
        assert_eq!(bed.kind(id).await, Kind::Refunded);
    }
    sweep(&bed).await;
    assert_eq!(bed.world.refunds.refunds_due(bed.clock.now(), 9).await.unwrap().len(), 0);
    assert_eq!((server.moved(), server.calls(Step::Refund)), ((250, 250), 0));
    assert_eq!(bed.orders_and_captures(sale.id).await, (1, 0));
    bed.check_out(7, &token, CARD).await.is_problem(409, "not_held");
}

/// Nothing is said to be done that is not: while Stripe or the ledger is away it is told again.
#[actix_web::test]
async fn what_could_not_be_done_is_told_again() {
    let (server, bed) = bed().await;
    let (_, id, token) = held(&bed).await;
    (0..2).for_each(|_| server.next(Step::Capture, Mood::CutAfter));
    bed.check_out(7, &token, CARD).await.is(202);
    (0..2).for_each(|_| server.next(Step::Cancel, Mood::Says(500)));
    let event = server.events().remove(0);
    tell(&bed, &event).await.is_problem(503, "unavailable");
    assert_eq!(bed.kind(id).await, Kind::Paying);
    assert_eq!(tell(&bed, &event).await.status, 204);
    assert_eq!(bed.kind(id).await, Kind::Confirmed);
}

#[actix_web::test]
async fn what_is_not_signed_or_too_long_is_refused() {
    let (server, bed) = bed().await;
    let (_, id, token) = held(&bed).await;
    (0..2).for_each(|_| server.next(Step::Capture, Mood::CutAfter));
    bed.check_out(7, &token, CARD).await.is(202);
    let body = server.events()[0].to_string();
    let now_s = bed.clock.now().0 / 1_000;
    for bad in
        [signature("whsec_guess", now_s, body.as_bytes()), signature(WEBHOOK_SECRET, now_s - 400, body.as_bytes())]
    {
        tell_as(&bed, &bad, body.clone()).await.blames(400, "Stripe-Signature");
    }
    let unsigned = bed.request(Method::POST, "/v1/webhooks/stripe", None).set_json(json!({}));
    bed.send(unsigned).await.blames(400, "Stripe-Signature");
    tell_as(&bed, "t=1,v1=00", vec![b' '; 300_000]).await.is_problem(413, "payload_too_large");
    let nothing = signature(WEBHOOK_SECRET, now_s, b"[]");
    tell_as(&bed, &nothing, "[]").await.blames(400, "body");
    assert_eq!(bed.kind(id).await, Kind::Paying);
    let sandbox = Bed::new().await;
    let request = sandbox.request(Method::POST, "/v1/webhooks/stripe", None).set_json(json!({}));
    sandbox.send(request).await.is_problem(404, "not_found");
}

/// Somebody else's emulator signs and sends by itself, over a real socket, to a gateway that listens.
#[actix_web::test]
async fn an_emulator_s_own_events_are_heard() {
    let stripe = LocalStripe::start().await;
    let bed = Bed::on_stripe(&stripe.url).await;
    let now_ms = miaosha::adapters::system::SystemClock::machine_now().0;
    bed.clock.advance_ms(now_ms - bed.clock.now().0);
    let gateway = bed.gateway.clone();
    let server = actix_web::HttpServer::new(move || {
        let gateway = gateway.clone();
        actix_web::App::new().configure(|cfg| miaosha::faces::gateway::routes(cfg, gateway))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/webhooks/stripe", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    stripe.tell(&url, WEBHOOK_SECRET).await;

    let sale = bed.sale(1, 0).await;
    let id = bed.attempt(sale.id, 7, 1).await;
    let token = bed.keys.sign_checkout(id, miaosha::domain::shared::id::BuyerId(7), bed.clock.now(), HOLD_MS);
    let access = bed.keys.sign_access(
        miaosha::domain::shared::id::BuyerId(7),
        miaosha::domain::people::Role::Shopper,
        bed.clock.now(),
        HOLD_MS,
    );
    // The gateway stands between the capture and the order until the emulator's word has written it.
    let stop = bed.stops.arm(money::points::CHECKOUT_AFTER_CAPTURE);
    let body = json!({ "checkout_token": token, "card": CARD });
    let checkout = actix_web::rt::spawn(bed.post("/v1/checkouts", &access, &body));
    stop.reached().await;
    let heard = async {
        while bed.kind(id).await != Kind::Confirmed {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), heard).await.expect("the emulator tells after a second");
    stop.go_on();
    checkout.await.unwrap().is(201);
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
