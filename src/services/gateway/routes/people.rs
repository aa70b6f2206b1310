//! Signing up, logging in, who am I.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

use crate::http::auth::Principal;
use crate::http::idempotency::{By, secret};
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::accounts::{Account, Accounts, TOKEN_MS_MAX};
use crate::services::gateway::Gateway;
use crate::services::gateway::accounts::{User, log_in, sign_up};
use crate::services::gateway::once::once;
use crate::services::gateway::routes::account::{delete_me, delete_sessions};
use crate::services::gateway::routes::{Reply, path};

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/users").route(once::<W>(By::Anybody, web::post().to(post_user::<W>))))
        .service(
            path("/v1/sessions").route(web::post().to(post_session::<W>)).route(web::delete().to(delete_sessions::<W>)),
        )
        .service(path("/v1/me").route(web::get().to(get_me::<W>)).route(web::delete().to(delete_me::<W>)));
}

#[derive(Serialize)]
struct Welcome {
    user: User,
    access_token: String,
}

async fn post_user<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let user = gateway.body(&req, &mut payload.into_inner()).await?;
    // The token is nothing to write down: whoever asks again is recognised by the password, and gets a token of their own.
    let account = sign_up(gateway.world(), gateway.passwords(), &gateway.knock(&req), user).await?;
    Ok(secret(welcome(&gateway, account, HttpResponse::Created())))
}

async fn post_session<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let login = gateway.body(&req, &mut payload.into_inner()).await?;
    let account = log_in(gateway.world(), gateway.passwords(), &gateway.knock(&req), login).await?;
    Ok(welcome(&gateway, account, HttpResponse::Created()))
}

async fn get_me<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let account = gateway.world().store().account(buyer).await?;
    // Whoever signs access tokens decides who is a buyer; not all of them have an account here.
    Ok(HttpResponse::Ok().json(User::from(account.ok_or_else(no_account)?)))
}

pub fn no_account() -> Problem {
    Problem::new(Kind::NotFound, "this buyer has no account here")
}

/// A token of the account's present epoch.
pub fn welcome<W: World>(gateway: &Gateway<W>, account: Account, mut response: HttpResponseBuilder) -> HttpResponse {
    let (now, ttl_ms) = (gateway.clock().now(), gateway.settings().access_ttl_ms.min(TOKEN_MS_MAX));
    let principal = Principal { buyer: account.id, role: account.role, epoch: account.epoch };
    let access_token = gateway.keys().sign_access_of(principal, now, ttl_ms);
    response.json(Welcome { user: account.into(), access_token })
}
