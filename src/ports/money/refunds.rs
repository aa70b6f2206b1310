//! Units that leave an order, and the money that goes back for them.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::{MadeRefund, RefundEntry, RefundKind};
use crate::domain::people::author::Author;
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{PaymentId, RefundId, RequestId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// What an operator gives back of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The order's.
    pub number: String,
    /// Each once; `None` for all that are left.
    pub units: Option<Vec<u32>>,
    pub reason: Option<String>,
    /// Asked for again under the same request, it is the same refund.
    pub request: Option<RequestId>,
}

/// What was written of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundedUnits {
    /// As it reads now.
    pub order: Order,
    pub entry: RefundEntry,
    /// What the order was paid with, as it reads now: still confirmed while units are left.
    pub row: Reservation,
    /// The row that ended with these units, and whose release is due: the same one when nothing is left, else one that was split
    /// from it.
    pub ended: ReservationId,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundOutcome {
    /// Written now, or before for the same request.
    Done(Box<RefundedUnits>),
    /// Every unit was refunded before.
    NothingLeft,
    /// The unit at this place of the list was refunded before.
    Refunded { place: usize },
    /// The unit at this place of the list is none of the order's.
    Foreign { place: usize },
    /// There is no such order.
    Missing,
}

#[async_trait]
pub trait Refunds: Send + Sync + 'static {
    async fn refund_units(&self, what: &RefundRequest, now: Timestamp) -> Result<RefundOutcome> {
        self.refund_units_by(what, now, None).await
    }

    /// By an operator: the units leave the order and its reservation, and a refund is due. Confirmed -> Refunded when no unit is
    /// left; else they become a row of their own, Refunded from the start, whose release takes them back. Each unit goes back once.
    async fn refund_units_by(&self, what: &RefundRequest, now: Timestamp, by: Option<&Author>)
    -> Result<RefundOutcome>;

    async fn move_refund(&self, from: &RefundEntry, to: &RefundEntry) -> Result<bool> {
        self.move_refund_by(from, to, None).await
    }

    /// One conditional write: from what was read, if it is still so. Says whether it was.
    async fn move_refund_by(&self, from: &RefundEntry, to: &RefundEntry, by: Option<&Author>) -> Result<bool>;

    /// Refunds made directly at the provider, which keeps `kept_minor` of the payment: those that are not written yet are,
    /// and what is owed is owed no more as far as they go. Where nothing is kept, its order ends as if an operator had given
    /// back what is left of it.
    async fn refunds_made(
        &self,
        payment: PaymentId,
        made: &[MadeRefund],
        kept_minor: i64,
        now: Timestamp,
    ) -> Result<()>;

    async fn refund(&self, id: RefundId) -> Result<Option<RefundEntry>>;

    /// Of these reservations, oldest first.
    async fn refunds_of(&self, reservations: &[ReservationId]) -> Result<Vec<RefundEntry>>;

    /// Those in this state after this one, oldest first, each with the number of its order if there is one.
    async fn refunds_in(
        &self,
        kind: RefundKind,
        after: Option<RefundId>,
        max: u32,
    ) -> Result<Vec<(RefundEntry, Option<String>)>>;

    /// Refunds of which the provider is to be asked by now, whose turn came first before the others.
    async fn refunds_due(&self, now: Timestamp, max: u32) -> Result<Vec<RefundEntry>>;
}
