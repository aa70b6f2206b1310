//! Signing up, logging in, who am I.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::faces::account::AccountFace;
use crate::faces::account::accounts::{Credentials, NewUser, User, log_in, sign_up};
use crate::faces::account::mailed::CodeSent;
use crate::faces::account::proof;
use crate::faces::account::routes::own::{delete_me, delete_sessions};
use crate::faces::account::routes::sessions::get_sessions;
use crate::faces::account::routes::welcome::{Welcome, no_account, welcome};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::problems;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/users").route(web::post().to(post_user)))
        .service(
            path("/v1/sessions")
                .route(web::post().to(post_session))
                .route(web::get().to(get_sessions))
                .route(web::delete().to(delete_sessions)),
        )
        .service(path("/v1/me").route(web::get().to(get_me)).route(web::delete().to(delete_me)));
}

/// Sign up
///
/// A code is mailed; the account is made when it is given back. To an address that has an account goes a letter that says so, whose
/// code logs in; the answer is the same.
#[utoipa::path(
    post,
    path = "/v1/users",
    operation_id = "sign_up",
    request_body = NewUser,
    responses((status = 202, description = "A code is on its way.", body = CodeSent), problems::Throttled),
)]
async fn post_user(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let user = face.body(&req, &mut payload.into_inner()).await?;
    let day_max = face.settings().codes_day_max;
    let sent = sign_up(face.needs(), face.pools(), &face.knock(&req), user, day_max).await?;
    Ok(HttpResponse::Accepted().json(sent))
}

/// Log in
///
/// An account with a second factor takes a code of it as well: without one the password alone is answered by 403
/// `second_factor_needed`.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    operation_id = "log_in",
    request_body = Credentials,
    responses(
        (status = 201, description = "Logged in.", body = Welcome),
        problems::Unauthorized, problems::Forbidden, problems::Throttled,
    ),
)]
async fn post_session(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let mut login: Credentials = face.body(&req, &mut payload.into_inner()).await?;
    let code = login.code.take();
    let account = log_in(face.needs(), face.pools(), face.keys(), &face.knock(&req), login).await?;
    let proved = proof::at_log_in(&face, &account, code.as_deref()).await?;
    welcome(&face, &req, account, proved, HttpResponse::Created()).await
}

/// Who am I
#[utoipa::path(
    get,
    path = "/v1/me",
    operation_id = "me",
    responses((status = 200, description = "The account.", body = User), problems::Missing),
    security(("access" = [])),
)]
async fn get_me(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let buyer = face.buyer(&req)?;
    let account = face.needs().accounts.account(buyer).await?;
    // The issuer of access tokens decides who is a buyer; not every buyer has an account here.
    Ok(HttpResponse::Ok().json(User::from(account.ok_or_else(no_account)?)))
}
