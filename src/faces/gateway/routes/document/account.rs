//! The account's part of the document.

use utoipa::OpenApi;

use crate::faces::gateway::routes::account;
use crate::faces::gateway::routes::people;

#[derive(OpenApi)]
#[openapi(paths(
    people::post_user,
    people::post_session,
    account::delete_sessions,
    people::get_me,
    account::delete_me,
    account::get_export,
    account::put_password,
))]
pub struct Account;
