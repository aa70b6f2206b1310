//! The account's part of the document.

use utoipa::OpenApi;

use crate::faces::account::accounts;
use crate::faces::account::routes::{own, people};
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    people::post_user,
    people::post_session,
    own::delete_sessions,
    people::get_me,
    own::delete_me,
    own::get_export,
    own::put_password,
))]
struct Api;

pub fn part() -> Part {
    Part::new("account", "People and their accounts.", Api::openapi()).problems(accounts::KINDS, accounts::RULES)
}
