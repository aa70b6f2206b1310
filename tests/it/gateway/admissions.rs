//! Admissions: what one says, to whom it is given, and what it costs who let holds lapse, who is one of many, who comes with many.

use std::net::SocketAddr;

use actix_web::http::Method;
use miaosha::app::sale::admission::Settings;
use miaosha::app::sale::admission::proof::{Proof, zero_bits};
use miaosha::app::sale::question;
use miaosha::domain::sale::{Question, Sale, SaleState};
use miaosha::domain::shared::id::{BuyerId, ReservationId, SaleId};
use miaosha::domain::shared::time::Timestamp;
use miaosha::faces::front;
use miaosha::faces::tokens::admission::SaleAdmission;
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, HOLD_MS, settings};
use super::over_both;
use crate::support::clock::START;

/// As a shop has them, but that nothing is asked of many.
fn calm() -> Settings {
    Settings { network: false, proof: false, lapses_max: 3, calls_max: 1_000, given_max: 1_000, ..Settings::default() }
}

async fn fixture(admission: Settings) -> Fixture {
    Fixture::with(front::Settings { admission, ..settings() }).await
}

impl Fixture {
    async fn admission_from(&self, address: &str, sale: SaleId, buyer: u64, body: &Value) -> Answer {
        let address: SocketAddr = format!("{address}:1234").parse().unwrap();
        let token = self.shopper(buyer);
        let request = self.request(Method::POST, &format!("/v1/sales/{sale}/admission"), Some(&token));
        self.send(request.peer_addr(address).set_json(body)).await
    }

    async fn admission_of(&self, sale: SaleId, buyer: u64) -> Answer {
        self.admission_from("10.0.0.1", sale, buyer, &json!({})).await
    }

    fn told(&self, answer: &Value) -> SaleAdmission {
        self.keys.for_publisher().verify(answer["admission"].as_str().unwrap()).unwrap()
    }

    /// Holds whose time is over lapse, and their units go on.
    async fn sweep(&self) {
        let sweeper = Sweeper::new(self.world.needs(), payments::Settings { alarm_ms: 0, ..Default::default() });
        for job in [Job::Overdue, Job::Unfreed] {
            sweeper.sweep_one(job).await.unwrap();
        }
    }

    /// One more hold that its buyer does not pay.
    async fn lets_lapse(&self, sale: SaleId, buyer: u64) -> ReservationId {
        let id = self.attempt(sale, buyer, 1).await;
        self.clock.advance_ms(HOLD_MS);
        self.sweep().await;
        id
    }
}

#[actix_web::test]
async fn an_admission_says_what_it_is_for() {
    let fixture = fixture(Settings::default()).await;
    let question = Question { prompt: "2 + 2?".into(), answer: "4".into() };
    let sale = fixture.sale_with(2, 0, vec![question]).await;
    let answer = fixture.admission_of(sale.id, 7).await;
    assert_eq!(answer.headers.get("cache-control").unwrap(), "no-store");
    let said = answer.is(200);
    let until = START.plus_ms(60_000);
    assert_eq!(fixture.told(&said), SaleAdmission::new(BuyerId(7), sale.id, 0, START, until));
    let rest = json!({
        "admission": said["admission"], "until": until.0, "question": { "id": 0, "prompt": "2 + 2?" },
        "opens_at": sale.opens_at.0, "closes_at": sale.closes_at.0, "server_ms": START.0,
    });
    assert_eq!(said, rest);
    let silent = fixture.sale(1, 0).await;
    assert_eq!(fixture.admission_of(silent.id, 7).await.is(200)["question"], Value::Null);
    fixture.admission_of(SaleId(99), 7).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn each_buyer_has_a_question_and_never_its_answer() {
    let fixture = fixture(calm()).await;
    let question = |n: usize| Question { prompt: format!("prompt {n}"), answer: format!("secret {n}") };
    let sale = fixture.sale_with(1, 0, (0..5).map(question).collect()).await;
    let mut seen = std::collections::BTreeSet::new();
    for buyer in 0..40 {
        let said = fixture.admission_of(sale.id, buyer).await.is(200);
        let index = question::index_for(&sale, BuyerId(buyer)).unwrap();
        assert_eq!(said["question"], json!({ "id": index, "prompt": format!("prompt {index}") }));
        assert!(!said.to_string().contains("secret"), "{said}");
        seen.insert(index);
    }
    assert_eq!(seen.len(), 5);
    let shown = fixture.get(&format!("/v1/sales/{}", sale.id), "").await.is(200).to_string();
    assert!(!shown.contains("secret") && !shown.contains("prompt"), "{shown}");
}

#[actix_web::test]
async fn it_is_given_from_a_while_before_the_opening_until_the_close() {
    let fixture = fixture(Settings { ahead_ms: 5_000, admission_ms: 20_000, ..calm() }).await;
    let sale = fixture.sale(1, 0).await;
    let at = |ms: i64| fixture.clock.advance_ms(START.plus_ms(ms).since_ms(fixture.world.clock.now()));
    at(-5_001);
    let early = fixture.admission_of(sale.id, 7).await;
    early.is_problem(409, "too_early");
    assert_eq!(early.body["from"], START.0 - 5_000);
    assert_eq!(early.headers.get("retry-after").unwrap(), "1");
    at(-5_000);
    assert_eq!(
        fixture.admission_of(sale.id, 7).await.is(200)["until"],
        START.0 + 20_000,
        "its time begins with the bell"
    );
    at(100_000);
    assert_eq!(fixture.admission_of(sale.id, 7).await.is(200)["until"], START.0 + 120_000);
    let closes_at = sale.closes_at.since_ms(START);
    at(closes_at - 1_000);
    assert_eq!(fixture.admission_of(sale.id, 7).await.is(200)["until"], sale.closes_at.0);
    at(closes_at);
    fixture.admission_of(sale.id, 7).await.is_problem(409, "sale_closed");
    at(100_000);
    fixture.world.catalogue.set_state(sale.id, SaleState::Closed).await.unwrap();
    fixture.admission_of(sale.id, 7).await.is_problem(409, "sale_closed");
}

over_both! {
    who_has_something_is_given_none
    holds_that_lapsed_cost_more_and_more
    what_is_cancelled_soon_is_forgiven_once
}

async fn who_has_something_is_given_none(fixture: Fixture) {
    let sale = fixture.sale(1, 2).await;
    let held = fixture.attempt(sale.id, 1, 1).await;
    fixture.attempt(sale.id, 2, 1).await;
    for buyer in [1, 2] {
        fixture.admission_of(sale.id, buyer).await.is_problem(409, "has_reservation");
    }
    let token = fixture.checkout_token(sale.id, 1).await;
    fixture.check_out(1, &token, "ok").await.is(201);
    fixture.admission_of(sale.id, 1).await.is_problem(409, "has_reservation");
    fixture.admission_of(sale.id, 3).await.is(200);
    // What was given back is nothing that lives, and was paid for.
    fixture.refund_all(held).await;
    fixture.admission_of(sale.id, 1).await.is(200);
}

/// After the first a minute, after the second none at all: in this sale, and of this buyer.
async fn holds_that_lapsed_cost_more_and_more(fixture: Fixture) {
    let [sale, other] = [fixture.sale(1, 0).await, fixture.sale(1, 0).await];
    fixture.admission_of(sale.id, 7).await.is(200);
    fixture.lets_lapse(sale.id, 7).await;
    let cooling = fixture.admission_of(sale.id, 7).await;
    cooling.is_problem(403, "cooling_off");
    assert_eq!(cooling.headers.get("retry-after").unwrap(), "60");
    assert_eq!(cooling.body["until"], START.0 + HOLD_MS + 60_000);
    fixture.admission_of(sale.id, 8).await.is(200);
    fixture.admission_of(other.id, 7).await.is(200);
    fixture.clock.advance_ms(59_999);
    fixture.admission_of(sale.id, 7).await.is_problem(403, "cooling_off");
    fixture.clock.advance_ms(1);
    fixture.admission_of(sale.id, 7).await.is(200);
    fixture.lets_lapse(sale.id, 7).await;
    fixture.clock.advance_ms(10 * 3_600_000);
    fixture.admission_of(sale.id, 7).await.is_problem(403, "lapsed_out");
    fixture.admission_of(other.id, 7).await.is(200);
}

/// Whoever did so again and again would have the sale for nothing.
async fn what_is_cancelled_soon_is_forgiven_once(fixture: Fixture) {
    let sale = fixture.sale(1, 0).await;
    for status in [200, 403] {
        fixture.admission_of(sale.id, 7).await.is(200);
        fixture.attempt(sale.id, 7, 1).await;
        fixture.clock.advance_ms(1_000);
        fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(7)).await.is(200);
        fixture.sweep().await;
        assert_eq!(fixture.admission_of(sale.id, 7).await.status.as_u16(), status);
    }
    fixture.clock.advance_ms(60_000);
    fixture.admission_of(sale.id, 7).await.is(200);
}

#[actix_web::test]
async fn a_hold_that_is_cancelled_late_costs_as_one_that_lapsed() {
    let fixture = fixture(Settings { regret_ms: 20_000, ..calm() }).await;
    let sale = fixture.sale(2, 0).await;
    for (buyer, held_ms, status) in [(7, 20_000, 200), (8, 20_001, 403)] {
        fixture.attempt(sale.id, buyer, 1).await;
        fixture.clock.advance_ms(held_ms);
        fixture.delete(&format!("/v1/sales/{}/reservation", sale.id), &fixture.shopper(buyer)).await.is(200);
        assert_eq!(fixture.admission_of(sale.id, buyer).await.status.as_u16(), status);
    }
}

#[actix_web::test]
async fn each_condition_can_be_left_out() {
    let fixture =
        fixture(Settings { calls_max: 1_000, given_max: 1_000, ..Settings::default() }.without_conditions()).await;
    let sale = fixture.sale(1, 0).await;
    for _ in 0..4 {
        fixture.admission_of(sale.id, 7).await.is(200);
        fixture.lets_lapse(sale.id, 7).await;
    }
    for buyer in 10..40 {
        fixture.admission_of(sale.id, buyer).await.is(200);
    }
}

#[actix_web::test]
async fn a_network_has_so_many_places_in_a_sale() {
    let fixture = fixture(Settings { network: true, network_places_max: 3, ..calm() }).await;
    let [sale, other] = [fixture.sale(1, 0).await, fixture.sale(1, 0).await];
    let ask =
        async |address: &str, sale: &Sale, buyer| fixture.admission_from(address, sale.id, buyer, &json!({})).await;
    for buyer in 1..=3 {
        ask(&format!("203.0.113.{buyer}"), &sale, buyer).await.is(200);
    }
    let full = ask("203.0.113.9", &sale, 4).await;
    full.is_problem(429, "network_full");
    assert!(full.headers.contains_key("retry-after"));
    ask("203.0.113.200", &sale, 2).await.is(200);
    ask("203.0.114.9", &sale, 4).await.is(200);
    ask("203.0.113.9", &other, 4).await.is(200);
    for (number, buyer) in (11..=13).enumerate() {
        ask(&format!("[2001:db8:1:1::{number}]"), &sale, buyer).await.is(200);
    }
    ask("[2001:db8:1:1:ffff::1]", &sale, 14).await.is_problem(429, "network_full");
    ask("[2001:db8:1:2::1]", &sale, 14).await.is(200);
}

/// One who was made up has bought nothing; what was given back or cost nothing was not bought.
#[actix_web::test]
async fn who_has_bought_takes_no_place_of_a_network() {
    let fixture = fixture(Settings { network: true, network_places_max: 1, ..calm() }).await;
    let [sale, bought, free] = [fixture.sale(1, 0).await, fixture.sale(2, 0).await, fixture.sale_at(0, "TWD", 1).await];
    let mut orders = Vec::new();
    for buyer in [1, 2] {
        orders.push(fixture.attempt(bought.id, buyer, 1).await);
        let token = fixture.checkout_token(bought.id, buyer).await;
        fixture.check_out(buyer, &token, "ok").await.is(201);
    }
    fixture.attempt(free.id, 3, 1).await;
    let token = fixture.checkout_token(free.id, 3).await;
    fixture.check_out(3, &token, "ok").await.is(201);
    fixture.refund_all(orders[1]).await;
    fixture.admission_of(sale.id, 9).await.is(200);
    fixture.admission_of(sale.id, 1).await.is(200);
    for buyer in [2, 3, 4] {
        fixture.admission_of(sale.id, buyer).await.is_problem(429, "network_full");
    }
    fixture.admission_of(sale.id, 9).await.is(200);
}

/// The page's part of it.
fn solved(needed: &Value) -> Value {
    let (challenge, bits) = (needed["challenge"].as_str().unwrap(), needed["bits"].as_u64().unwrap() as u32);
    let is_it = |solution: &String| zero_bits(Proof { challenge, solution }) >= bits;
    let solution = (0_u64..).map(|number| number.to_string()).find(is_it).unwrap();
    json!({ "challenge": challenge, "solution": solution })
}

#[actix_web::test]
async fn work_is_asked_where_many_come_from_one_network() {
    let fixture = fixture(Settings { proof: true, bits: 4, bits_max: 6, ..calm() }).await;
    let sale = fixture.sale(1, 0).await;
    for buyer in 1..=5 {
        fixture.admission_of(sale.id, buyer).await.is(200);
    }
    let mut bits = Vec::new();
    for buyer in 6..=45 {
        let needed = fixture.admission_of(sale.id, buyer).await;
        needed.is_problem(428, "proof_needed");
        assert_eq!(needed.body["until"], START.0 + 120_000);
        bits.push(needed.body["bits"].as_u64().unwrap());
        fixture.admission_from("10.0.0.1", sale.id, buyer, &solved(&needed.body)).await.is(200);
    }
    bits.dedup();
    assert_eq!(bits, [4, 5, 6], "one more with each doubling, up to the most");
    fixture.admission_from("10.9.9.9", sale.id, 50, &json!({})).await.is(200);
}

#[actix_web::test]
async fn work_is_for_one_buyer_and_sale_and_good_for_a_while() {
    let fixture = fixture(Settings { proof: true, free_places: 0, bits: 8, ..calm() }).await;
    let [sale, other] = [fixture.sale(1, 0).await, fixture.sale(1, 0).await];
    let ask = async |sale: &Sale, buyer, body: &Value| fixture.admission_from("10.0.0.1", sale.id, buyer, body).await;
    let needed = ask(&sale, 7, &json!({})).await.body;
    let right = solved(&needed);
    for (sale, buyer) in [(&sale, 8), (&other, 7)] {
        ask(sale, buyer, &right).await.blames(422, "challenge");
    }
    let wrong = (0_u64..)
        .map(|number| number.to_string())
        .find(|solution| zero_bits(Proof { challenge: needed["challenge"].as_str().unwrap(), solution }) < 8);
    let wrong = json!({ "challenge": needed["challenge"], "solution": wrong });
    let refused = ask(&sale, 7, &wrong).await;
    refused.is_problem(422, "wrong_proof");
    refused.blames(422, "solution");
    fixture.clock.advance_ms(119_999);
    ask(&sale, 7, &right).await.is(200);
    fixture.clock.advance_ms(1);
    let again = ask(&sale, 7, &right).await;
    again.is_problem(428, "proof_needed");
    assert_ne!(again.body["challenge"], needed["challenge"]);
    ask(&sale, 7, &solved(&again.body)).await.is(200);
}

/// However far apart they come from: more in a second than this process likes.
#[actix_web::test]
async fn work_is_asked_where_many_come_at_once() {
    let fixture = fixture(Settings { proof: true, free_per_s: 10, bits: 4, ..calm() }).await;
    let sale = fixture.sale(1, 0).await;
    let mut asked = 0;
    for buyer in 1..=20 {
        let answer = fixture.admission_from(&format!("10.0.{buyer}.1"), sale.id, buyer, &json!({})).await;
        asked += u32::from(answer.status == 428);
    }
    assert_eq!(asked, 11, "from the tenth on");
    fixture.clock.advance_ms(2_000);
    fixture.admission_from("10.0.99.1", sale.id, 99, &json!({})).await.is(200);
}

#[actix_web::test]
async fn what_is_sent_with_it_is_checked() {
    let fixture = fixture(Settings { proof: true, free_places: 0, calls_max: 1_000, ..Settings::default() }).await;
    let sale = fixture.sale(1, 0).await;
    let ask = async |body: Value| fixture.admission_from("10.0.0.1", sale.id, 7, &body).await;
    ask(json!({ "challenge": "x" })).await.blames(400, "solution");
    ask(json!({ "solution": "1" })).await.blames(400, "challenge");
    ask(json!({ "challenge": "x", "solution": "-1" })).await.blames(400, "solution");
    ask(json!({ "challenge": "x", "solution": 1 })).await.blames(400, "solution");
    ask(json!({ "surprise": 1 })).await.blames(400, "surprise");
    // At the limit it is looked at, and found to be wrong.
    for (chars, status) in [(100, 422), (101, 400)] {
        ask(json!({ "challenge": "x".repeat(chars), "solution": "1" })).await.blames(status, "challenge");
    }
    for (digits, field) in [(20, "challenge"), (21, "solution")] {
        let answer = ask(json!({ "challenge": "x", "solution": "1".repeat(digits) })).await;
        assert_eq!(answer.body["field"], field, "{digits}: {}", answer.body);
    }
}

#[actix_web::test]
async fn a_buyer_asks_so_often() {
    let fixture = fixture(Settings { calls_max: 4, given_max: 2, ..calm() }).await;
    let [sale, other] = [fixture.sale(1, 0).await, fixture.sale(1, 0).await];
    for _ in 0..2 {
        for _ in 0..2 {
            fixture.admission_of(sale.id, 7).await.is(200);
        }
        let third = fixture.admission_of(sale.id, 7).await;
        third.is_problem(429, "too_many_requests");
        assert_eq!(third.headers.get("retry-after").unwrap(), "60");
        fixture.admission_of(other.id, 7).await.is(200);
        fixture.admission_of(other.id, 7).await.is_problem(429, "too_many_requests");
        fixture.admission_of(sale.id, 8).await.is(200);
        fixture.clock.advance_ms(60_000);
    }
}

/// Who logged out everywhere has no admission any more, either: it is of the same epoch.
#[actix_web::test]
async fn an_admission_is_of_its_tokens_epoch() {
    let fixture = fixture(calm()).await;
    let sale = fixture.sale(1, 0).await;
    let principal = miaosha::faces::tokens::access::Principal {
        buyer: BuyerId(7),
        role: miaosha::domain::people::Role::Shopper,
        epoch: 3,
        proved_at: None,
        session: None,
    };
    let token = fixture.keys.sign_access_of(principal, START, 86_400_000);
    let said = fixture.post(&format!("/v1/sales/{}/admission", sale.id), &token, &json!({})).await.is(200);
    assert_eq!(fixture.told(&said).epoch, 3);
    assert!(fixture.told(&said).until > Timestamp(0));
}
