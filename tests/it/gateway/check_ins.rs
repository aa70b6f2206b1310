//! The door: a unit is admitted once, online or at a gate, and what gates wrote down without the shop is merged.

use futures_util::future::join_all;
use miaosha::app::receipts::gate::{Answer, Gate, Pack, Written};
use miaosha::app::receipts::token::sign;
use miaosha::domain::money::order::Order;
use miaosha::domain::receipts::Proof;
use miaosha::domain::shared::id::{ReservationId, SaleId};
use miaosha::domain::shared::locale::Locale;
use serde_json::{Value, json};

use super::fixture::{self, Fixture};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_unit_goes_in_once
    of_many_gates_one_lets_it_in
    what_was_given_back_lets_nobody_in
    what_was_used_and_given_back_says_both
    another_sales_ticket_is_elsewhere
    two_gates_without_the_shop_come_together
    an_earlier_admission_displaces_a_later_one
    admissions_come_in_pages
    a_pack_names_what_is_gone_and_what_was_used
}

impl Fixture {
    pub fn ticket(&self, order: &Order, unit: u32) -> String {
        sign(Proof { sale: order.sale, unit, reservation: order.reservation }, self.receipts.keys())
    }

    /// At the sale's door.
    pub async fn check_in(&self, sale: SaleId, mut body: Value) -> fixture::Answer {
        body["sale_id"] = json!(sale);
        self.post("/v1/check-ins", &self.operator(), &body).await
    }

    pub async fn merge(&self, device: &str, lines: &[Value]) -> fixture::Answer {
        let body = json!({ "device": device, "admissions": lines });
        self.post("/v1/check-ins/merge", &self.operator(), &body).await
    }

    pub async fn admitted(&self, sale: SaleId) -> Vec<(u32, String, String)> {
        let page = self.world.admissions.check_ins_page(sale, None, 100).await.unwrap();
        page.into_iter().map(|row| (row.proof.unit, row.gate, row.source.device)).collect()
    }

    pub async fn contradictions(&self, sale: SaleId) -> Vec<Value> {
        let path = format!("/v1/admin/sales/{sale}/check-in-conflicts");
        self.get(&path, &self.operator()).await.is(200).as_array().unwrap().clone()
    }
}

async fn a_unit_goes_in_once(fixture: Fixture) {
    let (_, order) = fixture.order(7, 2).await;
    let token = fixture.ticket(&order, 1);
    let body = json!({ "sale_id": order.sale, "token": token, "gate": "north" });
    fixture.post("/v1/check-ins", &fixture.shopper(7), &body).await.is_problem(403, "forbidden");

    let admitted = fixture.check_in(order.sale, body.clone()).await.is(201);
    assert_eq!((&admitted["unit"], &admitted["gate"]), (&json!(1), &json!("north")));
    assert_eq!((&admitted["sale_id"], &admitted["admitted_at"]), (&json!(order.sale.0), &json!(START.0)));
    fixture.clock.advance_ms(60_000);
    let again = fixture.check_in(order.sale, json!({ "token": token, "gate": "south" })).await;
    again.is_problem(409, "already_admitted");
    assert_eq!((&again.body["admitted_at"], &again.body["gate"]), (&json!(START.0), &json!("north")));
    assert!(again.body["detail"].as_str().unwrap().contains("at north"));
    fixture.check_in(order.sale, body).await.is_problem(409, "already_admitted");
    // A client that did not get the answer sends the same again.
    let other = json!({ "token": fixture.ticket(&order, 2), "gate": "north", "at": START.0 });
    let first = fixture.check_in(order.sale, other.clone()).await.is(201);
    assert_eq!(fixture.check_in(order.sale, other).await.is(201), first);
    assert_eq!(fixture.admitted(order.sale).await.len(), 2);
}

async fn of_many_gates_one_lets_it_in(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let token = fixture.ticket(&order, 1);
    let gates =
        (0..8).map(|gate| fixture.check_in(order.sale, json!({ "token": token, "gate": format!("gate {gate}") })));
    let answers = join_all(gates).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status.as_u16() == status).count();
    assert_eq!((count(201), count(409)), (1, 7));
    assert_eq!(fixture.admitted(order.sale).await.len(), 1);
}

async fn what_was_given_back_lets_nobody_in(fixture: Fixture) {
    let (id, order) = fixture.order(7, 1).await;
    let token = fixture.ticket(&order, 1);
    fixture.refund_all(id).await;
    fixture.check_in(order.sale, json!({ "token": token })).await.is_problem(410, "revoked");
    // A unit that was never of this reservation, though the signature is ours.
    let never = fixture.ticket(&order, 5);
    fixture.check_in(order.sale, json!({ "token": never })).await.is_problem(410, "revoked");
    let nobodys = sign(Proof { sale: order.sale, unit: 1, reservation: ReservationId(1) }, fixture.receipts.keys());
    fixture.check_in(order.sale, json!({ "token": nobodys })).await.is_problem(410, "revoked");
    assert_eq!(fixture.admitted(order.sale).await, []);

    // A gate admitted a person with it offline: that is known afterwards.
    let line = json!({ "sequence": 1, "token": token, "at": START.0, "gate": "north" });
    let merged = fixture.merge("a", &[line]).await.is(200);
    assert_eq!((&merged["admissions"][0]["outcome"], &merged["conflicts"]), (&json!("revoked"), &json!(1)));
    assert_eq!(fixture.contradictions(order.sale).await[0]["why"], "revoked");
    // A receipt of it says so.
    let order = fixture.world.orders.order(&order.number).await.unwrap().unwrap();
    let tickets = fixture.get(&format!("/v1/orders/{}/tickets", order.number), &fixture.shopper(7)).await.is(200);
    assert_eq!((&tickets["units"][0]["state"], tickets["units"][0].get("token")), (&json!("given_back"), None));
    assert!(miaosha::domain::receipts::archive_key(&order, Locale::En).ends_with("-1-en.pdf"));
}

async fn what_was_used_and_given_back_says_both(fixture: Fixture) {
    let (id, order) = fixture.order(7, 1).await;
    let body = json!({ "token": fixture.ticket(&order, 1), "gate": "north" });
    fixture.check_in(order.sale, body.clone()).await.is(201);
    let before = fixture.check_in(order.sale, body.clone()).await;
    before.is_problem(409, "already_admitted");
    assert_eq!(before.body["revoked"], json!(false));
    fixture.refund_all(id).await;
    let both = fixture.check_in(order.sale, body).await;
    both.is_problem(409, "already_admitted");
    assert_eq!((&both.body["revoked"], &both.body["gate"]), (&json!(true), &json!("north")));
    let detail = both.body["detail"].as_str().unwrap();
    assert!(detail.contains("at north before") && detail.contains("given back since"), "{detail}");
}

/// Whatever its own door would say of it, and its own door is none the wiser.
async fn another_sales_ticket_is_elsewhere(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let other = fixture.sale(5, 0).await.id;
    let body = json!({ "token": fixture.ticket(&order, 1), "gate": "north" });
    for _ in 0..2 {
        let elsewhere = fixture.check_in(other, body.clone()).await;
        elsewhere.is_problem(409, "elsewhere");
        let said = (&elsewhere.body["sale_id"], &elsewhere.body["sale_title"], &elsewhere.body["unit"]);
        assert_eq!(said, (&json!(order.sale), &json!("A lamp"), &json!(1)));
    }
    assert_eq!(fixture.admitted(order.sale).await, []);
    fixture.check_in(order.sale, body.clone()).await.is(201);
    fixture.check_in(other, body).await.is_problem(409, "elsewhere");

    // A good signature for a sale that is not known here.
    let unknown = Proof { sale: SaleId(999), unit: 1, reservation: order.reservation };
    let unknown = json!({ "token": sign(unknown, fixture.receipts.keys()) });
    let elsewhere = fixture.check_in(order.sale, unknown).await;
    elsewhere.is_problem(409, "elsewhere");
    assert_eq!((&elsewhere.body["sale_id"], elsewhere.body.get("sale_title")), (&json!(999), None));
    // A door without a sale admits no one.
    let body = json!({ "token": fixture.ticket(&order, 1) });
    fixture.post("/v1/check-ins", &fixture.operator(), &body).await.blames(400, "sale_id");
}

async fn two_gates_without_the_shop_come_together(fixture: Fixture) {
    let (_, order) = fixture.order(7, 4).await;
    let path = format!("/v1/admin/sales/{}/gate-pack", order.sale);
    let pack = fixture.get(&path, &fixture.operator()).await.is(200);
    fixture.get(&path, &fixture.shopper(7)).await.is_problem(403, "forbidden");
    let open = |name: &str| {
        let pack: Pack = serde_json::from_value(pack.clone()).unwrap();
        Gate::open(pack, &fixture.folder.path().join(name), name).unwrap()
    };
    let mut gates = [open("north"), open("south")];
    let at = |ms| START.plus_ms(ms);
    for (gate, unit, ms) in [(0, 1, -50), (1, 1, -20), (0, 2, -30), (1, 3, -10)] {
        let answer = gates[gate].check_in(&fixture.ticket(&order, unit), at(ms)).unwrap();
        assert!(matches!(answer, Answer::Admitted(_)), "{answer:?}");
    }
    let lines = |name: &str| {
        let written = Written::of(&fixture.folder.path().join(name)).unwrap();
        let lines: Vec<Value> = written.entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect();
        (written.device().to_owned(), lines)
    };
    let outcomes = |merged: &Value| -> Vec<String> {
        let lines = merged["admissions"].as_array().unwrap().iter();
        lines.map(|line| line["outcome"].as_str().unwrap().to_owned()).collect()
    };
    // The later gate reports first; and each reports twice.
    let (device, written) = lines("south");
    for _ in 0..2 {
        let merged = fixture.merge(&device, &written).await.is(200);
        assert_eq!((outcomes(&merged), &merged["conflicts"]), (vec!["admitted".into(), "admitted".into()], &json!(0)));
    }
    let (device, written) = lines("north");
    let merged = fixture.merge(&device, &written).await.is(200);
    assert_eq!(outcomes(&merged), ["displaced", "admitted"]);
    assert_eq!(merged["admissions"][0]["other"]["gate"], "south");
    assert_eq!(outcomes(&fixture.merge(&device, &written).await.is(200)), ["admitted", "admitted"]);
    let (device, written) = lines("south");
    let merged = fixture.merge(&device, &written).await.is(200);
    assert_eq!(outcomes(&merged), ["twice", "admitted"]);
    assert_eq!(merged["admissions"][0]["other"]["gate"], "north");

    let admitted: Vec<_> = fixture.admitted(order.sale).await.into_iter().map(|(unit, gate, _)| (unit, gate)).collect();
    assert_eq!(admitted, [(1, "north".into()), (2, "north".into()), (3, "south".into())]);
    let contradictions = fixture.contradictions(order.sale).await;
    assert_eq!(contradictions.len(), 1);
    assert_eq!((&contradictions[0]["why"], &contradictions[0]["gate"]), (&json!("twice"), &json!("south")));
    // Online again.
    fixture
        .check_in(order.sale, json!({ "token": fixture.ticket(&order, 3) }))
        .await
        .is_problem(409, "already_admitted");
    fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, 4) })).await.is(201);
}

/// Also one that the shop itself let in.
async fn an_earlier_admission_displaces_a_later_one(fixture: Fixture) {
    let (_, order) = fixture.order(7, 1).await;
    let token = fixture.ticket(&order, 1);
    fixture.check_in(order.sale, json!({ "token": token, "gate": "online" })).await.is(201);
    let line = |at: i64| json!({ "sequence": 1, "token": token, "at": at, "gate": "offline" });
    assert_eq!(fixture.merge("late", &[line(START.0 + 1)]).await.is(200)["admissions"][0]["outcome"], "twice");
    // A clock that is an hour ahead says the present.
    assert_eq!(fixture.merge("fast", &[line(START.0 + 3_600_000)]).await.is(200)["admissions"][0]["outcome"], "twice");
    assert_eq!(fixture.merge("early", &[line(START.0 - 1)]).await.is(200)["admissions"][0]["outcome"], "displaced");
    assert_eq!(fixture.admitted(order.sale).await, [(1, "offline".to_owned(), "early".to_owned())]);
    let mut gates: Vec<_> =
        fixture.contradictions(order.sale).await.into_iter().map(|row| row["device"].clone()).collect();
    gates.sort_by_key(Value::to_string);
    assert_eq!(gates, [json!(""), json!("fast"), json!("late")]);
    let forged = json!({ "sequence": 2, "token": "x", "at": START.0, "gate": "" });
    assert_eq!(fixture.merge("early", &[forged]).await.is(200)["admissions"][0]["outcome"], "invalid");
}

async fn admissions_come_in_pages(fixture: Fixture) {
    let sale = fixture.sale(8, 0).await.id;
    for buyer in 1..=3 {
        let (_, order) = fixture.order_of(sale, buyer, 2).await;
        for unit in order.units.clone() {
            fixture.check_in(sale, json!({ "token": fixture.ticket(&order, unit) })).await.is(201);
        }
    }
    let (mut after, mut units) = (None, Vec::new());
    loop {
        let page = fixture.world.admissions.check_ins_page(sale, after, 4).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.proof);
        units.extend(page.iter().map(|row| row.proof.unit));
    }
    assert_eq!(units, [1, 2, 3, 4, 5, 6]);
    assert_eq!(fixture.world.admissions.check_ins_page(SaleId(99), None, 4).await.unwrap(), []);
}

async fn a_pack_names_what_is_gone_and_what_was_used(fixture: Fixture) {
    let sale = fixture.sale(8, 0).await.id;
    let (gone, first) = fixture.order_of(sale, 1, 2).await;
    let (_, second) = fixture.order_of(sale, 2, 1).await;
    fixture.refund_all(gone).await;
    fixture.check_in(sale, json!({ "token": fixture.ticket(&second, 3), "gate": "north" })).await.is(201);
    let pack = fixture.get(&format!("/v1/admin/sales/{sale}/gate-pack"), &fixture.operator()).await.is(200);
    assert_eq!(pack["revoked"], json!([[1, first.reservation], [2, first.reservation]]));
    assert_eq!((&pack["used"][0]["unit"], &pack["used"][0]["gate"]), (&json!(3), &json!("north")));
    assert_eq!((&pack["title"], &pack["made_at"]), (&json!("A lamp"), &json!(START.0)));
    let (proofs, next) = fixture.world.admissions.revoked_page(sale, None, 1).await.unwrap();
    assert_eq!((proofs.len(), next), (2, Some(gone)));
    assert_eq!(fixture.world.admissions.revoked_page(sale, next, 1).await.unwrap(), (Vec::new(), None));
    fixture.get("/v1/admin/sales/999/gate-pack", &fixture.operator()).await.is_problem(404, "not_found");
}

#[actix_web::test]
async fn what_is_not_a_check_in_is_said_by_name() {
    let fixture = Fixture::new().await;
    let (_, order) = fixture.order(7, 1).await;
    let token = fixture.ticket(&order, 1);
    let letter = if &token[60..61] == "B" { "C" } else { "B" };
    let other = format!("{}{letter}{}", &token[..60], &token[61..]);
    for (body, field) in [
        (json!({}), "token"),
        (json!({ "token": 7 }), "token"),
        (json!({ "token": "" }), "token"),
        (json!({ "token": "x".repeat(130) }), "token"),
        (json!({ "token": "T".repeat(177) }), "token"),
        (json!({ "token": "x".repeat(5_000) }), "token"),
        (json!({ "token": other }), "token"),
        (json!({ "token": token, "gate": "g".repeat(65) }), "gate"),
        (json!({ "token": token, "gate": "a\nb" }), "gate"),
        (json!({ "token": token, "at": -1 }), "at"),
        (json!({ "token": token, "at": START.0 + 61_000 }), "at"),
        (json!({ "token": token, "door": 1 }), "door"),
    ] {
        fixture.check_in(order.sale, body).await.blames(400, field);
    }
    let line = |more: Value| {
        let mut line = json!({ "sequence": 1, "token": token, "at": START.0, "gate": "" });
        line.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        line
    };
    fixture.merge("", &[line(json!({}))]).await.blames(400, "device");
    fixture.merge("A B", &[line(json!({}))]).await.blames(400, "device");
    fixture.merge("a", &[]).await.blames(400, "admissions");
    fixture.merge("a", &vec![line(json!({})); 5]).await.blames(400, "admissions");
    let good = line(json!({}));
    for (more, field) in [
        (json!({ "sequence": 0 }), "sequence"),
        (json!({ "sequence": u64::MAX }), "sequence"),
        (json!({ "at": -5 }), "at"),
        (json!({ "gate": "g".repeat(65) }), "gate"),
        (json!({ "token": "x".repeat(501) }), "token"),
    ] {
        fixture.merge("a", &[good.clone(), line(more)]).await.blames(400, &format!("admissions[1].{field}"));
    }
    assert_eq!(fixture.admitted(order.sale).await, []);
}
