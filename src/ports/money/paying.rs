//! From a hold to an order: each step is one conditional write, and those of checkouts that are there together share a
//! transaction.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::Payment;
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::platform::idempotency::{Answer, Asked, Claim, Key, Lease};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The order, written now or before with this payment.
    Order(Order),
    /// The reservation is not being paid with this payment any more; a refund of all of it is due, written in the same
    /// transaction.
    RefundDue(Reservation),
}

/// A reservation, and what a unit of its sale costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    pub row: Reservation,
    pub price: Money,
}

/// A checkout, as it begins. Its request is claimed in the same transaction, and where it is another's nothing else is done.
#[derive(Debug, Clone)]
pub struct Begin {
    pub request: Option<Asked>,
    pub take: Take,
}

/// Each by its own condition: the row is this buyer's and held, and `lapses_at > now`.
#[derive(Debug, Clone)]
pub enum Take {
    /// There is nothing to take; the request is claimed all the same.
    Nothing,
    /// Held -> Paying with this payment, which is written down with it: before the provider is asked for anything.
    Paying { payment: Payment, buyer: BuyerId },
    /// Held -> Confirmed, for nothing: a payment of 0, unknown to the provider, captured, the order, and what the request is
    /// answered from now on.
    Free { order: Order, answer: Option<Answer> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The request is another caller's, or was answered.
    Elsewhere(Claim),
    Here {
        lease: Option<Lease>,
        took: Took,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Took {
    Nothing,
    /// The hold is being paid with this payment.
    Paying(Reservation),
    /// The order was written.
    Order(Reservation),
    /// The condition did not hold. Nothing was changed; `None` when there is no such reservation of this buyer.
    Refused(Option<Reservation>),
}

/// A checkout whose money moved: its order, as it is written where the row is still being paid with the order's payment.
#[derive(Debug, Clone)]
pub struct Finish {
    pub order: Order,
    /// What its request is answered from now on, where that order is written.
    pub keep: Option<(Key, Lease, Answer)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub confirmed: Confirmed,
    /// As it reads now.
    pub row: Reservation,
    pub is_kept: bool,
}

#[async_trait]
pub trait Paying: Send + Sync + 'static {
    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>>;

    /// Paying with this payment -> Confirmed, with the order; or, when that cannot be, a refund of the payment is due.
    /// `number` is used when the order is written now.
    async fn confirm(&self, id: ReservationId, payment: PaymentId, number: &str, now: Timestamp) -> Result<Confirmed>;

    /// Of these, those that there are, each once.
    async fn bills(&self, ids: &[ReservationId]) -> Result<Vec<Bill>>;

    /// All of them in one transaction, in this order where two want the same, and answered in it. One that cannot be written
    /// fails alone.
    async fn begin_all(&self, begins: &[Begin], now: Timestamp) -> Result<Vec<Result<Begun>>>;

    /// As [`confirm`](Paying::confirm), all of them in one transaction, and answered in this order. One that cannot be written fails
    /// alone.
    async fn finish_all(&self, finishes: &[Finish], now: Timestamp) -> Result<Vec<Result<Finished>>>;

    /// The payment is definitely void. Paying with it -> Held while time is left and fewer than [`DECLINES_MAX`](crate::domain::money::payment::DECLINES_MAX) came to nothing, else
    /// Lapsed. The row as it reads now.
    async fn payment_voided(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Option<Reservation>>;

    /// The same of a payment that was never opened: it counts as no decline.
    async fn payment_unopened(
        &self,
        id: ReservationId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<Option<Reservation>>;

    /// The same of a payment whose card was declined, which is counted by a digest of it, where there is one: a hold on which a card
    /// is declined more than [`DECLINES_CARD_MAX`](crate::domain::money::payment::DECLINES_CARD_MAX) times in its day ends.
    async fn payment_declined(
        &self,
        id: ReservationId,
        payment: PaymentId,
        card: Option<&str>,
        now: Timestamp,
    ) -> Result<Option<Reservation>>;

    /// Payments of this hold that came to nothing and left it held.
    async fn declines(&self, id: ReservationId) -> Result<u8>;
}
