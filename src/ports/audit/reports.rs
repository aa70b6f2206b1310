//! What operators take home of a sale: long lists a page at a time, and what it all came to. Reads that decide nothing, perhaps of a
//! copy of the ledger that is late by a moment.

use std::collections::HashMap;

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::RefundKind;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{BatchId, BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
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
    /// Some of its turns are gone by a certificate: decisions are not all that were made.
    pub turns_gone: bool,
}

#[async_trait]
pub trait Reports: Send + Sync + 'static {
    /// A sale's orders after this one's, by reservation, which is by time.
    async fn orders_of_sale(&self, sale: SaleId, after: Option<ReservationId>, max: u32) -> Result<Vec<Order>>;

    async fn reservations_of_sale(&self, sale: SaleId, after: Option<Place>, max: u32) -> Result<Vec<Reservation>>;

    /// Where the refunds of these reservations' payments stand, and how much each is.
    async fn refunds_of_orders(
        &self,
        reservations: &[ReservationId],
    ) -> Result<HashMap<PaymentId, Vec<(RefundKind, i64)>>>;

    /// Those of the buyers who still have an account.
    async fn people(&self, buyers: &[BuyerId]) -> Result<HashMap<BuyerId, Person>>;

    async fn decisions(&self, sale: SaleId, after: (u64, u64), turns_max: u32) -> Result<Decisions>;

    async fn totals(&self, sale: SaleId) -> Result<Totals>;

    /// Like [`crate::ports::receipts::admissions::Admissions::check_ins_page`], for a list.
    async fn check_ins_of_sale(&self, sale: SaleId, after: Option<Proof>, max: u32) -> Result<Vec<Admission>>;
}
