//! Receipts: for their buyers, the keys for everybody, and what operators do with the kept ones.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::receipts::keys::Jwks;
use crate::app::receipts::{Cleaned, Code, Stats};
use crate::faces::gateway::Gateway;
use crate::faces::gateway::once::{By, once};
use crate::faces::gateway::routes::buying::own_order;
use crate::faces::gateway::routes::{Reply, path};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{whole, words};
use crate::kit::http::etag;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};

const HOUR_MS: i64 = 3_600_000;
/// A hundred years.
const HOURS_MAX: u64 = 876_600;
/// How long anybody may keep the keys: a new key is published for longer before it signs.
const KEYS_AGE: &str = "public, max-age=3600";
/// Seconds after which a buyer asks again for a receipt that is being printed.
const AGAIN_S: u32 = 2;
const VALID: &str = "valid";
const GIVEN_BACK: &str = "given_back";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/keys").route(web::get().to(get_keys)))
        .service(path("/v1/orders/{number}/receipt.pdf").route(web::get().to(get_pdf)))
        .service(path("/v1/orders/{number}/tickets").route(web::get().to(get_tickets)))
        .service(path("/v1/admin/receipts/stats").route(web::get().to(get_stats)))
        .service(path("/v1/admin/receipts/cleanup").route(once(By::Operator, web::post().to(post_cleanup))));
}

/// The public keys of receipts, as a JWK set
#[utoipa::path(
    get,
    path = "/v1/keys",
    operation_id = "keys",
    responses(
        (
            status = 200,
            description = "The keys; they may be kept for an hour.",
            content_type = "application/jwk-set+json",
            body = Jwks,
        ),
        (status = 304, description = "They are the ones you have."),
    ),
)]
async fn get_keys(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let keys = gateway.receipts().keys().public().to_jwks();
    let body = serde_json::to_vec(&keys).map_err(|_| Problem::new(Kind::INTERNAL, "the keys cannot be written"))?;
    let digest = Sha1::digest(&body);
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("quotes and digits");
    let is_known = etag::is_known(&req, &tag);
    let mut reply = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, KEYS_AGE));
    Ok(if is_known { reply.finish() } else { reply.content_type("application/jwk-set+json").body(body) })
}

/// The receipt of an order of yours, in your language
#[utoipa::path(
    get,
    path = "/v1/orders/{number}/receipt.pdf",
    operation_id = "receipt",
    params(("number" = String, Path, min_length = 14, max_length = 14)),
    responses(
        (
            status = 200,
            description = "One page or more, with a code for each unit.",
            content_type = "application/pdf",
            body = String,
        ),
        problems::Missing,
    ),
    security(("access" = [])),
)]
// From the archive; printed now where it is not there yet. Whoever would wait for long is told to come again, and finds it then.
async fn get_pdf(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let order = own_order(&gateway, &req).await?;
    let name = format!("inline; filename=\"receipt-{}.pdf\"", order.number);
    let receipts = gateway.receipts().clone();
    let within = Duration::from_millis(receipts.settings().pdf_wait_ms_max);
    let printed = gateway.finish(async move { receipts.pdf_soon(&order).await });
    let Ok(printed) = tokio::time::timeout(within, printed).await else {
        let why = "the receipt is being printed; come again shortly";
        return Err(Problem::new(Kind::BUSY, why).retry_after_s(AGAIN_S));
    };
    let Some(pdf) = printed? else {
        let why = "many receipts are being printed; come again shortly";
        return Err(Problem::new(Kind::BUSY, why).retry_after_s(AGAIN_S));
    };
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .body(pdf))
}

#[derive(Serialize, ToSchema)]
#[schema(as = Tickets)]
struct TicketsView {
    order_number: String,
    units: Vec<TicketView>,
}

/// A unit that was given back has no code.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
struct TicketView {
    unit: u32,
    #[schema(schema_with = states)]
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    qr_svg: Option<String>,
}

fn states() -> Object {
    words([VALID, GIVEN_BACK])
}

/// The codes of an order of yours
#[utoipa::path(
    get,
    path = "/v1/orders/{number}/tickets",
    operation_id = "tickets",
    params(("number" = String, Path, min_length = 14, max_length = 14)),
    responses(
        (
            status = 200,
            description = "A code for each unit that was not given back: its text, and a picture.",
            body = TicketsView,
        ),
        problems::Missing,
    ),
    security(("access" = [])),
)]
async fn get_tickets(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    let order = own_order(&gateway, &req).await?;
    let sheet = gateway.receipts().sheet(&order).await?;
    let units = sheet.units.into_iter().map(|unit| TicketView {
        unit: unit.number,
        state: if unit.token.is_some() { VALID } else { GIVEN_BACK },
        qr_svg: unit.token.as_deref().map(|token| Code::of(token).svg()),
        token: unit.token,
    });
    let view = TicketsView { order_number: sheet.order, units: units.collect() };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "private, no-store")).json(view))
}

/// How many receipts are kept
#[utoipa::path(
    get,
    path = "/v1/admin/receipts/stats",
    operation_id = "receipt_stats",
    responses((status = 200, description = "Figures.", body = Stats)),
    security(("access" = ["operator"])),
)]
async fn get_stats(req: HttpRequest, gateway: Data<Gateway>) -> Reply {
    gateway.operator(&req)?;
    Ok(HttpResponse::Ok().json(gateway.receipts().stats().await?))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Cleanup)]
struct CleanupBody {
    #[schema(schema_with = whole::<0, { HOURS_MAX as i64 }>)]
    older_than_hours: u64,
}

/// Remove old receipts; they can be made again
#[utoipa::path(
    post,
    path = "/v1/admin/receipts/cleanup",
    operation_id = "clean_up_receipts",
    params(Key),
    request_body = CleanupBody,
    responses((status = 200, description = "What was removed.", body = Cleaned)),
    security(("access" = ["operator"])),
)]
async fn post_cleanup(req: HttpRequest, payload: Payload, gateway: Data<Gateway>) -> Reply {
    gateway.operator(&req)?;
    let body: CleanupBody = gateway.body(&req, &mut payload.into_inner()).await?;
    limits::within("older_than_hours", body.older_than_hours, 0..=HOURS_MAX)?;
    let before = gateway.clock().now().plus_ms(-(body.older_than_hours as i64) * HOUR_MS);
    let receipts = gateway.receipts().clone();
    let cleaned = gateway.finish(async move { receipts.clean_up(before).await }).await?;
    Ok(HttpResponse::Ok().json(cleaned))
}
