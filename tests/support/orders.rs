//! Orders as a checkout makes them.

use miaosha::domain::money::order::Order;
use miaosha::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use miaosha::domain::shared::money::Money;

use super::clock::START;

/// Nothing of it was given back.
pub fn order(units: &[u32], amount: Money) -> Order {
    Order {
        number: "1A2B-3C4D-5E6F".to_owned(),
        reservation: ReservationId(1),
        sale: SaleId(1),
        buyer: BuyerId(1),
        units: units.to_vec(),
        amount,
        payment: PaymentId(1),
        placed_at: START,
        refunded: false,
        refunded_units: Vec::new(),
        refunded_amount: Money { minor: 0, ..amount },
    }
}
