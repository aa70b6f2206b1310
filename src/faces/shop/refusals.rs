//! Why an admission is not given, with what a page needs to say so.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{OneOfBuilder, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::shared::time::Timestamp;
use crate::faces::tokens::admission::SALE_CLOSED;
use crate::kit::http::document::problems::{Extended, Members, of_kind};
use crate::kit::http::problem::Kind;
use crate::problem_kinds;

problem_kinds! {
    TOO_EARLY = "too_early", CONFLICT, "It is too early for this sale";
    HAS_RESERVATION = "has_reservation", CONFLICT, "There is a reservation already";
    /// After holds that were not paid.
    COOLING_OFF = "cooling_off", FORBIDDEN, "A hold was not paid; it takes a while until the next";
    LAPSED_OUT = "lapsed_out", FORBIDDEN, "Too many holds of this sale were not paid";
    NETWORK_FULL = "network_full", TOO_MANY_REQUESTS, "Too many come from this network";
    PROOF_NEEDED = "proof_needed", PRECONDITION_REQUIRED, "Some work is needed first";
    WRONG_PROOF = "wrong_proof", UNPROCESSABLE_ENTITY, "The work does not prove it";
}

/// Admissions are given from then on.
#[derive(Serialize, ToSchema)]
#[schema(as = TooEarly)]
pub struct TooEarlyView {
    pub from: Timestamp,
}

impl Members for TooEarlyView {
    const KIND: Kind = TOO_EARLY;
}

/// A hold was not paid: the next admission is given from then on.
#[derive(Serialize, ToSchema)]
#[schema(as = CoolingOff)]
pub struct CoolingOffView {
    pub until: Timestamp,
}

impl Members for CoolingOffView {
    const KIND: Kind = COOLING_OFF;
}

/// Find a number such that the SHA-256 of the challenge, a full stop and its decimal digits begins with so many zero bits, and ask
/// again with both, before then.
#[derive(Serialize, ToSchema)]
#[schema(as = ProofNeeded)]
pub struct ProofNeededView {
    pub challenge: String,
    pub bits: u8,
    pub until: Timestamp,
}

impl Members for ProofNeededView {
    const KIND: Kind = PROOF_NEEDED;
}

pub type Work = Extended<ProofNeededView>;

/// What does not fit the present state.
pub struct NotGiven;

impl ToSchema for NotGiven {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Extended::<TooEarlyView>::schemas(schemas);
    }
}

impl PartialSchema for NotGiven {
    fn schema() -> RefOr<Schema> {
        let kinds = OneOfBuilder::new().item(of_kind(HAS_RESERVATION)).item(of_kind(SALE_CLOSED));
        kinds.item(Extended::<TooEarlyView>::schema()).into()
    }
}

/// What holds that were not paid cost.
pub struct NotYours;

impl ToSchema for NotYours {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Extended::<CoolingOffView>::schemas(schemas);
    }
}

impl PartialSchema for NotYours {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new().item(of_kind(LAPSED_OUT)).item(Extended::<CoolingOffView>::schema()).into()
    }
}
