//! Signing up, logging in, who am I.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

use crate::http::idempotency::{By, secret};
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::accounts::{Account, Accounts};
use crate::services::gateway::Gateway;
use crate::services::gateway::accounts::{User, log_in, sign_up};
use crate::services::gateway::once::once;
use crate::services::gateway::routes::{Reply, path};

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/users").route(once::<W>(By::Anybody, web::post().to(post_user::<W>))))
        .service(path("/v1/sessions").route(web::post().to(post_session::<W>)))
        .service(path("/v1/me").route(web::get().to(get_me::<W>)));
}

#[derive(Serialize)]
struct Welcome {
    user: User,
    access_token: String,
}

async fn post_user<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let user = gateway.body(&req, &mut payload.into_inner()).await?;
    // The token is nothing to write down: whoever asks again is recognised by the password, and gets a token of their own.
    Ok(secret(welcome(&gateway, sign_up(gateway.world(), gateway.passwords(), user).await?)))
}

async fn post_session<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let login = gateway.body(&req, &mut payload.into_inner()).await?;
    Ok(welcome(&gateway, log_in(gateway.world(), gateway.passwords(), login).await?))
}

async fn get_me<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let buyer = gateway.buyer(&req)?;
    let account = gateway.world().store().account(buyer).await?;
    // Whoever signs access tokens decides who is a buyer; not all of them have an account here.
    let account = account.ok_or_else(|| Problem::new(Kind::NotFound, "this buyer has no account here"))?;
    Ok(HttpResponse::Ok().json(User::from(account)))
}

fn welcome<W: World>(gateway: &Gateway<W>, account: Account) -> HttpResponse {
    let (now, ttl_ms) = (gateway.clock().now(), gateway.settings().access_ttl_ms);
    let access_token = gateway.keys().sign_access(account.id, account.role, now, ttl_ms);
    HttpResponse::Created().json(Welcome { user: account.into(), access_token })
}
