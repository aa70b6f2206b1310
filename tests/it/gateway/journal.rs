//! The journal as operators meet it: every call that does something is in it, by whom and under which request, and owners read it.

use std::collections::BTreeSet;

use actix_web::http::Method;
use miaosha::app::audit::tend;
use miaosha::app::operator::{Command, carry_out};
use miaosha::domain::audit::journal::Recorded;
use miaosha::domain::money::order::Order;
use miaosha::domain::money::payment::RefundAnswer;
use miaosha::domain::people::Role;
use miaosha::domain::people::author::Actor;
use miaosha::domain::shared::id::{BuyerId, RefundId, SaleId};
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use miaosha::faces::front::Settings;
use miaosha::ports::platform::clock::Clock;
use serde_json::{Value, json};
use tokio::task::yield_now;

use super::blocks::while_decided;
use super::exports::{path as export, service};
use super::fixture::{Answer, Fixture, settings};
use super::over_both;
use crate::contract::ledger::counter::PACE;
use crate::contract::ledger::plans::plan;
use crate::support::clock::START;
use crate::support::openapi::DOCUMENT;

/// Nobody else does anything in these tests.
const OPERATOR: BuyerId = BuyerId(1_000_000);
const EXPORT: &[&str] = &["export.begun", "export.ended"];

/// Every call of operators that does something, and what it writes down: one entry with its effect, or one before and one after
/// where the effect is not the ledger's.
const EFFECTS: [(&str, &str, &[&str]); 26] = [
    ("delete", "/v1/admin/sales/{id}/blocks/{block}", &["block.ended"]),
    ("get", "/v1/admin/journal.csv", EXPORT),
    ("get", "/v1/admin/sales/{id}/exports/check-ins.csv", EXPORT),
    ("get", "/v1/admin/sales/{id}/exports/orders.csv", EXPORT),
    ("get", "/v1/admin/sales/{id}/exports/reservations.csv", EXPORT),
    ("get", "/v1/admin/sales/{id}/holders", &["holders.sought"]),
    ("patch", "/v1/admin/sales/{id}", &["sale.edited"]),
    ("post", "/admin/cleanup-tickets", &["cleanup.begun", "cleanup.ended"]),
    ("post", "/v1/admin/items", &["item.made"]),
    ("post", "/v1/admin/orders/{number}/refunds", &["order.refunded"]),
    ("post", "/v1/admin/parked/replay", &["replay.begun", "replay.ended"]),
    ("post", "/v1/admin/plans", &["plan.kept"]),
    ("post", "/v1/admin/receipts/cleanup", &["cleanup.begun", "cleanup.ended"]),
    ("post", "/v1/admin/refunds/{refund}/retry", &["refund.retried"]),
    ("post", "/v1/admin/refunds/{refund}/settlement", &["refund.settled"]),
    ("post", "/v1/admin/sales", &["sale.made"]),
    ("post", "/v1/admin/sales/{id}/blocks", &["block.made"]),
    ("post", "/v1/admin/sales/{id}/close", &["sale.closed"]),
    ("post", "/v1/admin/sales/{id}/pause", &["sale.paused"]),
    ("post", "/v1/admin/sales/{id}/publish", &["sale.published"]),
    ("post", "/v1/admin/sales/{id}/raise", &["sale.raised"]),
    ("post", "/v1/admin/sales/{id}/resume", &["sale.resumed"]),
    ("post", "/v1/check-ins", &["check_in.made"]),
    ("post", "/v1/check-ins/by-order", &["check_in.by_order"]),
    ("post", "/v1/check-ins/merge", &["check_in.merged"]),
    ("post", "/v1/check-ins/undo", &["check_in.undone"]),
];

over_both! {
    every_call_that_does_something_is_written_down
    what_is_refused_or_asked_again_is_not_written_down
    an_export_that_is_left_is_told_as_left
}

/// A new call of operators is in the list above, or it only reads.
#[test]
fn no_call_is_forgotten() {
    let mut told = BTreeSet::new();
    for (path, item) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let Some(permission) = call["security"].pointer("/0/access/0") else { continue };
            // It only tells, and is no GET where it comes from.
            if path == "/admin/seed-fallback" {
                continue;
            }
            if method != "get" || permission == "export" || path.ends_with(".csv") || path.ends_with("/holders") {
                told.insert((method.as_str(), path.as_str()));
            }
        }
    }
    let known: BTreeSet<_> = EFFECTS.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(told, known);
}

async fn written(fixture: &Fixture) -> Vec<Recorded> {
    fixture.world.journal.entries_after(0, 1_000).await.unwrap()
}

/// Makes the calls, and holds each against the list.
struct Walk<'f> {
    fixture: &'f Fixture,
    made: BTreeSet<(&'static str, &'static str)>,
}

impl Walk<'_> {
    async fn does(&mut self, method: &str, path: &str, subject: &str, call: impl Future<Output = Answer>) -> Value {
        let (method, path, actions) =
            *EFFECTS.iter().find(|(verb, known, _)| (*verb, *known) == (method, path)).expect("it is listed");
        let before = written(self.fixture).await.len();
        let answer = call.await;
        assert!(answer.status.is_success(), "{method} {path}: {} {}", answer.status, answer.body);
        let entries = written(self.fixture).await.split_off(before);
        assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), actions, "{method} {path}");
        for entry in &entries {
            let who = (entry.actor, entry.role.as_str(), entry.subject.as_str());
            assert_eq!(who, (Actor::Account(OPERATOR), "owner", subject), "{method} {path}");
            assert_eq!((entry.at, entry.request), (START, entries[0].request), "{method} {path}");
            assert!(!entry.network.is_empty() && entry.request.0 != 0, "{method} {path}");
        }
        self.made.insert((method, path));
        answer.body
    }
}

fn sale_body(item: u64) -> Value {
    json!({
        "item_id": item, "price": { "minor": 250, "currency": "TWD" }, "capacity": 10, "quantity_max": 2, "standby_max": 0,
        "hold_ms": 60_000, "opens_at": START.0, "closes_at": START.0 + 1_000,
    })
}

async fn every_call_that_does_something_is_written_down(fixture: Fixture) {
    let mut walk = Walk { fixture: &fixture, made: BTreeSet::new() };
    let (_, order) = fixture.order(7, 4).await;
    let sale = order.sale;
    sells(&mut walk, sale).await;
    blocks(&mut walk, sale).await;
    lets_in(&mut walk, &order).await;
    gives_back(&mut walk, &order).await;
    let at_sale = format!("/v1/admin/sales/{sale}");
    let subject = format!("sale:{sale}");
    for list in ["orders", "reservations", "check-ins"] {
        let call = fixture.get(&export(sale, list), &fixture.operator());
        walk.does("get", &format!("/v1/admin/sales/{{id}}/exports/{list}.csv"), &subject, call).await;
    }
    let call = fixture.get("/v1/admin/journal.csv", &fixture.operator());
    walk.does("get", "/v1/admin/journal.csv", "journal", call).await;
    let hall = plan(500, "Hall");
    let call = fixture.post("/v1/admin/plans", &fixture.operator(), &serde_json::from_str(hall.canonical()).unwrap());
    walk.does("post", "/v1/admin/plans", &format!("plan:{:.32}", hall.hash().to_string()), call).await;
    let call = fixture.post("/v1/admin/parked/replay", &fixture.operator(), &json!({}));
    walk.does("post", "/v1/admin/parked/replay", "parked", call).await;
    let body = json!({ "older_than_hours": 1 });
    let call = fixture.post("/v1/admin/receipts/cleanup", &fixture.operator(), &body);
    walk.does("post", "/v1/admin/receipts/cleanup", "receipts", call).await;
    let call = fixture.post("/admin/cleanup-tickets", &fixture.operator(), &json!({}));
    walk.does("post", "/admin/cleanup-tickets", "receipts", call).await;
    let call = fixture.post(&format!("{at_sale}/close"), &fixture.operator(), &json!({}));
    walk.does("post", "/v1/admin/sales/{id}/close", &subject, call).await;

    let known: BTreeSet<_> = EFFECTS.iter().map(|(method, path, _)| (*method, *path)).collect();
    assert_eq!(walk.made, known, "each was made");
    let checked = carry_out(&fixture.world.needs(), Command::CheckJournal).await.unwrap();
    assert_eq!((&checked["pass"], &checked["entries"]), (&json!(true), &json!(written(&fixture).await.len())));
}

async fn sells(walk: &mut Walk<'_>, sale: SaleId) {
    let (fixture, operator) = (walk.fixture, walk.fixture.operator());
    let number = written(fixture).await.len();
    // Its number is not known before: one more than the last one's.
    let last = fixture.world.catalogue.sale(sale).await.unwrap().unwrap();
    let item = json!({ "title": "A lamp", "description": "" });
    let (new_item, new_sale) = (format!("item:{}", last.item.0 + 1), format!("sale:{}", sale.0 + 1));
    let made = walk.does("post", "/v1/admin/items", &new_item, fixture.post("/v1/admin/items", &operator, &item)).await;
    let body = sale_body(made["id"].as_u64().unwrap());
    walk.does("post", "/v1/admin/sales", &new_sale, fixture.post("/v1/admin/sales", &operator, &body)).await;
    for (verb, body) in [("pause", json!({})), ("resume", json!({})), ("raise", json!({ "capacity": 12 }))] {
        let call = fixture.post(&format!("/v1/admin/sales/{sale}/{verb}"), &operator, &body);
        walk.does("post", &format!("/v1/admin/sales/{{id}}/{verb}"), &format!("sale:{sale}"), call).await;
    }
    let raised = written(fixture).await.pop().unwrap();
    assert_eq!(raised.number as usize, number + 5);
    assert_eq!((raised.before.as_str(), raised.after.as_str()), (r#"{"capacity":8}"#, r#"{"capacity":12}"#));
    let mut draft = sale_body(last.item.0);
    draft["draft"] = json!(true);
    let (id, path) = (sale.0 + 2, format!("/v1/admin/sales/{}", sale.0 + 2));
    let subject = format!("sale:{id}");
    walk.does("post", "/v1/admin/sales", &subject, fixture.post("/v1/admin/sales", &operator, &draft)).await;
    let call = fixture.patch(&path, &operator, &json!({ "version": 1, "hold_ms": 90_000 }));
    walk.does("patch", "/v1/admin/sales/{id}", &subject, call).await;
    let edited = written(fixture).await.pop().unwrap();
    assert_eq!((edited.before.as_str(), edited.after.as_str()), (r#"{"hold_ms":60000}"#, r#"{"hold_ms":90000}"#));
    let call = fixture.post(&format!("{path}/publish"), &operator, &json!({}));
    walk.does("post", "/v1/admin/sales/{id}/publish", &subject, call).await;
}

async fn blocks(walk: &mut Walk<'_>, sale: SaleId) {
    let (fixture, operator, subject) = (walk.fixture, walk.fixture.operator(), format!("sale:{sale}"));
    let path = format!("/v1/admin/sales/{sale}/blocks");
    let body = json!({ "units": 2, "reason": "for Ann" });
    let call = while_decided(fixture, sale, fixture.post(&path, &operator, &body));
    let block = walk.does("post", "/v1/admin/sales/{id}/blocks", &subject, call).await;
    let call = fixture.delete(&format!("{path}/{}", block["id"].as_str().unwrap()), &operator);
    walk.does("delete", "/v1/admin/sales/{id}/blocks/{block}", &subject, call).await;
}

async fn lets_in(walk: &mut Walk<'_>, order: &Order) {
    let (fixture, operator, subject) = (walk.fixture, walk.fixture.operator(), format!("sale:{}", order.sale));
    let body = json!({ "sale_id": order.sale, "token": fixture.ticket(order, 1), "gate": "north" });
    let admitted = walk.does("post", "/v1/check-ins", &subject, fixture.post("/v1/check-ins", &operator, &body)).await;
    let (unit, reservation_id, admitted_at) =
        (&admitted["unit"], &admitted["reservation_id"], &admitted["admitted_at"]);
    let body =
        json!({ "sale_id": order.sale, "unit": unit, "reservation_id": reservation_id, "admitted_at": admitted_at });
    walk.does("post", "/v1/check-ins/undo", &subject, fixture.post("/v1/check-ins/undo", &operator, &body)).await;
    let look = fixture.get(&format!("/v1/admin/sales/{}/holders?name={}", order.sale, order.number), &operator);
    walk.does("get", "/v1/admin/sales/{id}/holders", &subject, look).await;
    let body = json!({ "sale_id": order.sale, "order_number": order.number, "unit": unit });
    walk.does("post", "/v1/check-ins/by-order", &subject, fixture.post("/v1/check-ins/by-order", &operator, &body))
        .await;
    let line = json!({ "sequence": 1, "token": fixture.ticket(order, 2), "at": START.0, "gate": "south" });
    let body = json!({ "device": "a", "admissions": [line] });
    walk.does("post", "/v1/check-ins/merge", &subject, fixture.post("/v1/check-ins/merge", &operator, &body)).await;
}

async fn gives_back(walk: &mut Walk<'_>, order: &Order) {
    let (fixture, operator, number) = (walk.fixture, walk.fixture.operator(), &order.number);
    for (unit, verb, body) in [(3, "retry", json!({})), (4, "settlement", json!({ "note": "in cash to Ann" }))] {
        let call = fixture.post(
            &format!("/v1/admin/orders/{number}/refunds"),
            &operator,
            &json!({ "units": [unit], "reason": "a broken seat" }),
        );
        let given = walk.does("post", "/v1/admin/orders/{number}/refunds", &format!("order:{number}"), call).await;
        let id = given["refund"]["id"].as_str().unwrap();
        let due = fixture.world.refunds.refund(id.parse::<RefundId>().unwrap()).await.unwrap().unwrap();
        let failed = due.answered(&RefundAnswer::Failed { code: "no".into() }, PACE, START).unwrap();
        assert!(fixture.world.refunds.move_refund(&due, &failed).await.unwrap());
        let call = fixture.post(&format!("/v1/admin/refunds/{id}/{verb}"), &operator, &body);
        walk.does("post", &format!("/v1/admin/refunds/{{refund}}/{verb}"), &format!("refund:{id}"), call).await;
    }
}

async fn what_is_refused_or_asked_again_is_not_written_down(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await.id;
    let path = |verb: &str| format!("/v1/admin/sales/{sale}/{verb}");
    let capacity = json!({ "capacity": 6 });
    for _ in 0..2 {
        fixture.post_under("k", &path("raise"), &fixture.operator(), &capacity).await.is(200);
    }
    assert_eq!(written(&fixture).await.len(), 1, "done once");
    fixture.post(&path("raise"), &fixture.operator(), &capacity).await.is(200);
    fixture.post(&path("raise"), &fixture.operator(), &json!({ "capacity": 5 })).await.is_problem(409, "conflict");
    fixture.post("/v1/admin/sales/99/pause", &fixture.operator(), &json!({})).await.is_problem(404, "not_found");
    let viewer = fixture.keys.sign_access(OPERATOR, Role::Viewer, START, 86_400_000);
    fixture.post(&path("pause"), &viewer, &json!({})).await.is_problem(403, "forbidden");
    fixture.get(&export(sale, "orders"), &viewer).await.is_problem(403, "forbidden");
    fixture.get("/v1/admin/journal", &fixture.operator()).await.is(200);
    fixture.get(&path("live"), &fixture.operator()).await.is(200);
    assert_eq!(written(&fixture).await.len(), 1, "what changed nothing is nothing");
}

async fn an_export_that_is_left_is_told_as_left(fixture: Fixture) {
    let sale = fixture.sale(4, 0).await.id;
    let call = service(&fixture).await;
    let answer = call(fixture.request(Method::GET, &export(sale, "orders"), Some(&fixture.operator())));
    drop(answer.await);
    // By a task that nobody waits for but a graceful stop.
    let mut entries = written(&fixture).await;
    while entries.len() < 2 {
        yield_now().await;
        entries = written(&fixture).await;
    }
    assert_eq!(entries[1].after, r#"{"list":"orders","outcome":"left","rows":0}"#);
    assert_eq!(entries[0].request, entries[1].request);
}

/// The shell's are told from an account's, and name no person.
#[actix_web::test]
async fn what_a_shell_does_is_written_down() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(4, 0).await.id;
    let email = "ann@example.org".to_owned();
    let password_hash = hash_now("analytical engine");
    let name = "Ann".to_owned();
    let account = Command::AddAccount {
        name,
        email: email.clone(),
        password_hash: password_hash.clone(),
        role: Role::Desk,
        locale: Locale::En,
    };
    let commands = [
        (account, vec!["account.made"]),
        (Command::SetRole { email: email.clone(), role: Role::Door }, vec!["account.role_set"]),
        (Command::SetRole { email: email.clone(), role: Role::Door }, vec![]),
        (Command::ResetOperator { email, password_hash }, vec!["account.password_reset"]),
        (Command::Seed { sales: 1, capacity: 9, free: false }, vec!["item.made", "sale.made"]),
        (Command::Replay, vec!["replay.begun", "replay.ended"]),
        (Command::Restore { sale }, vec!["restore.begun", "restore.ended"]),
        (Command::Fallback { sale, on: true }, vec!["fallback.set"]),
        (Command::Tend { dry_run: false, settings: tend::Settings::default() }, vec!["tend.begun", "tend.ended"]),
        (Command::Tend { dry_run: true, settings: tend::Settings::default() }, vec![]),
        (Command::Operators, vec![]),
        (Command::Parked, vec![]),
        (Command::CheckJournal, vec![]),
        (Command::Audit { sales: vec![sale], turns: false }, vec![]),
    ];
    for (command, actions) in commands {
        let (words, before) = (format!("{command:?}"), written(&fixture).await.len());
        carry_out(&fixture.world.needs(), command).await.unwrap();
        let entries = written(&fixture).await.split_off(before);
        assert_eq!(entries.iter().map(|entry| entry.action.as_str()).collect::<Vec<_>>(), actions, "{words}");
        for entry in &entries {
            let who = (entry.actor, entry.role.as_str(), entry.network.as_str(), entry.at);
            assert_eq!(who, (Actor::Shell, "", "", fixture.clock.now()), "{words}");
            assert_eq!(entry.request, entries[0].request, "{words}");
        }
    }
    let all = format!("{:?}", written(&fixture).await);
    assert!(!all.contains("Ann") && !all.contains("example.org"), "{all}");
}

/// What is broken is said, and the command fails.
#[actix_web::test]
async fn a_broken_journal_is_said_at_the_shell() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(4, 0).await.id;
    for capacity in [5, 6, 7] {
        let body = json!({ "capacity": capacity });
        fixture.post(&format!("/v1/admin/sales/{sale}/raise"), &fixture.operator(), &body).await.is(200);
    }
    fixture.spoil("UPDATE journal SET became = '{\"capacity\":60}' WHERE number = 2").await;
    let checked = carry_out(&fixture.world.needs(), Command::CheckJournal).await.unwrap();
    assert_eq!((&checked["pass"], &checked["entries"]), (&json!(false), &json!(1)));
    assert_eq!(checked["broken"], "entry 2 is not what its digest covers");
    let words = checked["in_words"][0].as_str().unwrap();
    assert!(words.contains("entry 2"), "{words}");
}

#[actix_web::test]
async fn owners_read_the_journal() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(4, 0).await.id;
    let raise = async |capacity: u32, role| {
        let token = fixture.keys.sign_access(BuyerId(u64::from(capacity)), role, START, 86_400_000);
        let path = format!("/v1/admin/sales/{sale}/raise");
        fixture.post(&path, &token, &json!({ "capacity": capacity })).await.is(200);
    };
    for capacity in 11..=15 {
        raise(capacity, if capacity % 2 == 0 { Role::Desk } else { Role::Owner }).await;
    }
    let listed = async |query: &str| {
        let answer = fixture.get(&format!("/v1/admin/journal{query}"), &fixture.operator()).await;
        let link = answer.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        let entries = answer.is(200).as_array().unwrap().clone();
        (entries.iter().map(|entry| entry["number"].as_u64().unwrap()).collect::<Vec<_>>(), link)
    };
    assert_eq!(listed("").await, (vec![5, 4, 3, 2, 1], None));
    let (first, next) = listed("?limit=2&subject=sale:1").await;
    assert_eq!(first, [5, 4]);
    let next = next.unwrap();
    let next = next.strip_prefix("</v1/admin/journal").unwrap().split_once('>').unwrap().0;
    assert_eq!(listed(next).await.0, [3, 2]);
    assert_eq!(listed("?actor=12").await.0, [2]);
    assert_eq!(listed("?actor=shell").await.0, [0; 0]);
    assert_eq!(listed("?action=sale.raised").await.0.len(), 5);
    assert_eq!(listed("?action=sale.closed").await.0, [0; 0]);
    assert_eq!(listed(&format!("?from={}", START.0)).await.0.len(), 5);
    assert_eq!(listed(&format!("?to={}", START.0)).await.0, [0; 0]);
    let entries = fixture.get("/v1/admin/journal?actor=12", &fixture.operator()).await.is(200);
    let entry = &entries[0];
    assert_eq!((&entry["actor"], &entry["role"], &entry["at"]), (&json!("12"), &json!("desk"), &json!(START.0)));
    assert_eq!((&entry["before"], &entry["after"]), (&json!(r#"{"capacity":11}"#), &json!(r#"{"capacity":12}"#)));

    let file = fixture.get("/v1/admin/journal.csv?actor=12", &fixture.operator()).await;
    assert_eq!(file.status.as_u16(), 200);
    let text = String::from_utf8(file.bytes).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let head = "number,at,actor,role,network,request,action,subject,before,after,digest";
    assert_eq!(lines.next(), Some(head));
    assert!(lines.next().unwrap().starts_with("2,"), "{text}");
    assert_eq!(lines.next(), None);
}

#[actix_web::test]
async fn what_cannot_be_sought_is_said_by_name() {
    let fixture = Fixture::new().await;
    let most = "x".repeat(64);
    for (query, field) in [
        ("actor=Ann", "actor"),
        ("actor=0", "actor"),
        ("action=sale.sold", "action"),
        (&*format!("subject={most}x"), "subject"),
        ("subject=", "subject"),
        ("from=x", "from"),
        ("to=1.5", "to"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("after=x", "after"),
        ("page=2", "page"),
    ] {
        fixture.get(&format!("/v1/admin/journal?{query}"), &fixture.operator()).await.blames(400, field);
    }
    for query in [&*format!("subject={most}"), "limit=100", "after=18446744073709551615"] {
        fixture.get(&format!("/v1/admin/journal?{query}"), &fixture.operator()).await.is(200);
    }
    fixture.get("/v1/admin/journal.csv?limit=1", &fixture.operator()).await.blames(400, "limit");
}

/// A page of the list is as long as the shop's setting; the file goes on over it.
#[actix_web::test]
async fn the_file_is_written_a_page_at_a_time() {
    let fixture = Fixture::with(Settings { export_rows_max: 2, ..settings() }).await;
    let sale = fixture.sale(4, 0).await.id;
    for capacity in 5..=9 {
        let body = json!({ "capacity": capacity });
        fixture.post(&format!("/v1/admin/sales/{sale}/raise"), &fixture.operator(), &body).await.is(200);
    }
    let file = fixture.get("/v1/admin/journal.csv?action=sale.raised", &fixture.operator()).await;
    let text = String::from_utf8(file.bytes).unwrap();
    let numbers: Vec<&str> = text.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(numbers, ["5", "4", "3", "2", "1"]);
    let ended = written(&fixture).await.pop().unwrap();
    assert_eq!(ended.after, r#"{"list":"journal","outcome":"done","rows":5}"#);
}
