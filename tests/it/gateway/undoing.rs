//! Let-ins that were a mistake: taken back once, by whom it is for, with their history; and what gates wrote down meanwhile.

use futures_util::future::join_all;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_let_in_is_taken_back_and_made_again
    of_many_who_take_one_back_one_does
    what_was_never_let_in_is_said_by_name
    the_door_takes_back_for_so_long
    an_undo_and_what_a_gate_wrote_down_meet_in_any_order
    a_line_that_was_taken_back_stays_so
    a_line_that_came_too_late_is_taken_back_once
    undos_come_in_pages
}

const STEWARD: u64 = 1_000_009;

impl Fixture {
    fn by(&self, role: Role) -> String {
        self.keys.sign_access(BuyerId(STEWARD), role, START, 86_400_000)
    }

    async fn undo(&self, admission: &Value, role: Role) -> Answer {
        self.post("/v1/check-ins/undo", &self.by(role), &mark(admission)).await
    }

    async fn undos(&self, sale: SaleId) -> Vec<Value> {
        let path = format!("/v1/admin/sales/{sale}/check-in-undos");
        self.get(&path, &self.operator()).await.is(200).as_array().unwrap().clone()
    }

    async fn entries(&self, action: &str) -> usize {
        let entries = self.world.journal.entries_after(0, 1_000).await.unwrap();
        entries.iter().filter(|entry| entry.action == action).count()
    }
}

/// What says which admission is meant.
fn mark(admission: &Value) -> Value {
    let names = ["sale_id", "unit", "reservation_id", "admitted_at", "device"];
    names.map(|name| (name.to_owned(), admission[name].clone())).into_iter().collect::<serde_json::Map<_, _>>().into()
}

async fn a_let_in_is_taken_back_and_made_again(fixture: Fixture) {
    let (_, order) = fixture.order(7, 2).await;
    let token = fixture.ticket(&order, 1);
    let first = fixture.check_in(order.sale, json!({ "token": token, "gate": "north" })).await.is(201);
    fixture.clock.advance_ms(5_000);
    let taken = fixture.undo(&first, Role::Door).await.is(200);
    let undone = &taken["undone"];
    assert_eq!((&undone["admitted_at"], &undone["undone_at"]), (&json!(START.0), &json!(START.0 + 5_000)));
    assert_eq!((&undone["admitted_by"], &undone["undone_by"]), (&json!(1_000_000), &json!(STEWARD)));
    assert_eq!((&undone["gate"], taken.get("standing")), (&json!("north"), None));
    assert_eq!(fixture.admitted(order.sale).await, []);
    fixture.clock.advance_ms(1_000);
    assert_eq!(fixture.undo(&first, Role::Door).await.is(200), taken, "done again, it is the same");
    assert_eq!(fixture.undos(order.sale).await.as_slice(), std::slice::from_ref(undone));

    // A let-in after an undo is a let-in, and no undo of before reaches it.
    let second = fixture.check_in(order.sale, json!({ "token": token, "gate": "south" })).await.is(201);
    let answer = fixture.undo(&first, Role::Door).await.is(200);
    assert_eq!((&answer["undone"], &answer["standing"]), (undone, &second));
    assert_eq!(fixture.admitted(order.sale).await.len(), 1);
    fixture.undo(&second, Role::Desk).await.is(200);
    assert_eq!((fixture.admitted(order.sale).await.len(), fixture.undos(order.sale).await.len()), (0, 2));
    assert_eq!((fixture.entries("check_in.made").await, fixture.entries("check_in.undone").await), (2, 2));
}

async fn of_many_who_take_one_back_one_does(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let admitted = fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, 1) })).await.is(201);
    let answers = join_all((0..8).map(|_| fixture.undo(&admitted, Role::Door))).await;
    for answer in answers {
        assert_eq!(answer.is(200)["undone"]["unit"], 1);
    }
    assert_eq!((fixture.undos(order.sale).await.len(), fixture.entries("check_in.undone").await), (1, 1));
}

async fn what_was_never_let_in_is_said_by_name(fixture: Fixture) {
    let (_, order) = fixture.order(7, 2).await;
    let admitted = fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, 1) })).await.is(201);
    let other = |name: &str, value: Value| {
        let mut other = admitted.clone();
        other[name] = value;
        other
    };
    for never in [
        other("unit", json!(2)),
        other("admitted_at", json!(START.0 + 1)),
        other("device", json!("a")),
        other("reservation_id", json!(format!("{:032x}", 1))),
    ] {
        fixture.undo(&never, Role::Door).await.is_problem(409, "not_admitted");
    }
    fixture.undo(&other("device", json!("A B")), Role::Door).await.blames(400, "device");
    fixture.undo(&other("sale_id", json!(u64::MAX)), Role::Door).await.is_problem(404, "not_found");
    fixture.undo(&admitted, Role::Viewer).await.is_problem(403, "forbidden");
    fixture.undo(&admitted, Role::Shopper).await.is_problem(403, "forbidden");
    assert_eq!((fixture.admitted(order.sale).await.len(), fixture.entries("check_in.undone").await), (1, 0));
}

async fn the_door_takes_back_for_so_long(fixture: Fixture) {
    let (_, order) = fixture.order(7, 3).await;
    let mut admitted = Vec::new();
    for unit in 1..=3 {
        admitted.push(fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, unit) })).await.is(201));
    }
    fixture.clock.advance_ms(600_000);
    fixture.undo(&admitted[0], Role::Door).await.is(200);
    fixture.clock.advance_ms(1);
    let late = fixture.undo(&admitted[1], Role::Door).await;
    late.is_problem(403, "undo_late");
    assert!(late.body["detail"].as_str().unwrap().contains("10 minutes ago"));
    assert_eq!(fixture.admitted(order.sale).await.len(), 2);
    fixture.undo(&admitted[1], Role::Desk).await.is(200);
    fixture.undo(&admitted[2], Role::Owner).await.is(200);
    // What was taken back in time is said so later, too.
    fixture.undo(&admitted[0], Role::Door).await.is(200);
}

async fn an_undo_and_what_a_gate_wrote_down_meet_in_any_order(fixture: Fixture) {
    let (_, order) = fixture.order(7, 4).await;
    let sale = order.sale;
    let let_in =
        async |unit: u32| fixture.check_in(sale, json!({ "token": fixture.ticket(&order, unit) })).await.is(201);
    let merged = async |unit: u32, at_ms: i64| {
        let token = fixture.ticket(&order, unit);
        let line = json!({ "sequence": unit, "token": token, "at": START.0 + at_ms, "gate": "south" });
        fixture.merge("gate", &[line]).await.is(200)["admissions"][0]["outcome"].clone()
    };
    fixture.clock.advance_ms(10_000);
    // Written down after the mistake and before the undo: merged before the undo, or after it, it stands.
    let first = let_in(1).await;
    assert_eq!(merged(1, 10_000).await, "twice");
    let standing = fixture.undo(&first, Role::Door).await.is(200)["standing"].clone();
    assert_eq!((&standing["device"], &standing["admitted_at"]), (&json!("gate"), &json!(START.0 + 10_000)));
    let second = let_in(2).await;
    fixture.undo(&second, Role::Door).await.is(200);
    assert_eq!(merged(2, 10_000).await, "admitted");
    // Written down before the mistake: it stands either way, and the mistake is no conflict any more.
    let third = let_in(3).await;
    assert_eq!(merged(3, 5_000).await, "displaced");
    assert_eq!(fixture.undo(&third, Role::Door).await.is(200)["standing"]["device"], "gate");
    let fourth = let_in(4).await;
    fixture.undo(&fourth, Role::Door).await.is(200);
    assert_eq!(merged(4, 5_000).await, "admitted");

    let gates: Vec<_> = fixture.admitted(sale).await.into_iter().map(|(unit, _, device)| (unit, device)).collect();
    assert_eq!(gates, (1..=4).map(|unit| (unit, "gate".to_owned())).collect::<Vec<_>>());
    assert_eq!(fixture.contradictions(sale).await, [json!(null); 0]);
    assert_eq!(fixture.undos(sale).await.len(), 4);
    let pack = fixture.get(&format!("/v1/admin/sales/{sale}/gate-pack"), &fixture.operator()).await.is(200);
    assert!(pack["used"].as_array().unwrap().iter().all(|used| used["gate"] == "south"), "{pack}");
}

async fn a_line_that_was_taken_back_stays_so(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let line = |sequence: u64, at: i64| json!({ "sequence": sequence, "token": fixture.ticket(&order, 1), "at": at, "gate": "south" });
    // A clock that is ahead says another time whenever it is merged.
    let ahead = line(1, START.0 + 3_600_000);
    fixture.merge("gate", std::slice::from_ref(&ahead)).await.is(200);
    let mark = json!({ "sale_id": order.sale, "unit": 1, "reservation_id": order.reservation, "admitted_at": START.0, "device": "gate" });
    fixture.undo(&mark, Role::Door).await.is(200);
    fixture.clock.advance_ms(1_000);
    for _ in 0..2 {
        let merged = fixture.merge("gate", std::slice::from_ref(&ahead)).await.is(200);
        assert_eq!((&merged["admissions"][0]["outcome"], &merged["conflicts"]), (&json!("undone"), &json!(0)));
    }
    assert_eq!(fixture.admitted(order.sale).await, []);
    // The next line of the same gate is another admission.
    let merged = fixture.merge("gate", &[ahead, line(2, START.0 + 500)]).await.is(200);
    let outcomes: Vec<_> = merged["admissions"].as_array().unwrap().iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["undone", "admitted"]);
    assert_eq!(fixture.admitted(order.sale).await.len(), 1);
}

/// Each merge gave it another time, and it is one line all the same.
async fn a_line_that_came_too_late_is_taken_back_once(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let first = fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, 1) })).await.is(201);
    let line = json!({ "sequence": 1, "token": fixture.ticket(&order, 1), "at": START.0 + 3_600_000, "gate": "south" });
    for _ in 0..3 {
        fixture.clock.advance_ms(1_000);
        assert_eq!(
            fixture.merge("gate", std::slice::from_ref(&line)).await.is(200)["admissions"][0]["outcome"],
            "twice"
        );
    }
    let standing = fixture.undo(&first, Role::Door).await.is(200)["standing"].clone();
    assert_eq!(standing["device"], "gate");
    assert_eq!(fixture.undo(&standing, Role::Door).await.is(200).get("standing"), None);
    assert_eq!(fixture.admitted(order.sale).await, []);
    assert_eq!(fixture.contradictions(order.sale).await, [json!(null); 0]);
}

async fn undos_come_in_pages(fixture: Fixture) {
    let (_, order) = fixture.order(7, 4).await;
    for unit in 1..=4 {
        let admitted = fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, unit) })).await.is(201);
        // Two in the same moment.
        fixture.clock.advance_ms(i64::from(unit % 2));
        fixture.undo(&admitted, Role::Door).await.is(200);
    }
    let mut path = Some(format!("/v1/admin/sales/{}/check-in-undos?limit=1", order.sale));
    let mut units = Vec::new();
    while let Some(at) = path {
        let answer = fixture.get(&at, &fixture.operator()).await;
        let link = answer.headers.get("link").map(|link| link.to_str().unwrap().to_owned());
        path = link.map(|link| link.strip_prefix('<').unwrap().split_once('>').unwrap().0.to_owned());
        units.extend(answer.is(200).as_array().unwrap().iter().map(|row| row["unit"].as_u64().unwrap()));
    }
    assert_eq!(units, [4, 3, 2, 1]);
}
