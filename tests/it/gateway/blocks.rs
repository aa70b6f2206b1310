//! Units that an operator takes out of sale and puts back: the request, the queue, and whoever dies in between.

use std::time::Duration;

use actix_web::rt;
use futures_util::future::join_all;
use miaosha::app::audit::audit;
use miaosha::app::sale;
use miaosha::domain::people::Role;
use miaosha::domain::sale::block::BLOCK_UNITS_MAX;
use miaosha::domain::sale::reservation::Kind;
use miaosha::domain::shared::id::{BatchId, BuyerId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::gateway::Settings;
use miaosha::kit::http::idempotency;
use miaosha::ports::sale::attempts::partition_of;
use miaosha::workers::consumer::{self, Consumer};
use miaosha::workers::payment_consumer::{self as payments, Job, Sweeper};
use serde_json::{Value, json};

use super::bed::{Bed, settings};
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
async fn while_decided<T>(bed: &Bed, sale: SaleId, what: impl Future<Output = T>) -> T {
    let consumer = Consumer::new(bed.world.needs(), consumer::Settings::default());
    let mut queue = bed.world.attempts.attempts(partition_of(sale, bed.world.attempts.partitions())).await.unwrap();
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

async fn sweep(bed: &Bed) {
    let sweeper = Sweeper::new(bed.world.needs(), payments::Settings::default());
    sweeper.sweep_one(Job::Unfreed).await.unwrap();
    sweeper.sweep_one(Job::Watch).await.unwrap();
}

async fn assert_sound(bed: &Bed, sale: SaleId) {
    sweep(bed).await;
    let verdict = audit(&bed.world.needs(), sale).await.unwrap().unwrap();
    assert!(verdict.pass, "{verdict}");
    assert!(verdict.in_motion.iter().all(|why| why.contains("published")), "{verdict}");
}

async fn listed(bed: &Bed, sale: SaleId) -> Vec<Value> {
    let page = bed.get(&path(sale), &bed.operator()).await;
    assert!(!page.headers.contains_key("link"));
    page.is(200).as_array().unwrap().clone()
}

async fn left(bed: &Bed, sale: SaleId) -> Value {
    bed.get(&format!("/v1/sales/{sale}"), "").await.is(200)["left"].clone()
}

async fn what_is_free_is_taken_and_put_back(bed: Bed) {
    let sale = bed.sale(10, 3).await.id;
    bed.attempt(sale, 7, 2).await;
    let made = while_decided(&bed, sale, bed.post(&path(sale), &bed.operator(), &body(50))).await.is(201);
    assert_eq!((&made["wanted"], &made["units"]), (&json!(50), &json!(8)), "only 8 of 50 were free");
    assert_eq!(
        (&made["reason"], &made["decided"], &made["ended"]),
        (&json!("For the 樂團"), &json!(true), &json!(false))
    );
    assert_eq!(listed(&bed, sale).await, std::slice::from_ref(&made));
    assert_eq!(left(&bed, sale).await, 0);
    let live = bed.get(&format!("/v1/admin/sales/{sale}/live"), &bed.operator()).await.is(200);
    assert_eq!(
        (&live["blocked"], &live["held"], &live["sold"], &live["standby"]),
        (&json!(8), &json!(2), &json!(0), &json!(0))
    );
    let report = bed.get(&format!("/v1/admin/sales/{sale}/report"), &bed.operator()).await.is(200);
    assert_eq!(report["reservations"]["blocked"], json!({ "reservations": 2, "units": 8 }));
    assert_eq!((&report["attempts"]["accepted"], &report["orders"]["sold_units"]), (&json!(1), &json!(0)));
    bed.post(&path(sale), &bed.operator(), &body(1)).await.blames(409, "units");
    assert_sound(&bed, sale).await;

    // Who comes now waits, and has it when it is put back.
    let waits = bed.attempt(sale, 8, 3).await;
    assert_eq!(bed.kind(waits).await, Kind::Standby);
    let one = format!("{}/{}", path(sale), made["id"].as_str().unwrap());
    let ended = bed.delete(&one, &bed.operator()).await.is(200);
    assert_eq!((&ended["id"], &ended["ended"]), (&made["id"], &json!(true)));
    assert_eq!(bed.delete(&one, &bed.operator()).await.is(200), ended, "once");
    assert_sound(&bed, sale).await;
    assert_eq!((bed.kind(waits).await, left(&bed, sale).await), (Kind::Held, json!(5)));
    assert_eq!(listed(&bed, sale).await, [] as [Value; 0]);
}

/// The operator's process is stopped before and after the queue has it; another goes on under the same key.
async fn the_same_request_makes_the_same_block_whoever_dies(bed: Bed) {
    let sale = bed.sale(9, 0).await.id;
    for (key, point) in [
        ("a", sale::points::BLOCK_AFTER_LEDGER),
        ("b", sale::points::BLOCK_AFTER_SUBMIT),
        ("c", idempotency::AFTER_EFFECT),
    ] {
        let stop = bed.stops.arm(point);
        let first = rt::spawn(bed.post_under(key, &path(sale), &bed.operator(), &body(3)));
        let second = while_decided(&bed, sale, async {
            stop.reached().await;
            bed.clock.advance_ms(Settings::default().request_lease_ms);
            bed.post_under(key, &path(sale), &bed.operator(), &body(3)).await.is(201)
        })
        .await;
        // The first one only slept.
        stop.go_on();
        assert_eq!(first.await.unwrap().is(201), second, "{point:?}");
        // What it put into the queue once more changes nothing.
        while_decided(&bed, sale, tokio::time::sleep(Duration::from_millis(50))).await;
        assert_eq!(bed.post_under(key, &path(sale), &bed.operator(), &body(3)).await.is(201), second);
        assert_sound(&bed, sale).await;
    }
    let units: Vec<Value> = listed(&bed, sale).await.iter().map(|block| block["units"].clone()).collect();
    assert_eq!((units, left(&bed, sale).await), (vec![json!(3); 3], json!(0)));
    // The last one died between its effect and its wake-up: the sweeper gives everything on.
    let one = format!("{}/{}", path(sale), listed(&bed, sale).await[0]["id"].as_str().unwrap());
    let stop = bed.stops.arm(sale::points::UNBLOCK_AFTER_LEDGER);
    let first = rt::spawn(bed.delete(&one, &bed.operator()));
    stop.reached().await;
    assert_sound(&bed, sale).await;
    assert_eq!(bed.world.turnstile.look(sale).await.unwrap().unwrap().free, 3);
    stop.go_on();
    first.await.unwrap().is(200);
    assert_sound(&bed, sale).await;
}

async fn a_block_in_the_queue_can_be_ended(bed: Bed) {
    let sale = bed.sale(4, 2).await.id;
    let operator = bed.operator();
    // Stopped when the queue has it: nobody decides.
    let stop = bed.stops.arm(sale::points::BLOCK_AFTER_SUBMIT);
    let first = rt::spawn(bed.post_under(KEY, &path(sale), &operator, &body(3)));
    stop.reached().await;
    let waiting = listed(&bed, sale).await;
    assert_eq!((&waiting[0]["decided"], &waiting[0]["units"], waiting.len()), (&json!(false), &json!(0), 1));
    let one = format!("{}/{}", path(sale), waiting[0]["id"].as_str().unwrap());
    assert_eq!(bed.delete(&one, &operator).await.is(200)["ended"], true);
    stop.go_on();
    let answer = while_decided(&bed, sale, first).await.unwrap();
    answer.blames(409, "units");
    assert_sound(&bed, sale).await;
    assert_eq!((left(&bed, sale).await, listed(&bed, sale).await.len()), (json!(4), 0));
    assert_eq!(bed.world.turnstile.look(sale).await.unwrap().unwrap().free, 4);
}

async fn many_operators_at_once_share_what_is_free(bed: Bed) {
    let sale = bed.sale(10, 4).await.id;
    let requests = (0..5).map(|_| bed.post(&path(sale), &bed.operator(), &body(4)));
    let answers = while_decided(&bed, sale, join_all(requests)).await;
    let mut blocked = 0;
    for answer in answers {
        match answer.status.as_u16() {
            201 => blocked += answer.body["units"].as_u64().unwrap(),
            _ => answer.blames(409, "units"),
        }
    }
    // A part is all or nothing: where another was faster, the last few are left.
    assert!((8..=10).contains(&blocked), "{blocked}");
    assert_sound(&bed, sale).await;
    let standing = bed.world.restoring.standing(sale).await.unwrap().unwrap();
    assert_eq!(
        (standing.blocked, standing.standby, standing.unfreed),
        (blocked as u32, 0, 0),
        "the house does not wait"
    );
}

/// Nobody decides for a while: the operator is told so, and asks again with the same key.
#[actix_web::test]
async fn a_block_that_is_not_decided_yet_is_asked_for_again() {
    let bed = Bed::with(Settings { wait_ms_max: 1, ..settings() }).await;
    let sale = bed.sale(5, 0).await.id;
    for _ in 0..2 {
        bed.post_under(KEY, &path(sale), &bed.operator(), &body(2)).await.is_problem(503, "unavailable");
    }
    assert_eq!(listed(&bed, sale).await[0]["decided"], false);
    while_decided(&bed, sale, async {
        while listed(&bed, sale).await[0]["decided"] == false {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
    let made = bed.post_under(KEY, &path(sale), &bed.operator(), &body(2)).await.is(201);
    assert_eq!((&made["units"], listed(&bed, sale).await), (&json!(2), vec![made.clone()]));
    assert_sound(&bed, sale).await;
}

#[actix_web::test]
async fn a_wrong_request_takes_nothing() {
    let bed = Bed::new().await;
    let sale = bed.sale(5, 0).await.id;
    let operator = bed.operator();
    let post = |body: Value| bed.post(&path(sale), &operator, &body);
    for units in [0, BLOCK_UNITS_MAX + 1] {
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
    let most = json!({ "units": BLOCK_UNITS_MAX, "reason": "x".repeat(200) });
    bed.post("/v1/admin/sales/99/blocks", &operator, &most).await.is_problem(404, "not_found");
    post(json!({ "units": 1, "reason": "x", "more": 1 })).await.blames(400, "more");
    bed.post("/v1/admin/sales/99/blocks", &operator, &body(1)).await.is_problem(404, "not_found");
    bed.get("/v1/admin/sales/99/blocks", &operator).await.is_problem(404, "not_found");
    bed.get(&format!("{}?after=x", path(sale)), &operator).await.blames(400, "after");
    for id in ["x", &format!("{:032x}", 7 << 16), &"f".repeat(31)] {
        bed.delete(&format!("{}/{id}", path(sale)), &operator).await.is_problem(404, "not_found");
    }
    bed.post(&format!("/v1/admin/sales/{sale}/close"), &operator, &json!({})).await.is(200);
    post(body(1)).await.is_problem(409, "conflict");
    assert_eq!(listed(&bed, sale).await, [] as [Value; 0]);
    assert_eq!(bed.world.turnstile.look(sale).await.unwrap().unwrap().free, 5);
}

/// More than a page: each is listed once.
#[actix_web::test]
async fn blocks_are_listed_by_pages() {
    let bed = Bed::with(Settings { blocks_max: 2, ..settings() }).await;
    let sale = bed.sale(9, 0).await.id;
    for units in 1..=3 {
        bed.clock.advance_ms(1);
        while_decided(&bed, sale, bed.post(&path(sale), &bed.operator(), &body(units))).await.is(201);
    }
    let units = |page: &Value| -> Vec<u64> {
        page.as_array().unwrap().iter().map(|block| block["units"].as_u64().unwrap()).collect()
    };
    let first = bed.get(&format!("{}?limit=2", path(sale)), &bed.operator()).await;
    let link = first.headers.get("link").unwrap().to_str().unwrap().to_owned();
    assert_eq!(units(&first.is(200)), [3, 2]);
    let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
    let second = bed.get(next, &bed.operator()).await;
    assert!(!second.headers.contains_key("link"));
    assert_eq!(units(&second.is(200)), [1]);
    bed.get(&format!("{}?limit=3", path(sale)), &bed.operator()).await.blames(400, "limit");
}

/// Nobody is the house, whatever they bring, and it is nobody.
#[actix_web::test]
async fn nobody_may_be_the_house() {
    let bed = Bed::new().await;
    let sale = bed.sale(2, 0).await.id;
    let made = while_decided(&bed, sale, bed.post(&path(sale), &bed.operator(), &body(1))).await.is(201);
    let batch: BatchId = made["id"].as_str().unwrap().parse().unwrap();
    let house = BuyerId::house(batch, 0);
    let row = bed.world.reservations.reservation_of(sale, house).await.unwrap().unwrap();
    assert_eq!((row.buyer, row.state.kind()), (house, Kind::Blocked));
    let token = bed.shopper(house.0);
    bed.get(&format!("/v1/sales/{sale}/reservation"), &token).await.is_problem(401, "unauthorized");
    bed.delete(&format!("/v1/sales/{sale}/reservation"), &token).await.is_problem(401, "unauthorized");
    let export = bed.get(&format!("/v1/admin/sales/{sale}/exports/reservations.csv"), &bed.operator()).await;
    let text = String::from_utf8(export.bytes).unwrap();
    let line = text.lines().nth(1).unwrap();
    assert!(line.contains(",house,,,1,blocked,1,"), "{line}");

    // Accounts would have to be counted that far first.
    bed.spoil(
        "INSERT INTO accounts (id, name, email, password_hash, role) VALUES (4611686018427387903, 'x', 'x', 'x', 1)",
    )
    .await;
    let last = bed.world.accounts.create_account("Ann", "ann@example.org", "hash", Role::Shopper, Locale::En).await;
    assert!(last.err().unwrap().to_string().contains("used up"));
    assert!(bed.world.accounts.account_by_email("ann@example.org").await.unwrap().is_none());
}

/// Rows that were bent show in the audit.
#[actix_web::test]
async fn the_audit_knows_the_house() {
    for bends in [
        "UPDATE reservations SET state = 0, lapses_at = NULL WHERE state = 2",
        "UPDATE reservations SET state = 2, lapses_at = 9000000000000 WHERE state = 0",
    ] {
        let bed = Bed::new().await;
        let sale = bed.sale(3, 0).await.id;
        bed.attempt(sale, 7, 1).await;
        while_decided(&bed, sale, bed.post(&path(sale), &bed.operator(), &body(1))).await.is(201);
        assert_sound(&bed, sale).await;
        bed.spoil(bends).await;
        let verdict = audit(&bed.world.needs(), sale).await.unwrap().unwrap();
        assert_eq!(verdict.divergence.map(|found| found.invariant), Some(4), "{bends}");
        assert!(bed.world.catalogue.sale(sale).await.unwrap().is_some());
    }
}
