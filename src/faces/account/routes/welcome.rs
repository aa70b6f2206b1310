//! The answer to who is let in: who they are, and a token.

use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::people::TOKEN_MS_MAX;
use crate::domain::people::session::{Session, agent};
use crate::domain::shared::id::SessionId;
use crate::domain::shared::time::Timestamp;
use crate::faces::account::AccountFace;
use crate::faces::account::accounts::User;
use crate::faces::account::devices;
use crate::faces::front::routes::Reply;
use crate::faces::tokens::access::Principal;
use crate::kit::http::auth::LEEWAY_S;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::work::chance::chance;
use crate::ports::people::accounts::Account;

#[derive(Serialize, ToSchema)]
pub struct Welcome {
    user: User,
    /// For the Authorization header.
    access_token: String,
    /// For this browser's next log-in to this account. It opens nothing.
    device: String,
}

pub fn no_account() -> Problem {
    Problem::new(Kind::NOT_FOUND, "this buyer has no account here")
}

/// What else is known of who is let in than the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proved {
    PasswordOnly,
    /// The second factor was shown then.
    At(Timestamp),
}

pub async fn welcome(
    face: &AccountFace,
    req: &HttpRequest,
    account: Account,
    proved: Proved,
    mut response: HttpResponseBuilder,
) -> Reply {
    Ok(response.json(welcomed(face, req, account, proved).await?))
}

/// A log-in of its own, which is in the ledger before anybody has its token, and a token of the account's present epoch.
pub async fn welcomed(
    face: &AccountFace,
    req: &HttpRequest,
    account: Account,
    proved: Proved,
) -> Result<Welcome, Problem> {
    let (now, ttl_ms) = (face.clock().now(), face.settings().access_ttl_ms.min(TOKEN_MS_MAX));
    let proved_at = match proved {
        Proved::PasswordOnly => None,
        Proved::At(at) => Some(at),
    };
    let said = req.headers().get(USER_AGENT).and_then(|said| said.to_str().ok()).unwrap_or_default();
    let session = Session {
        id: SessionId::from_bytes(chance()),
        begun_at: now,
        until: now.plus_ms(ttl_ms + 1_000 * (LEEWAY_S + 1)),
        agent: agent(said),
        network: face.neighbourhood(req),
    };
    face.needs().sessions.begin_session(account.id, account.epoch, &session).await?;
    let (buyer, role, epoch, session) = (account.id, account.role, account.epoch, Some(session.id));
    let principal = Principal { buyer, role, epoch, proved_at, session };
    let access_token = face.keys().sign_access_of(principal, now, ttl_ms);
    let device = devices::new(face.keys(), account.id);
    Ok(Welcome { user: account.into(), access_token, device })
}
