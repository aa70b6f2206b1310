//! Orders and keys of which receipts are made.

use miaosha::app::receipts::keys::ReceiptKeys;
use miaosha::domain::money::order::Order;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;

use super::clock::START;
use super::orders;

pub fn keys(digit: &str) -> ReceiptKeys {
    ReceiptKeys::parse(&format!("r{digit}:{}", digit.repeat(64))).unwrap()
}

/// The same number, the same order.
pub fn order(number: u64, units: &[u32]) -> Order {
    let currency = "TWD".parse().unwrap();
    Order {
        number: miaosha::domain::money::order::number(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        reservation: ReservationId(u128::from(number) << 64 | 0x1234_5678_9abc_def0),
        sale: SaleId(7),
        buyer: BuyerId(number),
        payment: PaymentId(u128::from(number)),
        placed_at: START.plus_ms(number as i64),
        ..orders::order(units, Money { minor: 120_000 * units.len() as i64, currency })
    }
}
