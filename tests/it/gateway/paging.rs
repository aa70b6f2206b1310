//! Lists in pages: all of a list is seen by following its links, each item once, whatever is added meanwhile.

use miaosha::app::receipts::token::sign;
use miaosha::domain::money::order;
use miaosha::domain::money::payment::{Payment, PaymentState};
use miaosha::domain::receipts::Proof;
use miaosha::domain::shared::id::{BuyerId, PaymentId, SaleId};
use miaosha::faces::front::Settings;
use miaosha::ports::money::paying::Confirmed;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture, settings};
use super::over_both;
use crate::support::checkout::begin;
use crate::support::clock::START;

over_both! {
    every_sale_is_on_one_page_while_new_ones_come
    every_order_is_on_one_page_while_new_ones_come
    every_conflict_at_the_door_is_on_one_page_while_new_ones_come
}

/// What `Link` says, as RFC 8288 writes it.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let (path, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    Some(path.to_owned())
}

/// Every page from this one on. Something happens after each.
async fn pages(fixture: &Fixture, first: &str, token: &str, mut meanwhile: impl AsyncFnMut()) -> Vec<Vec<Value>> {
    let (mut pages, mut at) = (Vec::new(), Some(first.to_owned()));
    while let Some(path) = at {
        let answer = fixture.get(&path, token).await;
        at = next(&answer);
        pages.push(answer.is(200).as_array().unwrap().clone());
        assert!(pages.len() < 100, "the pages have no end: {at:?}");
        meanwhile().await;
    }
    pages
}

fn named(pages: &[Vec<Value>], name: &str) -> Vec<Value> {
    pages.iter().flatten().map(|item| item[name].clone()).collect()
}

async fn every_sale_is_on_one_page_while_new_ones_come(fixture: Fixture) {
    let mut made = Vec::new();
    for _ in 0..250 {
        made.push(json!(fixture.sale(1, 0).await.id.0));
    }
    made.reverse();
    let new = async || drop(fixture.sale(1, 0).await);
    let whole = pages(&fixture, "/v1/sales", "", new).await;
    assert_eq!(whole.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(named(&whole, "id"), made, "each once, newest first");
    assert!(whole.iter().flatten().all(|sale| sale.get("description").is_none()));
    let later = pages(&fixture, "/v1/sales", "", async || ()).await;
    assert_eq!(named(&later, "id").len(), 253);
    assert_eq!(named(&later, "id")[3..], made);
    let short = pages(&fixture, "/v1/sales?limit=97", "", async || ()).await;
    assert_eq!(named(&short, "id"), named(&later, "id"));
    assert_eq!(short[0].len(), 97);
}

/// Paid for at that moment, by the ledger's word alone.
async fn order(fixture: &Fixture, buyer: BuyerId, after_ms: i64) -> (SaleId, String) {
    let sale = fixture.sale(1, 0).await;
    let reservation = fixture.attempt(sale.id, buyer.0, 1).await;
    let id = PaymentId(reservation.0);
    let (state, amount) = (PaymentState::Opened, sale.price);
    let payment = Payment { id, reservation, sale: sale.id, amount, state, opened_at: START };
    begin(&*fixture.world.paying, &payment, buyer, START).await;
    let number = order::number(getrandom::u64().unwrap());
    let confirmed = fixture.world.paying.confirm(reservation, id, &number, START.plus_ms(after_ms)).await.unwrap();
    assert!(matches!(confirmed, Confirmed::Order(_)));
    (sale.id, number)
}

async fn every_order_is_on_one_page_while_new_ones_come(fixture: Fixture) {
    let (buyer, other) = (BuyerId(7), BuyerId(8));
    let mut placed = Vec::new();
    let mut first_sale = None;
    for count in 0..250 {
        // Some in the same millisecond.
        let (sale, number) = order(&fixture, buyer, count / 3).await;
        placed.push((count / 3, number));
        first_sale.get_or_insert(sale);
    }
    let (_, foreign) = order(&fixture, other, 5).await;
    placed.sort_unstable();
    placed.reverse();
    let placed: Vec<Value> = placed.into_iter().map(|(_, number)| json!(number)).collect();
    let mut later = 1_000;
    let new = async || {
        later += 1;
        order(&fixture, buyer, later).await;
    };
    let token = fixture.shopper(buyer.0);
    let whole = pages(&fixture, "/v1/orders", &token, new).await;
    assert_eq!(whole.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(named(&whole, "order_number"), placed, "each once, newest first");
    assert!(whole.iter().flatten().all(|order| order["sale_title"] == "A lamp"));
    let short = pages(&fixture, "/v1/orders?limit=2", &fixture.shopper(other.0), async || ()).await;
    assert_eq!(named(&short, "order_number"), [json!(foreign)], "another's orders are on nobody else's pages");
    // The oldest one is found by its reservation, however many came after it.
    let standing = fixture.get(&format!("/v1/sales/{}/reservation", first_sale.unwrap()), &token).await.is(200);
    assert!(placed[247..].contains(&standing["order_number"]), "{standing}");
}

async fn every_conflict_at_the_door_is_on_one_page_while_new_ones_come(fixture: Fixture) {
    let (_, order) = fixture.order(7, 4).await;
    let token = |unit| sign(Proof { sale: order.sale, unit, reservation: order.reservation }, fixture.receipts.keys());
    for unit in 1..=4 {
        fixture
            .post("/v1/check-ins", &fixture.operator(), &json!({ "sale_id": order.sale, "token": token(unit) }))
            .await
            .is(201);
    }
    let merge = async |device: String| {
        let lines = (1..=4).map(|unit| json!({ "sequence": unit, "token": token(unit), "at": START.0 }));
        let body = json!({ "device": device, "admissions": lines.collect::<Vec<_>>() });
        let merged = fixture.post("/v1/check-ins/merge", &fixture.operator(), &body).await.is(200);
        assert_eq!(merged["conflicts"], 4, "{merged}");
    };
    // Two moments, and several in each.
    for device in 0..4 {
        if device == 2 {
            fixture.clock.advance_ms(5);
        }
        merge(format!("d{device}")).await;
    }
    fixture.clock.advance_ms(5);
    let mut new = 10;
    let meanwhile = async || {
        new += 1;
        merge(format!("d{new}")).await;
    };
    let path = format!("/v1/admin/sales/{}/check-in-conflicts?limit=3", order.sale);
    let whole = pages(&fixture, &path, &fixture.operator(), meanwhile).await;
    assert_eq!(whole.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 3, 3, 3, 1]);
    let seen: Vec<_> = named(&whole, "device").into_iter().zip(named(&whole, "unit")).collect();
    let mut wanted = Vec::new();
    for (devices, units) in [(["d3", "d2"], (1..=4).rev()), (["d1", "d0"], (1..=4).rev())] {
        for unit in units {
            wanted.extend(devices.map(|device| (json!(device), json!(unit))));
        }
    }
    assert_eq!(seen, wanted);
    let path = format!("/v1/admin/sales/{}/check-in-conflicts?after=1.2.3", order.sale);
    fixture.get(&path, &fixture.operator()).await.blames(400, "after");
}

#[actix_web::test]
async fn an_order_is_found_behind_a_whole_page() {
    let fixture = Fixture::with(Settings { orders_max: 1, ..settings() }).await;
    let (first, number) = order(&fixture, BuyerId(7), 1).await;
    order(&fixture, BuyerId(7), 2).await;
    let standing = fixture.get(&format!("/v1/sales/{first}/reservation"), &fixture.shopper(7)).await.is(200);
    assert_eq!((&standing["status"], &standing["order_number"]), (&json!("confirmed"), &json!(number)));
}

#[actix_web::test]
async fn what_a_page_is_asked_is_checked() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await;
    let lists = [("/v1/sales", 100), ("/v1/orders", 100), ("/v1/admin/parked", 1_000), ("/v1/admin/audit", 10)];
    for (path, max) in lists {
        for limit in ["0", "-1", "x", "", "1.5", &(max + 1).to_string(), "18446744073709551616"] {
            fixture.get(&format!("{path}?limit={limit}"), &fixture.operator()).await.blames(400, "limit");
        }
        for after in ["", "x", "-1", "1.5", "+1", "01", "0x1", "18446744073709551616", "1.0000-0000-000", "1%20", "%00"]
        {
            fixture.get(&format!("{path}?after={after}"), &fixture.operator()).await.blames(400, "after");
        }
        fixture.get(&format!("{path}?limit=1&limit=1"), &fixture.operator()).await.blames(400, "limit");
        fixture.get(&format!("{path}?before=1"), &fixture.operator()).await.blames(400, "before");
        fixture.get(&format!("{path}?limit={max}"), &fixture.operator()).await.is(200);
    }
    fixture.get(&format!("/v1/sales?after={}", u64::MAX), "").await.blames(400, "after");
    // A place behind everything, and before.
    assert_eq!(fixture.get("/v1/sales?after=0", "").await.is(200), json!([]));
    let all = fixture.get(&format!("/v1/sales?after={}", i64::MAX), "").await.is(200);
    assert_eq!(all[0]["id"], sale.id.0);
    let none = fixture.get("/v1/orders?after=5.0000-0000-0000", &fixture.shopper(7)).await;
    assert_eq!((next(&none), none.is(200)), (None, json!([])));
}

/// Attempts and events are parked in two places, and listed in one.
#[actix_web::test]
async fn every_parked_message_is_on_one_page() {
    let fixture = Fixture::new().await;
    fixture.plant("INSERT INTO parked (part, why, body) VALUES (0, 'a', x'00'), (1, 'b', x''), (0, 'c', x'02')").await;
    let events = "INSERT INTO parked_events (listener, event, why, body) VALUES ('mail', x'', 'd', x'03'), ('mail', x'', 'e', x'04')";
    fixture.plant(events).await;
    let new = async || {
        fixture.plant("INSERT INTO parked_events (listener, event, why, body) VALUES ('mail', x'', 'f', x'')").await
    };
    let whole = pages(&fixture, "/v1/admin/parked?limit=4", &fixture.operator(), new).await;
    assert_eq!(named(&whole, "why"), ["a", "b", "c", "d", "e", "f"].map(Value::from));
    assert_eq!(whole[0][1], json!({ "queue": "attempts.1", "why": "b", "body": "" }));
}

#[actix_web::test]
async fn every_sale_is_audited_on_one_page() {
    let fixture = Fixture::with(Settings { audit_sales_max: 2, ..settings() }).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, fixture.sale(1, 1).await.id.0);
    }
    let (mut seen, mut at) = (Vec::new(), Some("/v1/admin/audit".to_owned()));
    while let Some(path) = at {
        let answer = fixture.get(&path, &fixture.operator()).await;
        at = next(&answer);
        let verdicts = answer.is(200);
        assert_eq!(verdicts["pass"], true);
        seen.extend(verdicts["sales"].as_array().unwrap().iter().map(|sale| sale["sale"].as_u64().unwrap()));
    }
    assert_eq!(seen, made);
    let one = fixture.get(&format!("/v1/admin/audit?sale={}", made[2]), &fixture.operator()).await;
    assert_eq!(next(&one), None);
}

/// A crowd that makes up places has no more of them remembered than may be, and is answered.
#[actix_web::test]
async fn made_up_places_are_answered() {
    let fixture = Fixture::with(Settings { catalogue_age_ms_max: 3_600_000, ..settings() }).await;
    let sale = fixture.sale(1, 0).await;
    let after = |place: u64| format!("/v1/sales?after={place}");
    for place in 0..200 {
        let list = fixture.get(&after(place), "").await.is(200);
        assert_eq!(list.as_array().unwrap().len(), usize::from(place > sale.id.0), "{place}");
    }
}
