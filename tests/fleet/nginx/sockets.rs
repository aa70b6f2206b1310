//! Sockets through nginx: they stay through a reload, and a tunnel carries both ways.

use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;
use serde_json::json;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::front::{Behind, Front, free};
use crate::support::shop::Shop;
use crate::support::socket::{Client, knock};

async fn connect(front: &Front, token: &str, sale: u64) -> Client {
    let request = format!("ws://{}/ws", front.address).into_client_request().unwrap();
    let (mut client, _) = knock(front.address, request).await.unwrap();
    client.say(json!({ "type": "hello", "token": token, "sales": [sale] })).await;
    client.hear("time").await;
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_stay_through_a_reload() {
    let lean = free().to_string();
    let shop = Shop::start(vec![
        ("MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN", lean.clone()),
        ("MIAOSHA__GATEWAY__TRUSTED_HOPS", "1".to_owned()),
    ])
    .await;
    let both = [shop.address()];
    let front = Front::before(Behind { publishers: &both, gateways: &both, sockets: &lean }).await;
    let keys = std::fs::read_to_string(shop.state().join("token.keys")).unwrap();
    let keys = TokenKeys::parse(keys.trim()).unwrap();
    let now = SystemClock::machine_now();
    let token = |buyer, role| keys.sign_access(BuyerId(buyer), role, now, 3_600_000);
    let operator = token(999_999_999_999, Role::Owner);
    let item = shop.post("/v1/admin/items", &operator, json!({ "title": "A lamp", "description": "." })).await;
    let sale = json!({
        "item_id": item["id"], "price": { "minor": 100, "currency": "TWD" }, "capacity": 5, "quantity_max": 1,
        "standby_max": 5, "hold_ms": 600_000, "opens_at": now.0 - 1_000, "closes_at": now.0 + 3_600_000, "questions": [],
    });
    let sale = shop.post("/v1/admin/sales", &operator, sale).await["id"].as_u64().unwrap();

    let mut before = connect(&front, &token(1, Role::Shopper), sale).await;
    front.reload();
    front.has_reloaded().await;
    let mut after = connect(&front, &token(2, Role::Shopper), sale).await;
    assert_eq!(before.before_pong("none").await.len(), 0, "it still carries both ways");
    shop.post(&format!("/v1/admin/sales/{sale}/pause"), &operator, json!({})).await;
    for client in [&mut before, &mut after] {
        while client.hear("sale").await["state"] != "paused" {}
    }
}
