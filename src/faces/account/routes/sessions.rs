//! The log-ins of an account: which there are, and ending one.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::people::session::{SESSIONS_MAX, Session};
use crate::domain::shared::id::SessionId;
use crate::domain::shared::time::Timestamp;
use crate::faces::account::AccountFace;
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::people::sessions::Ended;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/sessions/{session}").route(web::delete().to(delete_session)));
}

/// A log-in that goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionView {
    #[schema(value_type = String)]
    session_id: SessionId,
    begun_at: Timestamp,
    /// No token of it is good for longer.
    until: Timestamp,
    /// What the browser called itself.
    agent: String,
    /// Where it was, to the network: of an IPv4 address its /24, of IPv6 the /64.
    network: String,
    /// It is the one that asks.
    current: bool,
}

/// Where I am logged in
///
/// Newest first, at most 50.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "sessions",
    responses((status = 200, description = "The log-ins whose tokens may be good.", body = Vec<SessionView>)),
    security(("access" = [])),
)]
pub async fn get_sessions(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let principal = face.principal(&req)?;
    let found = face.needs().sessions.sessions(principal.buyer, face.clock().now(), SESSIONS_MAX as u32).await?;
    let view = |Session { id, begun_at, until, agent, network }| SessionView {
        session_id: id,
        begun_at,
        until,
        agent,
        network,
        current: principal.session == Some(id),
    };
    Ok(HttpResponse::Ok().json(found.into_iter().map(view).collect::<Vec<_>>()))
}

/// Log out one browser
///
/// Its tokens are refused here at once, elsewhere within seconds. `current` is the one that asks. An admission that it has is good
/// for its minute.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{session}",
    operation_id = "log_out",
    params(("session" = String, Path, description = "As the list says it, or `current`.")),
    responses((status = 204, description = "Ended."), problems::Missing),
    security(("access" = [])),
)]
async fn delete_session(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let principal = face.principal(&req)?;
    let named = match req.match_info().query("session") {
        "current" => principal.session,
        id => id.parse().ok(),
    };
    let none = || Problem::new(Kind::NOT_FOUND, "this account has no such log-in");
    let session = named.ok_or_else(none)?;
    let by = face.own_author(&req, &principal);
    let (sessions, now) = (&face.needs().sessions, face.clock().now());
    if !sessions.end_session(principal.buyer, session, now, by.as_ref()).await? {
        return Err(none());
    }
    face.ended(Ended { session, account: principal.buyer });
    Ok(HttpResponse::NoContent().finish())
}
