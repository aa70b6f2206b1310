//! The answer to who is let in: who they are, and a token.

use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::people::TOKEN_MS_MAX;
use crate::faces::account::AccountFace;
use crate::faces::account::accounts::User;
use crate::faces::tokens::access::Principal;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::people::accounts::Account;

#[derive(Serialize, ToSchema)]
pub struct Welcome {
    user: User,
    /// For the Authorization header.
    access_token: String,
}

pub fn no_account() -> Problem {
    Problem::new(Kind::NOT_FOUND, "this buyer has no account here")
}

/// A token of the account's present epoch.
pub fn welcome(face: &AccountFace, account: Account, mut response: HttpResponseBuilder) -> HttpResponse {
    let (now, ttl_ms) = (face.clock().now(), face.settings().access_ttl_ms.min(TOKEN_MS_MAX));
    let principal = Principal { buyer: account.id, role: account.role, epoch: account.epoch };
    let access_token = face.keys().sign_access_of(principal, now, ttl_ms);
    response.json(Welcome { user: account.into(), access_token })
}
