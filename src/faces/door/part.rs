//! The door's part of the document.

use utoipa::OpenApi;

use crate::faces::door::{check_ins, gates, holders, keys, undos, views};
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    check_ins::post_check_in,
    check_ins::post_merge,
    gates::get_pack,
    gates::get_conflicts,
    holders::get_holders,
    holders::post_by_order,
    keys::get_keys,
    undos::post_undo,
    undos::get_undos,
))]
struct Api;

pub fn part() -> Part {
    Part::new("door", "Letting people in.", Api::openapi()).problems(views::KINDS, check_ins::RULES)
}
