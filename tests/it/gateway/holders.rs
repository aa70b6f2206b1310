//! Who comes to the door without a code: found by name, let in by the order, and every look written down.

use miaosha::domain::money::order::Order;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::domain::shared::locale::Locale;
use serde_json::{Value, json};

use super::fixture::{Answer, Fixture};
use super::over_both;
use crate::support::clock::START;

over_both! {
    a_holder_is_found_and_let_in
    so_many_holders_are_shown
    an_operator_looks_up_so_often
    who_is_let_in_by_order_is_let_in_once
}

impl Fixture {
    async fn person(&self, name: &str) -> u64 {
        let email = format!("{}@example.org", name.to_lowercase().replace(' ', "."));
        let made =
            self.world.accounts.create_account(name, &email, "hash", Role::Shopper, Locale::En, None).await.unwrap();
        made.unwrap().id.0
    }

    /// An order of somebody with this name, that doors find.
    async fn held_by(&self, sale: SaleId, name: &str, quantity: u8) -> Order {
        let (_, order) = self.order_of(sale, self.person(name).await, quantity).await;
        self.world.holders.keep_holders(100).await.unwrap();
        order
    }

    fn steward(&self) -> String {
        self.keys.sign_access(BuyerId(1_000_009), Role::Door, START, 86_400_000)
    }

    async fn look_up(&self, sale: SaleId, name: &str) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("name", name).finish();
        self.get(&format!("/v1/admin/sales/{sale}/holders?{query}"), &self.steward()).await
    }

    async fn let_in(&self, order: &Order, unit: u32) -> Answer {
        let body = json!({ "sale_id": order.sale, "order_number": order.number, "unit": unit, "gate": "north" });
        self.post("/v1/check-ins/by-order", &self.steward(), &body).await
    }
}

async fn a_holder_is_found_and_let_in(fixture: Fixture) {
    let sale = fixture.sale(8, 0).await.id;
    let other = fixture.sale(8, 0).await.id;
    let ada = fixture.held_by(sale, "Ada Lovelace", 2).await;
    fixture.held_by(sale, "Bob Ant", 1).await;
    fixture.held_by(other, "Ada Byron", 1).await;
    let found = fixture.look_up(sale, "LOVE ada").await.is(200);
    let unit = |unit: u32| json!({ "unit": unit, "given_back": false });
    let holder = json!({
        "order_number": ada.number, "name": "Ada Lovelace", "email": "a…@e….org",
        "units": [unit(ada.units[0]), unit(ada.units[1])],
    });
    assert_eq!(found, json!({ "holders": [holder], "more": false }));
    assert_eq!(fixture.look_up(sale, &ada.number.to_lowercase()).await.is(200)["holders"][0]["name"], "Ada Lovelace");
    assert_eq!(fixture.look_up(sale, "byron").await.is(200)["holders"], json!([]));

    let admitted = fixture.let_in(&ada, ada.units[0]).await.is(201);
    let units = fixture.look_up(sale, "lovelace").await.is(200)["holders"][0]["units"].clone();
    assert_eq!((&units[0]["admitted"], units[1].get("admitted")), (&admitted, None));
    fixture.refund_all(ada.reservation).await;
    let units = fixture.look_up(sale, "lovelace").await.is(200)["holders"][0]["units"].clone();
    assert_eq!((&units[0]["given_back"], &units[1]["given_back"]), (&json!(true), &json!(true)));

    let entries = fixture.world.journal.entries_after(0, 1_000).await.unwrap();
    let looks: Vec<_> = entries.iter().filter(|entry| entry.action == "holders.sought").collect();
    assert_eq!(looks.len(), 5);
    assert_eq!(looks[0].after, json!({ "orders": [ada.number] }).to_string());
    assert!(looks.iter().all(|look| look.subject == format!("sale:{sale}") && look.role == "door"));
    assert!(!format!("{entries:?}").to_lowercase().contains("love"), "what was typed is not in it");
}

async fn so_many_holders_are_shown(fixture: Fixture) {
    let sale = fixture.sale(30, 0).await.id;
    for number in 0..21 {
        let holders = fixture.held_by(sale, &format!("Ada Number {number}"), 1).await;
        assert_eq!(holders.units.len(), 1);
        let found = fixture.look_up(sale, "ada").await.is(200);
        let shown = found["holders"].as_array().unwrap().len();
        assert_eq!((shown, &found["more"]), ((number + 1).min(20), &json!(number >= 20)));
    }
}

async fn an_operator_looks_up_so_often(fixture: Fixture) {
    let sale = fixture.sale(8, 0).await.id;
    for _ in 0..30 {
        fixture.look_up(sale, "ada").await.is(200);
    }
    let refused = fixture.look_up(sale, "ada").await;
    refused.is_problem(429, "too_many_requests");
    let other = format!("/v1/admin/sales/{sale}/holders?name=ada");
    fixture.get(&other, &fixture.operator()).await.is(200);
    fixture.clock.advance_ms(2_000);
    fixture.look_up(sale, "ada").await.is(200);
    fixture.look_up(sale, "ada").await.is_problem(429, "too_many_requests");
    let entries = fixture.world.journal.entries_after(0, 1_000).await.unwrap();
    assert_eq!(entries.len(), 32, "what was refused read nobody");
}

async fn who_is_let_in_by_order_is_let_in_once(fixture: Fixture) {
    let (id, order) = fixture.order(7, 3).await;
    fixture.let_in(&order, 1).await.is(201);
    fixture.let_in(&order, 1).await.is_problem(409, "already_admitted");
    fixture
        .check_in(order.sale, json!({ "token": fixture.ticket(&order, 1) }))
        .await
        .is_problem(409, "already_admitted");
    fixture.check_in(order.sale, json!({ "token": fixture.ticket(&order, 2) })).await.is(201);
    fixture.let_in(&order, 2).await.is_problem(409, "already_admitted");
    // Another's unit, another sale's order, and no order at all.
    let elsewhere = Order { sale: fixture.sale(3, 0).await.id, ..order.clone() };
    let none = Order { number: "0000-0000-0000".to_owned(), ..order.clone() };
    let odd = Order { number: "no number".to_owned(), ..order.clone() };
    for (order, unit) in [(&order, 9), (&elsewhere, 3), (&none, 3), (&odd, 3)] {
        fixture.let_in(order, unit).await.is_problem(404, "not_found");
    }
    fixture.refund_all(id).await;
    fixture.let_in(&order, 3).await.is_problem(410, "revoked");
    let entries = fixture.world.journal.entries_after(0, 1_000).await.unwrap();
    let actions: Vec<_> = entries.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["check_in.by_order", "check_in.made"]);
}

#[actix_web::test]
async fn what_cannot_be_looked_for_is_said_by_name() {
    let fixture = Fixture::new().await;
    let sale = fixture.sale(1, 0).await.id;
    for name in ["", "ad", "-- ..", "a\nb", &"x".repeat(101)] {
        fixture.look_up(sale, name).await.blames(400, "name");
    }
    let path = format!("/v1/admin/sales/{sale}/holders");
    fixture.get(&path, &fixture.steward()).await.blames(400, "name");
    fixture.get(&format!("{path}?name=ada&limit=9"), &fixture.steward()).await.blames(400, "limit");
    fixture.look_up(SaleId(999), "ada").await.is_problem(404, "not_found");
    for name in ["ada", "王明", &"x".repeat(100)] {
        let found: Value = fixture.look_up(sale, name).await.is(200);
        assert_eq!(found, json!({ "holders": [], "more": false }));
    }
    let entries = fixture.world.journal.entries_after(0, 1_000).await.unwrap();
    assert_eq!(entries.len(), 3);
}
