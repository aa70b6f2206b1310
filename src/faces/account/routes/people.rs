//! Signing up, logging in, who am I.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::faces::account::AccountFace;
use crate::faces::account::accounts::{Credentials, NewUser, User, log_in, sign_up};
use crate::faces::account::routes::own::{delete_me, delete_sessions};
use crate::faces::account::routes::welcome::{Welcome, no_account, welcome};
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems;
use crate::kit::http::idempotency::secret;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/users").route(once(By::Anybody, web::post().to(post_user))))
        .service(path("/v1/sessions").route(web::post().to(post_session)).route(web::delete().to(delete_sessions)))
        .service(path("/v1/me").route(web::get().to(get_me)).route(web::delete().to(delete_me)));
}

/// Sign up
#[utoipa::path(
    post,
    path = "/v1/users",
    operation_id = "sign_up",
    params(Key),
    request_body = NewUser,
    responses(
        (
            status = 201,
            description = "Signed up, and logged in. Signing up again with the same password is answered alike.",
            body = Welcome,
        ),
        problems::Throttled,
    ),
)]
async fn post_user(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let user = face.body(&req, &mut payload.into_inner()).await?;
    // The token must not be stored with the answer: a repeated request proves itself by the password and gets a token of its own.
    let account = sign_up(face.needs(), face.passwords(), &face.knock(&req), user).await?;
    Ok(secret(welcome(&face, account, HttpResponse::Created())))
}

/// Log in
#[utoipa::path(
    post,
    path = "/v1/sessions",
    operation_id = "log_in",
    request_body = Credentials,
    responses((status = 201, description = "Logged in.", body = Welcome), problems::Unauthorized, problems::Throttled),
)]
async fn post_session(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let login = face.body(&req, &mut payload.into_inner()).await?;
    let account = log_in(face.needs(), face.passwords(), &face.knock(&req), login).await?;
    Ok(welcome(&face, account, HttpResponse::Created()))
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
