//! Admissions: who went in with what, each unit once. The ledger says whether a unit is still its reservation's; of two people with
//! the same one, one conditional insert lets one in.

use async_trait::async_trait;

use crate::domain::people::author::Author;
use crate::domain::receipts::{Admission, Proof, Undone};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;

/// What a person showed to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Code,
    /// Nothing but the name of an order.
    Order,
}

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
    /// It was taken back since it was merged, and stays so.
    Undone,
}

/// Which admission of a unit is meant: there may have been several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub proof: Proof,
    pub at: Timestamp,
    /// Empty where the shop itself admitted the unit.
    pub device: String,
}

/// What became of the wish to take an admission back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// It counts no more, now or since before. Another of the same unit may stand: one that came afterwards, or that had
    /// contradicted this one.
    Done { undone: Undone, standing: Option<Admission> },
    /// There was none like it; another of the same unit may stand.
    Missing(Option<Admission>),
    /// It is older than whoever asks may take back.
    TooLate(Admission),
}

/// Where an undo stands among its sale's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UndonePlace {
    pub at: Timestamp,
    pub unit: u32,
    pub reservation: ReservationId,
    pub admitted_at: Timestamp,
}

impl From<&Undone> for UndonePlace {
    fn from(undone: &Undone) -> Self {
        let Admission { proof, at: admitted_at, .. } = &undone.admission;
        Self { at: undone.at, unit: proof.unit, reservation: proof.reservation, admitted_at: *admitted_at }
    }
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
    async fn admit(&self, admission: &Admission, shown: Shown, by: Option<&Author>) -> Result<Admitted>;

    async fn merge(&self, admissions: &[Admission], now: Timestamp) -> Result<Vec<Merged>> {
        self.merge_by(admissions, now, None).await
    }

    /// Takes over what a device wrote down: one answer for each, in their order. Of two admissions of one unit the earlier stands
    /// and the other is kept as a conflict. Merged again, it is answered as things are then, and nothing is doubled.
    async fn merge_by(&self, admissions: &[Admission], now: Timestamp, by: Option<&Author>) -> Result<Vec<Merged>>;

    /// Takes an admission back, which then counts as one that never was: in one transaction with its entry in the journal, at the
    /// author's time. One that is older than `not_before` stays. Taken back again, the answer is the same. An admission that came
    /// afterwards stays, and one that had come too late for this one takes its place.
    async fn undo(&self, mark: &Mark, not_before: Option<Timestamp>, by: &Author) -> Result<Undo>;

    /// Those that were taken back, the last first, that come after this place in that order.
    async fn undone_after(&self, sale: SaleId, after: Option<&UndonePlace>, max: u32) -> Result<Vec<Undone>>;

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
