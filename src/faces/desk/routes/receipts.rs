//! Receipts that are kept, as operators look after them.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::app::receipts::{Cleaned, Stats};
use crate::domain::audit::journal::{Action, Subject};
use crate::domain::people::Permission;
use crate::faces::desk::Desk;
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::shapes::whole;
use crate::kit::http::limits;

const HOUR_MS: i64 = 3_600_000;
/// A hundred years.
const HOURS_MAX: u64 = 876_600;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/receipts/stats").route(web::get().to(get_stats))).service(
        path("/v1/admin/receipts/cleanup").route(once(By::May(Permission::Repair), web::post().to(post_cleanup))),
    );
}

/// How many receipts are kept
#[utoipa::path(
    get,
    path = "/v1/admin/receipts/stats",
    operation_id = "receipt_stats",
    responses((status = 200, description = "Figures.", body = Stats)),
    security(("access" = ["read"])),
)]
async fn get_stats(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    Ok(HttpResponse::Ok().json(desk.receipts().stats().await?))
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
    security(("access" = ["repair"])),
)]
async fn post_cleanup(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Repair)?;
    let body: CleanupBody = desk.body(&req, &mut payload.into_inner()).await?;
    limits::within("older_than_hours", body.older_than_hours, 0..=HOURS_MAX)?;
    let before = desk.clock().now().plus_ms(-(body.older_than_hours as i64) * HOUR_MS);
    let what = json!({ "older_than_hours": body.older_than_hours });
    desk.write_down(&by, Action::CleanupBegun, Subject::Receipts, what).await?;
    let receipts = desk.receipts().clone();
    let cleaned = desk.finish(async move { receipts.clean_up(before).await }).await?;
    desk.wrote_down(&by, Action::CleanupEnded, Subject::Receipts, json!(cleaned)).await;
    Ok(HttpResponse::Ok().json(cleaned))
}
