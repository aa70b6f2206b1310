//! From a hold to an order: each step is one conditional write.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::Payment;
use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BeginPayment {
    /// The hold is being paid with this payment.
    Paying(Reservation),
    /// It is not held any more, or its time is over. Nothing was changed; `None` when there is no such reservation of this buyer.
    Refused(Option<Reservation>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Confirmed {
    /// The order, written now or before with this payment.
    Order(Order),
    /// The reservation is not being paid with this payment any more; a refund of all of it is due, written in the same
    /// transaction.
    RefundDue(Reservation),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FreeOrder {
    /// The order, written now or before with this payment.
    Order(Order),
    /// It is not held any more, or its time is over. Nothing was changed; `None` when there is no such reservation of this buyer.
    Refused(Option<Reservation>),
}

#[async_trait]
pub trait Paying: Send + Sync + 'static {
    /// Recorded before it is opened at the provider.
    async fn payment_opened(&self, payment: &Payment) -> Result<()>;

    async fn payment(&self, id: PaymentId) -> Result<Option<Payment>>;

    /// Held -> Paying, while `lapses_at > now`.
    async fn begin_paying(
        &self,
        id: ReservationId,
        buyer: BuyerId,
        payment: PaymentId,
        now: Timestamp,
    ) -> Result<BeginPayment>;

    /// Paying with this payment -> Confirmed, with the order; or, when that cannot be, a refund of the payment is due.
    /// `number` is used when the order is written now.
    async fn confirm(&self, id: ReservationId, payment: PaymentId, number: &str, now: Timestamp) -> Result<Confirmed>;

    /// Held -> Confirmed while `lapses_at > now`, for nothing: a payment of 0, unknown to the provider, captured, and the order are
    /// written in the same transaction. `number` is used when the order is written now.
    async fn confirm_free(&self, payment: &Payment, buyer: BuyerId, number: &str, now: Timestamp) -> Result<FreeOrder>;

    /// The payment is definitely void. Paying with it -> Held while time is left and fewer than [`DECLINES_MAX`](crate::domain::money::payment::DECLINES_MAX) came to nothing, else
    /// Lapsed. The row as it reads now.
    async fn payment_voided(
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
