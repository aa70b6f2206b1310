//! Setting up a second factor, and showing it again. It is there for operators; shoppers have no use for it.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::people::second_factor::{CODE_CHARS_MAX, Confirmed, Offer, RECOVERY_CODES, confirm, is_set, offer};
use crate::faces::account::AccountFace;
use crate::faces::account::accounts::count;
use crate::faces::account::proof;
use crate::faces::account::routes::own::proven;
use crate::faces::account::routes::welcome::{Proved, Welcome, no_account, welcome, welcomed};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{list, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::people::accounts::Account;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(
        path("/v1/me/second-factor")
            .route(web::get().to(get_second_factor))
            .route(web::post().to(post_second_factor))
            .route(web::put().to(put_second_factor)),
    )
    .service(path("/v1/me/second-factor/codes").route(web::post().to(post_code)));
}

#[derive(Serialize, ToSchema)]
#[schema(as = SecondFactor)]
struct StateView {
    /// Whether one is set up.
    set: bool,
    /// Whether calls of operators take one, for this account.
    needed: bool,
}

/// Whether I have a second factor, and need one
#[utoipa::path(
    get,
    path = "/v1/me/second-factor",
    operation_id = "second_factor",
    responses((status = 200, description = "Whether.", body = StateView), problems::Missing),
    security(("access" = [])),
)]
async fn get_second_factor(req: HttpRequest, face: Data<AccountFace>) -> Reply {
    let account = account(&req, &face).await?;
    let set = is_set(&face.needs().second_factor, account.id).await?;
    let needed = face.settings().second_factor && account.role.needs_second_factor();
    Ok(HttpResponse::Ok().json(StateView { set, needed }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSecondFactor)]
struct OfferBody {
    password: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OfferedSecondFactor)]
struct OfferView {
    /// In base 32: 20 bytes.
    secret: String,
    /// The same for an authenticator that reads it: `otpauth://totp/…`.
    uri: String,
}

/// A secret for my authenticator
///
/// It counts when a code of it was shown. Asked for again before that, it is another one. 409 where one is set up already: who
/// lost it has the account reset.
#[utoipa::path(
    post,
    path = "/v1/me/second-factor",
    operation_id = "offer_second_factor",
    request_body = OfferBody,
    responses(
        (status = 201, description = "The secret, told this once.", body = OfferView),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn post_second_factor(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let buyer = face.buyer(&req)?;
    let body: OfferBody = face.body(&req, &mut payload.into_inner()).await?;
    let account = proven(&face, &req, buyer, body.password).await?;
    if !account.role.is_operator() {
        return Err(Problem::new(Kind::FORBIDDEN, "a second factor is for operators"));
    }
    let offered = offer(&face.needs().second_factor, account.id, &account.email).await?;
    let Offer { secret, uri } =
        offered.ok_or_else(|| Problem::new(Kind::CONFLICT, "a second factor is set up already"))?;
    Ok(HttpResponse::Created().json(OfferView { secret, uri }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SecondFactorCode)]
struct CodeBody {
    #[schema(schema_with = text::<1, CODE_CHARS_MAX>)]
    code: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ConfirmedSecondFactor)]
struct ConfirmedView {
    #[serde(flatten)]
    welcome: Welcome,
    /// Each stands in for the authenticator once. Told this once.
    #[schema(schema_with = list::<String, RECOVERY_CODES>)]
    recovery_codes: Vec<String>,
}

/// My authenticator's first code
///
/// From now on a log-in takes a code. Every older token is refused.
#[utoipa::path(
    put,
    path = "/v1/me/second-factor",
    operation_id = "confirm_second_factor",
    request_body = CodeBody,
    responses(
        (status = 200, description = "Set up; here is a new token.", body = ConfirmedView),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn put_second_factor(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let by = face.own_author(&req, &face.principal(&req)?);
    let account = account(&req, &face).await?;
    let body: CodeBody = face.body(&req, &mut payload.into_inner()).await?;
    let code = limits::text("code", &body.code, CODE_CHARS_MAX)?;
    let confirmed = confirm(&face.needs().second_factor, account.id, code, by.as_ref()).await?;
    count("second_factor", matches!(confirmed, Confirmed::Done(..)));
    match confirmed {
        Confirmed::Done(revoked, recovery_codes) => {
            face.revoke(revoked);
            let account = Account { epoch: revoked.epoch, ..account };
            let welcome = welcomed(&face, &req, account, Proved::At(face.clock().now())).await?;
            Ok(HttpResponse::Ok().json(ConfirmedView { welcome, recovery_codes }))
        }
        Confirmed::Wrong => Err(proof::wrong()),
        Confirmed::TooOften => Err(proof::too_often()),
        Confirmed::NotOffered => {
            Err(Problem::new(Kind::CONFLICT, "there is nothing to confirm; ask for a secret first"))
        }
    }
}

/// Show my second factor again
///
/// Before what takes a fresh one: refunds, and lists of people.
#[utoipa::path(
    post,
    path = "/v1/me/second-factor/codes",
    operation_id = "prove_second_factor",
    request_body = CodeBody,
    responses(
        (status = 200, description = "A token that says so; the one before stays good for the rest.", body = Welcome),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn post_code(req: HttpRequest, payload: Payload, face: Data<AccountFace>) -> Reply {
    let account = account(&req, &face).await?;
    let body: CodeBody = face.body(&req, &mut payload.into_inner()).await?;
    let proved = proof::shown(&face, &account, &body.code).await?;
    let proved = proved.ok_or_else(|| Problem::new(Kind::CONFLICT, "this account has no second factor"))?;
    welcome(&face, &req, account, proved, HttpResponse::Ok()).await
}

async fn account(req: &HttpRequest, face: &AccountFace) -> Result<Account, Problem> {
    let buyer = face.buyer(req)?;
    face.needs().accounts.account(buyer).await?.ok_or_else(no_account)
}
