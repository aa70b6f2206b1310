//! What an emulator tells of payments, over a real socket.

use std::time::Duration;

use actix_web::{App, HttpServer, rt};
use miaosha::adapters::system::SystemClock;
use miaosha::app::money;
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::BuyerId;
use miaosha::ports::platform::clock::Clock;
use miaosha::wire::gateway::routes;
use serde_json::json;

use super::fixture::{Fixture, HOLD_MS};
use crate::support::localstripe::LocalStripe;
use crate::support::stripe::WEBHOOK_SECRET;

const CARD: &str = "pm_card_visa";

/// A foreign emulator signs and sends by itself, over a real socket, to a gateway that listens.
#[actix_web::test]
async fn an_emulator_s_own_events_are_heard() {
    let stripe = LocalStripe::start().await;
    let fixture = Fixture::on_stripe(&stripe.url).await;
    let now_ms = SystemClock::machine_now().0;
    fixture.clock.advance_ms(now_ms - fixture.clock.now().0);
    let gateway = fixture.gateway.clone();
    let server = HttpServer::new(move || {
        let gateway = gateway.clone();
        App::new().configure(|cfg| routes(cfg, gateway))
    });
    let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/webhooks/stripe", server.addrs()[0]);
    let server = server.run();
    let handle = server.handle();
    let running = rt::spawn(server);
    stripe.tell(&url, WEBHOOK_SECRET).await;

    let sale = fixture.sale(1, 0).await;
    let id = fixture.attempt(sale.id, 7, 1).await;
    let token = fixture.keys.sign_checkout(id, BuyerId(7), fixture.clock.now(), HOLD_MS);
    let access = fixture.keys.sign_access(BuyerId(7), Role::Shopper, fixture.clock.now(), HOLD_MS);
    // The gateway stands between the capture and the order until the emulator's word has written it.
    let stop = fixture.stops.arm(money::points::CHECKOUT_AFTER_CAPTURE);
    let body = json!({ "checkout_token": token, "card": CARD });
    let checkout = rt::spawn(fixture.post("/v1/checkouts", &access, &body));
    stop.reached().await;
    let heard = async {
        while fixture.kind(id).await != Kind::Confirmed {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), heard).await.expect("the emulator tells after a second");
    stop.go_on();
    checkout.await.unwrap().is(201);
    handle.stop(false).await;
    running.await.unwrap().unwrap();
}
