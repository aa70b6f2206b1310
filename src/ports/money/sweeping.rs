//! What no request is left to finish: holds whose time is over, units to be given on, payments that hang.

use async_trait::async_trait;

use crate::domain::sale::reservation::Reservation;
use crate::domain::shared::id::{PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[async_trait]
pub trait Sweeping: Send + Sync + 'static {
    /// Held with `lapses_at <= now` -> Lapsed, for those of the ids it holds for. The rows that were moved now.
    async fn lapse(&self, sale: SaleId, ids: &[ReservationId], now: Timestamp) -> Result<Vec<Reservation>>;

    /// Holds whose time is over, oldest first.
    async fn overdue(&self, now: Timestamp, max: u32) -> Result<Vec<(SaleId, ReservationId)>>;

    /// Ended rows that are not freed yet, oldest first, of sales on whose turnstile this process has a valid lease; 0 is nobody.
    async fn unfreed_of(&self, leased_by: u64, max: u32) -> Result<Vec<(SaleId, ReservationId)>>;

    /// Those of all other sales.
    async fn unfreed(&self, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
        self.unfreed_of(0, max).await
    }

    /// Reservations that began paying before `before`, with the payment they name.
    async fn stuck(&self, before: Timestamp, max: u32) -> Result<Vec<(ReservationId, PaymentId)>>;

    /// Sales with standby that may wait in vain: closed ones, and those whose standby goes on until all is paid.
    async fn standby_to_end(&self, among: &[SaleId], now: Timestamp) -> Result<Vec<SaleId>>;

    /// Standby -> Ended: when the sale is closed and nothing is held, paying or unfreed, for those whom nothing that is free
    /// fits; or when everything is paid, in a sale whose standby ends with that. At most `max`, the last in line first: those
    /// left, should a unit come back meanwhile, came before them. The rows that were moved now.
    async fn end_standby(&self, sale: SaleId, now: Timestamp, max: u32) -> Result<Vec<Reservation>>;
}
