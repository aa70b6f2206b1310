//! What a run sells: an item, and sales of it, put on sale as an operator would.

use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::domain::shared::time::Timestamp;
use miaosha::faces::tokens::TokenKeys;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::keys::TOKEN_MS;

pub const OPERATOR: BuyerId = BuyerId(999_999_999_999);
const HOUR_MS: i64 = 3_600_000;

/// A sale that is to be.
pub struct Offer {
    pub price_minor: i64,
    pub capacity: u32,
    pub quantity_max: u8,
    pub standby_max: u32,
    pub hold_ms: i64,
    pub opens_at: Timestamp,
    pub closes_at: Timestamp,
    pub questions: Value,
}

impl Offer {
    /// Open for an hour from now on, a unit for each; nothing is asked, and nothing lapses meanwhile.
    pub fn new(now: Timestamp, capacity: u32) -> Self {
        Self {
            price_minor: 100_000,
            capacity,
            quantity_max: 1,
            standby_max: 0,
            hold_ms: HOUR_MS,
            opens_at: now.plus_ms(-1_000),
            closes_at: now.plus_ms(HOUR_MS),
            questions: json!([]),
        }
    }

    /// Puts as many of these on sale, all of one item.
    pub async fn open(&self, gateway: &str, keys: &TokenKeys, sales: u64) -> Result<Vec<u64>, String> {
        let token = keys.sign_access(OPERATOR, Role::Owner, SystemClock::machine_now(), TOKEN_MS);
        let mut client = Client::new(gateway);
        let item = json!({ "title": "Loadtest", "description": "sold in a rush" }).to_string();
        let item = created(&client.post("/v1/admin/items", &token, item).await?)?;
        let sale = json!({
            "item_id": item,
            "price": { "minor": self.price_minor, "currency": "TWD" },
            "capacity": self.capacity,
            "quantity_max": self.quantity_max,
            "standby_max": self.standby_max,
            "hold_ms": self.hold_ms,
            "opens_at": self.opens_at,
            "closes_at": self.closes_at,
            "questions": self.questions,
        });
        let mut made = Vec::new();
        for _ in 0..sales {
            made.push(created(&client.post("/v1/admin/sales", &token, sale.to_string()).await?)?);
        }
        Ok(made)
    }
}

fn created(answer: &Answer) -> Result<u64, String> {
    match (answer.status, answer.json()["id"].as_u64()) {
        (201, Some(id)) => Ok(id),
        _ => Err(format!("an operator's call was answered {} {}", answer.status, answer.json())),
    }
}
