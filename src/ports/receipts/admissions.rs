//! Admissions: who went in with what, each unit once. The ledger says whether a unit is still its reservation's; of two people with
//! the same one, one conditional insert lets one in.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    Now,
    /// The unit was used before, like this; since then it may have been given back.
    Before {
        admission: Admission,
        revoked: bool,
    },
    /// The unit is this reservation's no more, or never was.
    Revoked,
}

/// What became of an admission that was written down away from the shop. The person was admitted, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// It stands; and so it was told before, perhaps.
    Stands,
    /// It stands, because it was earlier than this one, which does no more.
    Displaced(Admission),
    /// The same unit was admitted earlier, like this.
    Twice(Admission),
    Revoked,
}

/// Why an admission does not stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Why {
    /// Another one of the same unit was earlier.
    Twice = 1,
    /// The unit was given back.
    Revoked = 2,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub admission: Admission,
    pub why: Why,
    pub recorded_at: Timestamp,
}

/// Where a conflict stands among its sale's: by these, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConflictPlace {
    pub recorded_at: Timestamp,
    pub unit: u32,
    pub reservation: ReservationId,
    pub device: String,
    pub sequence: u64,
    pub admitted_at: Timestamp,
}

impl From<&Conflict> for ConflictPlace {
    fn from(conflict: &Conflict) -> Self {
        let Admission { proof, at, source, .. } = &conflict.admission;
        Self {
            recorded_at: conflict.recorded_at,
            unit: proof.unit,
            reservation: proof.reservation,
            device: source.device.clone(),
            sequence: source.sequence,
            admitted_at: *at,
        }
    }
}

#[async_trait]
pub trait Admissions: Send + Sync + 'static {
    /// Checks that the unit is its reservation's, and lets it in, in one transaction.
    async fn admit(&self, admission: &Admission, by: Option<&Author>) -> Result<Admitted>;

    async fn merge(&self, admissions: &[Admission], now: Timestamp) -> Result<Vec<Merged>> {
        self.merge_by(admissions, now, None).await
    }

    /// Takes over what a device wrote down: one answer for each, in their order. Of two admissions of one unit the earlier stands
    /// and the other is kept as a conflict. Merged again, it is answered as things are then, and nothing is doubled.
    async fn merge_by(&self, admissions: &[Admission], now: Timestamp, by: Option<&Author>) -> Result<Vec<Merged>>;

    /// Those that stand, by unit and reservation: those after `after`, at most `max`.
    async fn check_ins_page(&self, sale: SaleId, after: Option<Proof>, max: u32) -> Result<Vec<Admission>>;

    /// Those that do not stand, the last recorded first, that come after this place in that order.
    async fn conflicts_after(&self, sale: SaleId, after: Option<&ConflictPlace>, max: u32) -> Result<Vec<Conflict>>;

    /// Units that were sold and are their reservation's no more: of at most `max` orders after the one of reservation `after`,
    /// and the reservation to go on from when there may be more.
    async fn revoked_page(
        &self,
        sale: SaleId,
        after: Option<ReservationId>,
        max: u32,
    ) -> Result<(Vec<Proof>, Option<ReservationId>)>;
}
