//! Codes by mail.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::faces::account::AccountFace;
use crate::faces::account::mailed::{
    CodeSent, CodeWanted, NewAddress, Proof, WrongCode, ask_to_log_in, ask_to_move, prove_code,
};
use crate::faces::account::routes::welcome::{Proved, Welcome, no_account, welcome};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::problems;
use crate::kit::http::problem::CONTENT_TYPE;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/codes").route(web::post().to(post_code)))
        .service(path("/v1/codes/proof").route(web::post().to(post_proof)))
        .service(path("/v1/me/email").route(web::put().to(put_email)));
}

/// Ask for a code to log in
///
/// Mailed if the address has a shopper's account; the answer is the same if it has none.
#[utoipa::path(
    post,
    path = "/v1/codes",
    operation_id = "ask_for_code",
    request_body = CodeWanted,
    responses((status = 202, description = "A code is on its way.", body = CodeSent), problems::Throttled),
)]
async fn post_code(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let wanted: CodeWanted = face.body(&req, &mut payload.into_inner()).await?;
    let day_max = face.settings().codes_day_max;
    let sent = ask_to_log_in(face.needs(), &face.knock(&req), &wanted.email, day_max).await?;
    Ok(HttpResponse::Accepted().json(sent))
}

/// Give a code back
///
/// What it was asked for is done: the account is made, the person logged in, the address changed. Once; a code is good for 10
/// minutes and 5 tries.
#[utoipa::path(
    post,
    path = "/v1/codes/proof",
    operation_id = "prove_code",
    request_body = Proof,
    responses(
        (status = 200, description = "Done, and logged in.", body = Welcome),
        (status = 403, description = "Not the code.", content_type = CONTENT_TYPE, body = WrongCode),
        problems::Conflict, problems::Throttled,
    ),
)]
async fn post_proof(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let proof = face.body(&req, &mut payload.into_inner()).await?;
    let network = face.neighbourhood(&req);
    let (account, revoked) = prove_code(face.needs(), face.pools(), &face.knock(&req), proof, network).await?;
    if let Some(revoked) = revoked {
        face.revoke(revoked);
    }
    welcome(&face, &req, account, Proved::PasswordOnly, HttpResponse::Ok()).await
}

/// Change my address
///
/// A code goes to the new one; given back, the address is changed, every older token ends, and the old address is told.
#[utoipa::path(
    put,
    path = "/v1/me/email",
    operation_id = "change_address",
    request_body = NewAddress,
    responses(
        (status = 202, description = "A code is on its way to the new address.", body = CodeSent),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn put_email(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let buyer = face.buyer(&req)?;
    let body: NewAddress = face.body(&req, &mut payload.into_inner()).await?;
    let account = face.needs().accounts.account(buyer).await?.ok_or_else(no_account)?;
    let day_max = face.settings().codes_day_max;
    let sent = ask_to_move(face.needs(), face.pools(), &face.knock(&req), account, body, day_max).await?;
    Ok(HttpResponse::Accepted().json(sent))
}
