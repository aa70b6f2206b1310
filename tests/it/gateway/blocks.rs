//! Units that an operator takes out of sale and puts back: the request, the queue, and a process that crashes in between.

use std::time::Duration;

use actix_web::rt;
use futures_util::future::join_all;
use miaosha::app::audit::audit;
use miaosha::app::sale;
use miaosha::domain::people::Role;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::front::Settings;
use miaosha::kit::http::idempotency;
use miaosha::ports::sale::attempts::partition_of;
use miaosha::workers::consumer::{self, Consumer};
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::{Value, json};

use super::fixture::{Fixture, settings};
use super::over_both;

const KEY: &str = "0c3a1f8e-6c35-4c9e-9e0b-3f5c1f1d2a77";

over_both! {
    what_is_free_is_taken_and_put_back
    the_same_request_makes_the_same_block_whoever_dies
    a_block_in_the_queue_can_be_ended
    many_operators_at_once_share_what_is_free
}

fn path(sale: SaleId) -> String {
    format!("/v1/admin/sales/{sale}/blocks")
}

fn body(units: u32) -> Value {
    json!({ "units": units, "reason": "For the 樂團" })
}

/// A consumer works as long as this takes.
pub(super) async fn while_decided<T>(fixture: &Fixture, sale: SaleId, what: impl Future<Output = T>) -> T {
    let consumer = Consumer::new(fixture.world.needs(), consumer::Settings::default());
    let mut queue =
        fixture.world.attempts.attempts(partition_of(sale, fixture.world.attempts.partitions())).await.unwrap();
    let decides = async {
        loop {
            consumer.handle(queue.next(16).await.unwrap()).await.unwrap();
        }
    };
    tokio::select! {
        done = what => done,
        () = decides => unreachable!("it works for ever"),
    }
}

async fn sweep(fixture: &Fixture) {
    let sweeper = Sweeper::new(fixture.world.needs(), payments::Settings::default());
    sweeper.sweep_one(Job::Unfreed).await.unwrap();
    sweeper.sweep_one(Job::Watch).await.unwrap();
}

async fn assert_sound(fixture: &Fixture, sale: SaleId) {
    sweep(fixture).await;
    let verdict = audit(&fixture.world.needs(), sale).await.unwrap().unwrap();
    assert!(verdict.pass, "{verdict}");
    assert!(verdict.in_motion.iter().all(|why| why.contains("published")), "{verdict}");
}

async fn listed(fixture: &Fixture, sale: SaleId) -> Vec<Value> {
    let page = fixture.get(&path(sale), &fixture.operator()).await;
    assert!(!page.headers.contains_key("link"));
    page.is(200).as_array().unwrap().clone()
}

async fn left(fixture: &Fixture, sale: SaleId) -> Value {
    fixture.get(&format!("/v1/sales/{sale}"), "").await.is(200)["left"].clone()
}

async fn what_is_free_is_taken_and_put_back(fixture: Fixture) {
    let sale = fixture.sale(10, 3).await.id;
    fixture.attempt(sale, 7, 2).await;
    let made = while_decided(&fixture, sale, fixture.post(&path(sale), &fixture.operator(), &body(50))).await.is(201);
    assert_eq!((&made["wanted"], &made["units"]), (&json!(50), &json!(8)), "only 8 of 50 were free");
    assert_eq!(
        (&made["reason"], &made["decided"], &made["ended"]),
        (&json!("For the 樂團"), &json!(true), &json!(false))
    );
    assert_eq!(listed(&fixture, sale).await, std::slice::from_ref(&made));
    assert_eq!(left(&fixture, sale).await, 0);
    let live = fixture.get(&format!("/v1/admin/sales/{sale}/live"), &fixture.operator()).await.is(200);
    assert_eq!(
        (&live["blocked"], &live["held"], &live["sold"], &live["standby"]),
        (&json!(8), &json!(2), &json!(0), &json!(0))
    );
    let report = fixture.get(&format!("/v1/admin/sales/{sale}/report"), &fixture.operator()).await.is(200);
    assert_eq!(report["reservations"]["blocked"], json!({ "reservations": 2, "units": 8 }));
    assert_eq!((&report["attempts"]["accepted"], &report["orders"]["sold_units"]), (&json!(1), &json!(0)));
    fixture.post(&path(sale), &fixture.operator(), &body(1)).await.blames(409, "units");
    assert_sound(&fixture, sale).await;

    // Who comes now waits, and has it when it is put back.
    let waits = fixture.attempt(sale, 8, 3).await;
    assert_eq!(fixture.kind(waits).await, Kind::Standby);
    let one = format!("{}/{}", path(sale), made["id"].as_str().unwrap());
    let ended = fixture.delete(&one, &fixture.operator()).await.is(200);
    assert_eq!((&ended["id"], &ended["ended"]), (&made["id"], &json!(true)));
    assert_eq!(fixture.delete(&one, &fixture.operator()).await.is(200), ended, "once");
    assert_sound(&fixture, sale).await;
    assert_eq!((fixture.kind(waits).await, left(&fixture, sale).await), (Kind::Held, json!(5)));
    assert_eq!(listed(&fixture, sale).await, [] as [Value; 0]);
}

/// The operator's process is stopped before and after the queue has it; another goes on under the same key.
async fn the_same_request_makes_the_same_block_whoever_dies(fixture: Fixture) {
    let sale = fixture.sale(9, 0).await.id;
    for (key, point) in [
        ("a", sale::points::BLOCK_AFTER_LEDGER),
        ("b", sale::points::BLOCK_AFTER_SUBMIT),
        ("c", idempotency::AFTER_EFFECT),
    ] {
        let stop = fixture.stops.arm(point);
        let first = rt::spawn(fixture.post_under(key, &path(sale), &fixture.operator(), &body(3)));
        let second = while_decided(&fixture, sale, async {
            stop.reached().await;
            fixture.clock.advance_ms(Settings::default().request_lease_ms);
            fixture.post_under(key, &path(sale), &fixture.operator(), &body(3)).await.is(201)
        })
        .await;
        // The first one only slept.
        stop.go_on();
        assert_eq!(first.await.unwrap().is(201), second, "{point:?}");
        // What it put into the queue once more changes nothing.
        while_decided(&fixture, sale, tokio::time::sleep(Duration::from_millis(50))).await;
        assert_eq!(fixture.post_under(key, &path(sale), &fixture.operator(), &body(3)).await.is(201), second);
        assert_sound(&fixture, sale).await;
    }
    let units: Vec<Value> = listed(&fixture, sale).await.iter().map(|block| block["units"].clone()).collect();
    assert_eq!((units, left(&fixture, sale).await), (vec![json!(3); 3], json!(0)));
    // The last one crashed between its effect and its wake-up: the sweeper gives everything on.
    let one = format!("{}/{}", path(sale), listed(&fixture, sale).await[0]["id"].as_str().unwrap());
    let stop = fixture.stops.arm(sale::points::UNBLOCK_AFTER_LEDGER);
    let first = rt::spawn(fixture.delete(&one, &fixture.operator()));
    stop.reached().await;
    assert_sound(&fixture, sale).await;
    assert_eq!(fixture.world.turnstile.look(sale).await.unwrap().unwrap().free, 3);
    stop.go_on();
    first.await.unwrap().is(200);
    assert_sound(&fixture, sale).await;
}

async fn a_block_in_the_queue_can_be_ended(fixture: Fixture) {
    let sale = fixture.sale(4, 2).await.id;
    let operator = fixture.operator();
    // Stopped when the queue has it: no consumer decides.
    let stop = fixture.stops.arm(sale::points::BLOCK_AFTER_SUBMIT);
    let first = rt::spawn(fixture.post_under(KEY, &path(sale), &operator, &body(3)));
    stop.reached().await;
    let waiting = listed(&fixture, sale).await;
    assert_eq!((&waiting[0]["decided"], &waiting[0]["units"], waiting.len()), (&json!(false), &json!(0), 1));
    let one = format!("{}/{}", path(sale), waiting[0]["id"].as_str().unwrap());
    assert_eq!(fixture.delete(&one, &operator).await.is(200)["ended"], true);
    stop.go_on();
    let answer = while_decided(&fixture, sale, first).await.unwrap();
    answer.blames(409, "units");
    assert_sound(&fixture, sale).await;
    assert_eq!((left(&fixture, sale).await, listed(&fixture, sale).await.len()), (json!(4), 0));
    assert_eq!(fixture.world.turnstile.look(sale).await.unwrap().unwrap().free, 4);
}

async fn many_operators_at_once_share_what_is_free(fixture: Fixture) {
    let sale = fixture.sale(10, 4).await.id;
    let requests = (0..5).map(|_| fixture.post(&path(sale), &fixture.operator(), &body(4)));
    let answers = while_decided(&fixture, sale, join_all(requests)).await;
    let mut blocked = 0;
    for answer in answers {
        match answer.status.as_u16() {
            201 => blocked += answer.body["units"].as_u64().unwrap(),
            _ => answer.blames(409, "units"),
        }
    }
    // A part is all or nothing: where another was faster, the last few are left.
    assert!((8..=10).contains(&blocked), "{blocked}");
    assert_sound(&fixture, sale).await;
    let standing = fixture.world.restoring.standing(sale).await.unwrap().unwrap();
    assert_eq!(
        (standing.blocked, standing.standby, standing.unfreed),
        (blocked as u32, 0, 0),
        "the house does not wait"
    );
}

/// No consumer decides for a while: the operator is told so, and asks again with the same key.
#[actix_web::test]
async fn a_block_that_is_not_decided_yet_is_asked_for_again() {
    let fixture = Fixture::with(Settings { wait_ms_max: 1, ..settings() }).await;
    let sale = fixture.sale(5, 0).await.id;
    for _ in 0..2 {
        fixture.post_under(KEY, &path(sale), &fixture.operator(), &body(2)).await.is_problem(503, "unavailable");
    }
    assert_eq!(listed(&fixture, sale).await[0]["decided"], false);
    while_decided(&fixture, sale, async {
        while listed(&fixture, sale).await[0]["decided"] == false {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let made = fixture.post_under(KEY, &path(sale), &fixture.operator(), &body(2)).await.is(201);
    assert_eq!((&made["units"], listed(&fixture, sale).await), (&json!(2), vec![made.clone()]));
    assert_sound(&fixture, sale).await;
}

#[actix_web::test]
async fn a_wrong_request_takes_nothing() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(5, 0).await.id;
    let operator = fixture.operator();
    let post = |body: Value| fixture.post(&path(sale), &operator, &body);
    for units in [0, 1_001] {
        post(json!({ "units": units, "reason": "x" })).await.blames(400, "units");
    }
    for units in [json!(-1), json!(1.5), json!("1"), json!(null)] {
        post(json!({ "units": units, "reason": "x" })).await.blames(400, "units");
    }
    for reason in ["", "  ", &"x".repeat(201), "a\u{0}b"] {
        post(json!({ "units": 1, "reason": reason })).await.blames(400, "reason");
    }
    post(json!({ "units": 1 })).await.blames(400, "reason");
    // What is as long and as much as it may be is refused for nothing but its sale.
    let most = json!({ "units": 1_000, "reason": "x".repeat(200) });
    fixture.post("/v1/admin/sales/99/blocks", &operator, &most).await.is_problem(404, "not_found");
    post(json!({ "units": 1, "reason": "x", "more": 1 })).await.blames(400, "more");
    fixture.post("/v1/admin/sales/99/blocks", &operator, &body(1)).await.is_problem(404, "not_found");
    fixture.get("/v1/admin/sales/99/blocks", &operator).await.is_problem(404, "not_found");
    fixture.get(&format!("{}?after=x", path(sale)), &operator).await.blames(400, "after");
    for id in ["x", &format!("{:032x}", 7 << 16), &"f".repeat(31)] {
        fixture.delete(&format!("{}/{id}", path(sale)), &operator).await.is_problem(404, "not_found");
    }
    fixture.post(&format!("/v1/admin/sales/{sale}/close"), &operator, &json!({})).await.is(200);
    post(body(1)).await.is_problem(409, "conflict");
    assert_eq!(listed(&fixture, sale).await, [] as [Value; 0]);
    assert_eq!(fixture.world.turnstile.look(sale).await.unwrap().unwrap().free, 5);
}

/// More than a page: each is listed once.
#[actix_web::test]
async fn blocks_are_listed_by_pages() {
    let fixture = Fixture::with(Settings { blocks_max: 2, ..settings() }).await;
    let sale = fixture.sale(9, 0).await.id;
    for units in 1..=3 {
        fixture.clock.advance_ms(1);
        while_decided(&fixture, sale, fixture.post(&path(sale), &fixture.operator(), &body(units))).await.is(201);
    }
    let units = |page: &Value| -> Vec<u64> {
        page.as_array().unwrap().iter().map(|block| block["units"].as_u64().unwrap()).collect()
    };
    let first = fixture.get(&format!("{}?limit=2", path(sale)), &fixture.operator()).await;
    let link = first.headers.get("link").unwrap().to_str().unwrap().to_owned();
    assert_eq!(units(&first.is(200)), [3, 2]);
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let second = fixture.get(next, &fixture.operator()).await;
    assert!(!second.headers.contains_key("link"));
    assert_eq!(units(&second.is(200)), [1]);
    fixture.get(&format!("{}?limit=3", path(sale)), &fixture.operator()).await.blames(400, "limit");
}

/// No token makes a client the house, and the house is no buyer.
#[actix_web::test]
async fn nobody_may_be_the_house() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(2, 0).await.id;
    let made = while_decided(&fixture, sale, fixture.post(&path(sale), &fixture.operator(), &body(1))).await.is(201);
    let batch: BatchId = made["id"].as_str().unwrap().parse().unwrap();
    let house = BuyerId::house(batch, 0);
    let row = fixture.world.reservations.reservation_of(sale, house).await.unwrap().unwrap();
    assert_eq!((row.buyer, row.state.kind()), (house, Kind::Blocked));
    let token = fixture.shopper(house.0);
    fixture.get(&format!("/v1/sales/{sale}/reservation"), &token).await.is_problem(401, "unauthorized");
    fixture.delete(&format!("/v1/sales/{sale}/reservation"), &token).await.is_problem(401, "unauthorized");
    let export = fixture.get(&format!("/v1/admin/sales/{sale}/exports/reservations.csv"), &fixture.operator()).await;
    let text = String::from_utf8(export.bytes).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert!(line.contains(",house,,,1,blocked,1,"), "{line}");

    // Accounts would have to be counted that far first.
    fixture
        .spoil(
            "INSERT INTO accounts (id, name, email, canonical, password_hash, role) \
         VALUES (4611686018427387903, 'x', 'x', 'x', 'x', 1)",
        )
        .await;
    let last =
        fixture.world.accounts.create_account("Ann", "ann@example.org", "hash", Role::Shopper, Locale::En, None).await;
    assert!(last.err().unwrap().to_string().contains("used up"));
    assert!(fixture.world.accounts.account_by_email("ann@example.org").await.unwrap().is_none());
}

/// Rows that were bent show in the audit.
#[actix_web::test]
async fn the_audit_knows_the_house() {
    for bends in [
        "UPDATE reservations SET state = 0, lapses_at = NULL WHERE state = 2",
        "UPDATE reservations SET state = 2, lapses_at = 9000000000000 WHERE state = 0",
    ] {
        let fixture = Fixture::new().await;
        let sale = fixture.sale(3, 0).await.id;
        fixture.attempt(sale, 7, 1).await;
        while_decided(&fixture, sale, fixture.post(&path(sale), &fixture.operator(), &body(1))).await.is(201);
        assert_sound(&fixture, sale).await;
        fixture.spoil(bends).await;
        let verdict = audit(&fixture.world.needs(), sale).await.unwrap().unwrap();
        assert_eq!(verdict.divergence.map(|found| found.invariant), Some(4), "{bends}");
        assert!(fixture.world.catalogue.sale(sale).await.unwrap().is_some());
    }
}
