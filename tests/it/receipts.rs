//! Receipts apart from the shop: tokens, keys, the printed page as other people's programs read it, and gates without a network.

mod gates;
pub mod pages;
mod tokens;

use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::domain::money::order::Order;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;

use crate::support::clock::START;

pub fn keys(digit: &str) -> ReceiptKeys {
    ReceiptKeys::parse(&format!("r{digit}:{}", digit.repeat(64))).unwrap()
}

/// The same number, the same order.
fn order(number: u64, units: &[u32]) -> Order {
    let currency = "TWD".parse().unwrap();
    Order {
        number: miaosha::domain::money::order::number(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        reservation: ReservationId(u128::from(number) << 64 | 0x1234_5678_9abc_def0),
        sale: SaleId(7),
        buyer: BuyerId(number),
        units: units.to_vec(),
        amount: Money { minor: 120_000 * units.len() as i64, currency },
        payment: PaymentId(u128::from(number)),
        placed_at: START.plus_ms(number as i64),
        refunded: false,
        refunded_units: Vec::new(),
        refunded_amount: Money { minor: 0, currency },
    }
}
