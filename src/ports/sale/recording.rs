//! What the turnstile decided, as the ledger records it. Nothing is said to a buyer before it is committed here, and the ledger's
//! unique keys make overselling impossible even when the turnstile is stale, wiped or wrong.
//!
//! Every method of the ledger's ports that writes is one transaction, and idempotent; all their reads are of the primary.

use async_trait::async_trait;

use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::{Cause, Chain, Turn};
use crate::domain::sale::turnstile::Ended;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// What a caller reads of a sale before it works for it: the generation is read in the same look as the turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleHead {
    pub generation: u64,
    /// The highest turn recorded of that generation; 0 when there is none.
    pub revision: u64,
    /// Of that turn.
    pub chain: Chain,
    /// Which of the causes asked about have a turn, of any generation.
    pub recorded: Vec<Cause>,
    /// Which of the reservations asked about have ended and are not freed yet.
    pub unfreed: Vec<Ended>,
    /// Who has a valid lease on the sale's turnstile; 0 is nobody.
    pub leased_by: u64,
    /// How long this sale's holds last: alarms wait in one queue for each length, so that no other length may be asked for.
    pub hold_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// Written now, or found written with the same stamp. The rows that these turns made or moved, as they read now.
    Done(Vec<Reservation>),
    /// The sale's generation is not the turns' any more: look again.
    Moved,
    /// A unit is claimed, a cause or revision is taken by another turn, or a chain does not fit its neighbour: the turnstile
    /// is not the one the ledger knows. Restore.
    Diverged { what: String },
    /// A promotion's row does not exist yet: its own batch's turn is still to be recorded. Try again, and restore in the end.
    Absent { reservation: ReservationId },
}

#[async_trait]
pub trait Recording: Send + Sync + 'static {
    /// `None` when there is no such sale.
    async fn look(&self, sale: SaleId, causes: &[Cause], ended: &[ReservationId]) -> Result<Option<SaleHead>>;

    /// Records answers of the turnstile, all of one sale and one generation, in one transaction: turns, new rows, promotions,
    /// claims, what blocks got, and `freed` of what the releases took back. `lapses_at` of new holds is `now` plus the sale's hold.
    async fn record(&self, sale: SaleId, turns: &[Turn], now: Timestamp) -> Result<Recorded>;

    /// The rows that recorded batches created, as they read now: a caller that finds a batch recorded tells its buyers again.
    async fn reservations_created_by(&self, sale: SaleId, causes: &[Cause]) -> Result<Vec<Reservation>>;
}
