//! What a check-in answers: the admission, or why it was refused.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::app::receipts::Handed;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::kit::http::document::problems::{Extended, Members, of_kind};
use crate::kit::http::idempotency::IN_FLIGHT;
use crate::kit::http::problem::Kind;
use crate::ports::receipts::admissions::Why;
use crate::problem_kinds;

problem_kinds! {
    ALREADY_ADMITTED = "already_admitted", CONFLICT, "Already admitted with this unit";
    /// It is good, at another sale's door.
    ELSEWHERE = "elsewhere", CONFLICT, "It is for another sale";
    /// Given back: it is no longer good for admission.
    REVOKED = "revoked", GONE, "The unit was given back";
    NOT_ADMITTED = "not_admitted", CONFLICT, "Not admitted";
    /// For the door; not for the desk.
    UNDO_LATE = "undo_late", FORBIDDEN, "Admitted too long ago";
}

#[derive(Serialize, ToSchema)]
#[schema(as = Admission)]
pub struct AdmissionView {
    sale_id: SaleId,
    unit: u32,
    reservation_id: ReservationId,
    admitted_at: Timestamp,
    gate: String,
    device: String,
}

impl From<Admission> for AdmissionView {
    fn from(admission: Admission) -> Self {
        let Admission { proof: Proof { sale, unit, reservation }, at, gate, source } = admission;
        Self { sale_id: sale, unit, reservation_id: reservation, admitted_at: at, gate, device: source.device }
    }
}

/// Why a check-in was refused: the unit is another sale's, or was used before.
pub struct NotAdmitted;

impl ToSchema for NotAdmitted {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Extended::<AlreadyView>::schemas(schemas);
        Extended::<ElsewhereView>::schemas(schemas);
    }
}

impl PartialSchema for NotAdmitted {
    fn schema() -> RefOr<Schema> {
        let kinds = OneOfBuilder::new().item(of_kind(IN_FLIGHT));
        kinds.item(Extended::<AlreadyView>::schema()).item(Extended::<ElsewhereView>::schema()).into()
    }
}

/// How the unit was used.
#[derive(Serialize, ToSchema)]
#[schema(as = AlreadyAdmitted)]
pub struct AlreadyView {
    #[serde(flatten)]
    pub before: AdmissionView,
    /// Given back since.
    pub revoked: bool,
}

impl Members for AlreadyView {
    const KIND: Kind = ALREADY_ADMITTED;
}

/// A good receipt, of the sale that is named here, so that its holder can be sent there.
#[derive(Serialize, ToSchema)]
#[schema(as = Elsewhere)]
pub struct ElsewhereView {
    pub sale_id: SaleId,
    pub unit: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sale_title: Option<String>,
}

impl Members for ElsewhereView {
    const KIND: Kind = ELSEWHERE;
}

#[derive(Serialize, ToSchema)]
pub struct Merged {
    pub admissions: Vec<Handed>,
    pub conflicts: usize,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CheckInConflict)]
pub struct ConflictView {
    pub why: Why,
    #[serde(flatten)]
    pub admission: AdmissionView,
}
