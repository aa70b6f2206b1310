//! An order: a permanent purchase. Written in the transaction that confirms its reservation, and only there.

use crate::domain::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What people read out on the phone: unique, hard to guess, without letters that look like digits.
    pub number: String,
    /// One order per reservation.
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub units: Vec<u32>,
    pub amount: Money,
    pub payment: PaymentId,
    pub placed_at: Timestamp,
    pub refunded: bool,
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
