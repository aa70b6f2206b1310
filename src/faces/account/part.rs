//! The account's part of the document.

use utoipa::OpenApi;

use crate::faces::account::routes::{codes, own, people, second_factor, sessions};
use crate::faces::account::{accounts, mailed, proof};
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    people::post_user,
    codes::post_code,
    codes::post_proof,
    codes::put_email,
    people::post_session,
    own::delete_sessions,
    sessions::get_sessions,
    sessions::delete_session,
    people::get_me,
    own::delete_me,
    own::get_export,
    own::put_password,
    second_factor::get_second_factor,
    second_factor::post_second_factor,
    second_factor::put_second_factor,
    second_factor::post_code,
))]
struct Api;

pub fn part() -> Part {
    Part::new("account", "People and their accounts.", Api::openapi())
        .problems(&[proof::KINDS, mailed::KINDS].concat(), accounts::RULES)
}
