//! The door's part of the document.

use utoipa::OpenApi;

use crate::faces::gateway::routes::check_ins;
use crate::faces::gateway::routes::receipts;

#[derive(OpenApi)]
#[openapi(paths(
    check_ins::post_check_in,
    check_ins::post_merge,
    check_ins::get_pack,
    check_ins::get_conflicts,
    receipts::get_keys,
))]
pub struct Door;
