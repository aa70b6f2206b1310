//! An order: a permanent purchase. Written in the transaction that confirms its reservation, and only there; afterwards units
//! of it may be refunded, each once.

use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What people read out on the phone: unique, hard to guess, without letters that look like digits.
    pub number: String,
    /// One order per reservation.
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    /// As bought, ascending; what was refunded since is among them.
    pub units: Vec<u32>,
    /// As paid.
    pub amount: Money,
    pub payment: PaymentId,
    pub placed_at: Timestamp,
    /// Nothing of it is left.
    pub refunded: bool,
    /// Ascending.
    pub refunded_units: Vec<u32>,
    /// Of the amount, what went back or is to go back.
    pub refunded_amount: Money,
}

impl Order {
    /// The units that are still the buyer's.
    pub fn left(&self) -> Vec<u32> {
        self.units.iter().filter(|unit| !self.refunded_units.contains(unit)).copied().collect()
    }

    /// What goes back for so many of the units that are left. Each is worth an equal share of what was paid, rounded down to
    /// the currency's smallest unit; the last ones take all that is left, so that the sum is exact.
    pub fn share_of(&self, units: usize) -> Money {
        let bought = self.units.len();
        // What was given back at the provider names no units, and is not given back twice.
        let left = (self.amount.minor - self.refunded_amount.minor).max(0);
        let minor = if self.refunded_units.len() + units >= bought {
            left
        } else {
            (self.amount.minor / bought as i64 * units as i64).min(left)
        };
        Money { minor, currency: self.amount.currency }
    }

    /// The order after so much of it was refunded.
    pub fn without(mut self, units: &[u32], amount: Money) -> Self {
        self.refunded_units.extend(units);
        self.refunded_units.sort_unstable();
        self.refunded_amount.minor += amount.minor;
        self.refunded = self.refunded_units.len() == self.units.len();
        self
    }
}

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Twelve characters of Crockford's alphabet out of 60 bits of chance, in three groups.
pub fn number(chance: u64) -> String {
    let mut text = String::with_capacity(14);
    for place in 0..12u32 {
        if place > 0 && place.is_multiple_of(4) {
            text.push('-');
        }
        text.push(ALPHABET[(chance >> (place * 5)) as usize & 31] as char);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bought(units: u32, minor: i64) -> Order {
        let currency = "TWD".parse().expect("a currency");
        Order {
            number: "N".to_owned(),
            reservation: ReservationId(1),
            sale: SaleId(1),
            buyer: BuyerId(1),
            units: (1..=units).collect(),
            amount: Money { minor, currency },
            payment: PaymentId(1),
            placed_at: Timestamp(0),
            refunded: false,
            refunded_units: Vec::new(),
            refunded_amount: Money { minor: 0, currency },
        }
    }

    /// An order, and its units in the order and the parts in which they go back.
    fn given_back() -> impl Strategy<Value = (Order, Vec<Vec<u32>>)> {
        let amounts = prop_oneof![0..2_000_i64, 0..=800_000_000_000_i64];
        (1..=8_u32, amounts).prop_flat_map(|(units, minor)| {
            let all: Vec<u32> = (1..=units).collect();
            let ends = proptest::collection::vec(any::<bool>(), units as usize);
            (Just(bought(units, minor)), Just(all).prop_shuffle(), ends).prop_map(|(order, all, ends)| {
                let mut parts = vec![Vec::new()];
                for (unit, ends) in all.into_iter().zip(ends) {
                    parts.last_mut().expect("there is one").push(unit);
                    if ends {
                        parts.push(Vec::new());
                    }
                }
                parts.retain(|part| !part.is_empty());
                (order, parts)
            })
        })
    }

    proptest! {
        #[test]
        fn each_share_is_so_many_units_worth_and_the_last_takes_the_rest((order, parts) in given_back()) {
            let (amount, bought) = (order.amount.minor, order.units.len() as i64);
            let (mut order, mut sum) = (order, 0);
            for (place, part) in parts.iter().enumerate() {
                let share = order.share_of(part.len());
                let is_last = place + 1 == parts.len();
                let wanted = if is_last { amount - sum } else { amount / bought * part.len() as i64 };
                prop_assert_eq!(share.minor, wanted, "part {} of {:?}", place, parts);
                prop_assert!(share.minor >= amount / bought * part.len() as i64, "nobody gets less than each");
                sum += share.minor;
                order = order.without(part, share);
                prop_assert_eq!((order.refunded, order.refunded_amount.minor), (is_last, sum));
            }
            prop_assert_eq!(sum, amount);
            prop_assert_eq!(order.left(), Vec::<u32>::new());
        }
    }
}
