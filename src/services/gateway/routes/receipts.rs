//! Receipts: for their buyers, the keys for everybody, and what operators do with the kept ones.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, ETAG, HeaderValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::http::etag;
use crate::http::idempotency::By;
use crate::http::limits;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::services::gateway::Gateway;
use crate::services::gateway::once::once;
use crate::services::gateway::routes::buying::own_order;
use crate::services::gateway::routes::{Reply, path};
use crate::services::receipts::Code;

const HOUR_MS: i64 = 3_600_000;
/// A hundred years.
const HOURS_MAX: u64 = 876_600;
/// How long anybody may keep the keys: a new key is published for longer before it signs.
const KEYS_AGE: &str = "public, max-age=3600";
/// Seconds after which a buyer asks again for a receipt that is being printed.
const AGAIN_S: u32 = 2;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/keys").route(web::get().to(get_keys::<W>)))
        .service(path("/v1/orders/{number}/receipt.pdf").route(web::get().to(get_pdf::<W>)))
        .service(path("/v1/orders/{number}/tickets").route(web::get().to(get_tickets::<W>)))
        .service(path("/v1/admin/receipts/stats").route(web::get().to(get_stats::<W>)))
        .service(path("/v1/admin/receipts/cleanup").route(once::<W>(By::Operator, web::post().to(post_cleanup::<W>))));
}

async fn get_keys<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let keys = gateway.receipts().keys().public().to_jwks();
    let body = serde_json::to_vec(&keys).map_err(|_| Problem::new(Kind::Internal, "the keys cannot be written"))?;
    let digest = Sha1::digest(&body);
    let tag: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("quotes and digits");
    let is_known = etag::is_known(&req, &tag);
    let mut reply = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    reply.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, KEYS_AGE));
    Ok(if is_known { reply.finish() } else { reply.content_type("application/jwk-set+json").body(body) })
}

/// From the archive; printed now where it is not there yet. Whoever would wait for long is told to come again, and finds it then.
async fn get_pdf<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let order = own_order(&gateway, &req).await?;
    let name = format!("inline; filename=\"receipt-{}.pdf\"", order.number);
    let receipts = gateway.receipts().clone();
    let within = Duration::from_millis(receipts.settings().pdf_wait_ms_max);
    let printed = gateway.finish(async move { receipts.pdf_soon(&order).await });
    let Ok(printed) = tokio::time::timeout(within, printed).await else {
        let why = "the receipt is being printed; come again shortly";
        return Err(Problem::new(Kind::Busy, why).retry_after_s(AGAIN_S));
    };
    let Some(pdf) = printed? else {
        let why = "many receipts are being printed; come again shortly";
        return Err(Problem::new(Kind::Busy, why).retry_after_s(AGAIN_S));
    };
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((CACHE_CONTROL, "private, no-store"))
        .body(pdf))
}

#[derive(Serialize)]
struct TicketsView {
    order_number: String,
    units: Vec<TicketView>,
}

/// A unit that was given back has no code.
#[derive(Serialize)]
struct TicketView {
    unit: u32,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_svg: Option<String>,
}

async fn get_tickets<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    let order = own_order(&gateway, &req).await?;
    let sheet = gateway.receipts().sheet(&order).await?;
    let units = sheet.units.into_iter().map(|unit| TicketView {
        unit: unit.number,
        state: if unit.token.is_some() { "valid" } else { "given_back" },
        qr_svg: unit.token.as_deref().map(|token| Code::of(token).svg()),
        token: unit.token,
    });
    let view = TicketsView { order_number: sheet.order, units: units.collect() };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "private, no-store")).json(view))
}

async fn get_stats<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    Ok(HttpResponse::Ok().json(gateway.receipts().stats().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CleanupBody {
    older_than_hours: u64,
}

async fn post_cleanup<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let body: CleanupBody = gateway.body(&req, &mut payload.into_inner()).await?;
    limits::within("older_than_hours", body.older_than_hours, 0..=HOURS_MAX)?;
    let before = gateway.clock().now().plus_ms(-(body.older_than_hours as i64) * HOUR_MS);
    let receipts = gateway.receipts().clone();
    let cleaned = gateway.finish(async move { receipts.clean_up(before).await }).await?;
    Ok(HttpResponse::Ok().json(cleaned))
}
