//! What operators take home of a sale: long lists a page at a time, and what it all came to. Reads that decide nothing, perhaps of a
//! copy of the ledger that is late by a moment.

use std::collections::HashMap;

use crate::domain::id::{BatchId, BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::order::Order;
use crate::domain::payment::RefundKind;
use crate::domain::receipt::{Admission, Proof};
use crate::domain::reservation::{Kind, Reservation};
use crate::domain::time::Timestamp;
use crate::ports::Result;

/// A buyer, as the account has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub name: String,
    pub email: String,
}

/// Where the last page of reservations ended: they are listed by buyer, what has ended before what is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    pub buyer: BuyerId,
    pub is_live: bool,
    pub id: ReservationId,
}

/// A batch as it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub batch: BatchId,
    /// T S A R, one for each attempt.
    pub outcomes: Vec<u8>,
    pub recorded_at: Timestamp,
}

/// A page of decisions, and where the next begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decisions {
    pub decided: Vec<Decided>,
    /// Generation and revision of the last turn that was looked at; `None` when there is no more.
    pub next: Option<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Reservations, or orders.
    pub rows: u64,
    pub units: u64,
    pub minor: i64,
}

/// In one look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Reservations by what they are now; those that there are none of are left out.
    pub reservations: Vec<(Kind, Count)>,
    pub placed: Count,
    /// Orders of which nothing is left; units and money also of those that were refunded in part.
    pub refunded: Count,
    /// Refunds of orders, by where they stand: their sum is the money above.
    pub refunds: Vec<(RefundKind, Count)>,
}

pub trait Reports: Send + Sync + 'static {
    /// A sale's orders after this one's, by reservation, which is by time.
    fn orders_of_sale(
        &self,
        sale: SaleId,
        after: Option<ReservationId>,
        max: u32,
    ) -> impl Future<Output = Result<Vec<Order>>> + Send;

    fn reservations_of_sale(
        &self,
        sale: SaleId,
        after: Option<Place>,
        max: u32,
    ) -> impl Future<Output = Result<Vec<Reservation>>> + Send;

    /// Where the refunds of these reservations' payments stand, and how much each is.
    fn refunds_of_orders(
        &self,
        reservations: &[ReservationId],
    ) -> impl Future<Output = Result<HashMap<PaymentId, Vec<(RefundKind, i64)>>>> + Send;

    /// Those of the buyers who still have an account.
    fn people(&self, buyers: &[BuyerId]) -> impl Future<Output = Result<HashMap<BuyerId, Person>>> + Send;

    fn decisions(
        &self,
        sale: SaleId,
        after: (u64, u64),
        turns_max: u32,
    ) -> impl Future<Output = Result<Decisions>> + Send;

    fn totals(&self, sale: SaleId) -> impl Future<Output = Result<Totals>> + Send;

    /// Like [`crate::ports::admissions::Admissions::check_ins_page`], for a list.
    fn check_ins_of_sale(
        &self,
        sale: SaleId,
        after: Option<Proof>,
        max: u32,
    ) -> impl Future<Output = Result<Vec<Admission>>> + Send;
}
