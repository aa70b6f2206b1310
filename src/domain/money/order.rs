//! An order: a permanent purchase. Written in the transaction that confirms its reservation, and only there; afterwards units
//! of it may be refunded, each once.

use crate::domain::money::payment::Payment;
use crate::domain::sale::reservation::Reservation;
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
    /// What a reservation becomes when this payment of it stands.
    pub fn placed(row: &Reservation, paid: &Payment, number: &str, now: Timestamp) -> Self {
        Self {
            number: number.to_owned(),
            reservation: row.id,
            sale: row.sale,
            buyer: row.buyer,
            units: row.state.units().to_vec(),
            amount: paid.amount,
            payment: paid.id,
            placed_at: now,
            refunded: false,
            refunded_units: Vec::new(),
            refunded_amount: Money { minor: 0, currency: paid.amount.currency },
        }
    }

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
