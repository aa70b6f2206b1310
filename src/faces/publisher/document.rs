//! The publisher's part of the document.

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Ref, Schema};
use utoipa::{OpenApi, PartialSchema, ToSchema};

use crate::faces::publisher::{attempt, refusals};
use crate::kit::http::document::Part;
use crate::kit::http::document::shapes::words;

#[derive(OpenApi)]
#[openapi(paths(attempt::take))]
struct Attempts;

pub fn part() -> Part {
    Part::new("attempts", "The button.", Attempts::openapi()).problems(refusals::KINDS, &[])
}

/// Its bytes are written by hand.
pub struct Accepted;

pub struct SoldOut;

impl ToSchema for Accepted {}

impl PartialSchema for Accepted {
    fn schema() -> RefOr<Schema> {
        let accepted = ObjectBuilder::new().property("status", words(["accepted"])).required("status");
        accepted.property("attempt_id", Ref::from_schema_name("Hex")).required("attempt_id").into()
    }
}

impl ToSchema for SoldOut {}

impl PartialSchema for SoldOut {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().property("status", words(["sold_out"])).required("status").into()
    }
}
