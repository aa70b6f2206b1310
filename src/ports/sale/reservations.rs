//! Where a buyer stands with a sale, as the ledger has it now.

use async_trait::async_trait;

use crate::domain::sale::reservation::{Outcome, Reservation};
use crate::domain::shared::id::{AttemptId, BatchId, BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// Which row is a buyer's live or last one, and how often it changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub buyer: BuyerId,
    pub reservation: ReservationId,
    pub version: u64,
}

/// A buyer's reservation, and its position in line: as [`Reservations::position`] says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub row: Reservation,
    pub position: Option<u32>,
}

#[async_trait]
pub trait Reservations: Send + Sync + 'static {
    async fn reservation(&self, id: ReservationId) -> Result<Option<Reservation>>;

    /// The buyer's live reservation of the sale, or else the last one.
    async fn reservation_of(&self, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>>;

    /// The same of many buyers at once, for each that has one, and where each stands in line. In no order.
    async fn places(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Place>>;

    /// The same rows by their versions alone: what is enough to see that there is something new.
    async fn versions(&self, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Version>>;

    /// Another buyer's attempt reads as `Pending`, like one that never was.
    async fn outcome(&self, sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Result<Outcome>;

    /// Of these batches of a sale, those that were decided: for each of its attempts a byte, as [`Answer::code`] has it.
    ///
    /// [`Answer::code`]: crate::domain::sale::turn::Answer::code
    async fn decided(&self, sale: SaleId, batches: &[BatchId]) -> Result<Vec<(BatchId, Vec<u8>)>>;

    /// Parties that are served before this one, plus 1; `None` when it does not wait.
    async fn position(&self, id: ReservationId) -> Result<Option<u32>>;

    /// Held or Standby -> Cancelled, by its buyer. The row as it reads now; `None` when this buyer has no such reservation.
    async fn cancel(&self, id: ReservationId, buyer: BuyerId, now: Timestamp) -> Result<Option<Reservation>>;
}
