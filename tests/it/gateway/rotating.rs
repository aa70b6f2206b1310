//! Keys are changed while people are in the shop: published first, then signing, and the old one dropped when nothing that it
//! signed is good any more. Each step is a gateway of its own beside those of the steps before and after.

use actix_web::http::Method;
use miaosha::app::receipts::gate::{Answer as Admission, Gate, Pack};
use miaosha::app::receipts::keys::PublicKeys;
use miaosha::app::receipts::token::{TokenError, sign, verify};
use miaosha::domain::people::Role;
use miaosha::domain::receipts::Proof;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;
use serde_json::{Value, json};

use super::fixture::{Answer, Calls, Fixture};
use super::over_both;
use crate::support::clock::START;

over_both! {
    nobody_is_logged_out
    a_request_is_known_again
    a_receipt_is_good_at_every_door
}

const OLD: (&str, &str) = ("access:a1:A,checkout:c1:C,admission:d1:E", "r1:7");
const NEW: (&str, &str) = ("access:a2:B,checkout:c2:D,admission:d2:F", "r2:8");

/// With the keys themselves for the digit that they are made of.
fn whole(text: &str) -> String {
    let entries = text.split(',').map(|entry| {
        let (name, digit) = entry.rsplit_once(':').unwrap();
        format!("{name}:{}", digit.to_lowercase().repeat(64))
    });
    entries.collect::<Vec<_>>().join(",")
}

/// The four steps: before, published, signing, dropped.
async fn steps(fixture: &Fixture) -> [Calls; 4] {
    let lists = [vec![OLD], vec![OLD, NEW], vec![NEW, OLD], vec![NEW]];
    let step = async |list: Vec<(&str, &str)>| {
        let (tokens, receipts): (Vec<_>, Vec<_>) = list.into_iter().unzip();
        fixture.gateway_with(&whole(&tokens.join(",")), &whole(&receipts.join(","))).await
    };
    let [before, published, signing, dropped] = lists;
    [step(before).await, step(published).await, step(signing).await, step(dropped).await]
}

impl Fixture {
    async fn ask(&self, step: &Calls, method: Method, path: &str, token: &str, body: Value) -> Answer {
        let request = self.request(method, path, Some(token).filter(|token| !token.is_empty()));
        step(if body.is_null() { request } else { request.set_json(body) }).await
    }
}

async fn nobody_is_logged_out(fixture: Fixture) {
    let [before, published, signing, dropped] = steps(&fixture).await;
    let person = json!({ "name": "Ada", "email": "ada@example.org", "password": "difference engine" });
    let login = json!({ "email": "ada@example.org", "password": "difference engine" });
    let entered = async |step: &Calls| {
        let welcome = fixture.ask(step, Method::POST, "/v1/sessions", "", login.clone()).await.is(201);
        welcome["access_token"].as_str().unwrap().to_owned()
    };
    let me = async |step: &Calls, token: &str| {
        fixture.ask(step, Method::GET, "/v1/me", token, Value::Null).await.status.as_u16()
    };
    fixture.sign_up(&person).await;
    let old = entered(&before).await;
    let at_published = fixture.ask(&published, Method::POST, "/v1/sessions", "", login.clone()).await.is(201);
    let at_published = at_published["access_token"].as_str().unwrap();
    let at_signing = fixture.ask(&signing, Method::POST, "/v1/sessions", "", login.clone()).await.is(201);
    let at_signing = at_signing["access_token"].as_str().unwrap();
    // Side by side are at most two steps that follow each other.
    for token in [old.as_str(), at_published] {
        assert_eq!([me(&before, token).await, me(&published, token).await, me(&signing, token).await], [200; 3]);
    }
    assert_eq!(
        [me(&published, at_signing).await, me(&signing, at_signing).await, me(&dropped, at_signing).await],
        [200; 3]
    );
    assert_eq!(me(&dropped, &old).await, 401, "it is dropped when no such token is left");
    assert_eq!(me(&before, at_signing).await, 401, "which is why it is published first");

    // The right to pay, too: given out by one and brought to another.
    let sale = fixture.sale(1, 0).await;
    fixture.attempt(sale.id, 7, 1).await;
    let path = format!("/v1/sales/{}/reservation", sale.id);
    for (given, taken) in [(&before, &published), (&published, &signing), (&signing, &published)] {
        let held = fixture.ask(given, Method::GET, &path, &fixture.shopper(7), Value::Null).await.is(200);
        let body = json!({ "checkout_token": held["checkout_token"], "card": "declined" });
        fixture.ask(taken, Method::POST, "/v1/checkouts", &fixture.shopper(7), body).await.is(402);
    }
}

/// What was begun under a key of a request is found again by who has other keys of tokens.
async fn a_request_is_known_again(fixture: Fixture) {
    let [before, published, signing, dropped] = steps(&fixture).await;
    let item = |title: &str| json!({ "title": title, "description": "x" });
    let create = async |step: &Calls, title: &str| {
        let request = fixture.request(Method::POST, "/v1/admin/items", Some(&fixture.operator()));
        step(request.insert_header(("Idempotency-Key", "rotation-1234567890")).set_json(item(title))).await
    };
    let first = create(&before, "A lamp").await.is(201);
    assert_eq!(create(&published, "A lamp").await.is(201), first);
    assert_eq!(create(&signing, "A lamp").await.is(201), first);
    assert_ne!(create(&signing, "Another").await.status.as_u16(), 201);
    drop(dropped);
}

async fn a_receipt_is_good_at_every_door(fixture: Fixture) {
    let [before, published, signing, dropped] = steps(&fixture).await;
    let (_, order) = fixture.order(7, 4).await;
    let proof = |unit| Proof { sale: order.sale, unit, reservation: order.reservation };
    let printed = async |step: &Calls, unit: usize| {
        let path = format!("/v1/orders/{}/tickets", order.number);
        let tickets = fixture.ask(step, Method::GET, &path, &fixture.shopper(7), Value::Null).await.is(200);
        tickets["units"][unit - 1]["token"].as_str().unwrap().to_owned()
    };
    let keys = async |step: &Calls| {
        let answer = fixture.ask(step, Method::GET, "/v1/keys", "", Value::Null).await;
        PublicKeys::from_json(std::str::from_utf8(&answer.bytes).unwrap()).unwrap()
    };
    let old: Vec<String> = [printed(&before, 1).await, printed(&published, 2).await, printed(&before, 3).await].into();
    let new = printed(&signing, 4).await;
    assert_eq!(old[0], sign(proof(1), fixture.receipts.keys()), "the old key signs until the new one does");

    // Offline, with what is published.
    assert_eq!(verify(&old[0], &keys(&signing).await), Ok(proof(1)));
    assert_eq!(verify(&new, &keys(&published).await), Ok(proof(4)), "the new key is known before it signs");
    assert_eq!(verify(&old[0], &keys(&dropped).await), Err(TokenError::Key));

    // At the door of the shop, and at a gate without it.
    let operator = TokenKeys::parse(&whole(NEW.0)).unwrap();
    let operator = operator.sign_access(BuyerId(1_000_000), Role::Owner, START, 86_400_000);
    let check_in = async |step: &Calls, token: &str| {
        let body = json!({ "sale_id": order.sale, "token": token, "gate": "north" });
        fixture.ask(step, Method::POST, "/v1/check-ins", &operator, body).await
    };
    check_in(&signing, &old[0]).await.is(201);
    check_in(&published, &new).await.is(201);
    let path = format!("/v1/admin/sales/{}/gate-pack", order.sale);
    let pack = fixture.ask(&signing, Method::GET, &path, &fixture.operator(), Value::Null).await.is(200);
    let pack: Pack = serde_json::from_value(pack).unwrap();
    let mut gate = Gate::open(pack, &fixture.folder.path().join("south"), "south").unwrap();
    assert_eq!(gate.check_in(&old[1], START).unwrap(), Admission::Admitted(proof(2)));
    // Who drops a key ends its receipts.
    check_in(&dropped, &old[2]).await.blames(400, "token");
    check_in(&signing, &old[2]).await.is(201);
}
