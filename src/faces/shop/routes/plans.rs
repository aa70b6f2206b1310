//! Seating plans, for whoever draws them: geometry alone, which browsers keep for ever.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::Value;
use utoipa::ToSchema;

use crate::domain::seating::PlanHash;
use crate::faces::front::routes::{Reply, path};
use crate::faces::shop::Shop;
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/plans/{hash}").route(web::get().to(get_plan)));
}

/// What is told of the canonical form, which is written in `domain/seating` and never by serde.
#[expect(dead_code, reason = "the shape of an answer, for the document")]
#[derive(ToSchema)]
#[schema(as = Plan)]
struct PlanView {
    /// `miaosha-plan-1`.
    format: String,
    name: String,
    /// What seats are priced by.
    categories: Vec<String>,
    areas: Vec<PlanAreaView>,
}

#[expect(dead_code, reason = "the shape of an answer, for the document")]
#[derive(ToSchema)]
#[schema(as = PlanArea)]
struct PlanAreaView {
    name: String,
    rows: Vec<PlanRowView>,
}

/// One physical row may be several of these, with an aisle between them.
#[expect(dead_code, reason = "the shape of an answer, for the document")]
#[derive(ToSchema)]
#[schema(as = PlanRow)]
struct PlanRowView {
    label: String,
    /// Each `[label, x, y, category]`: x and y in hundredths, category as its place in the plan's list from 0. A fifth part says that it
    /// is `accessible`, a `companion`'s, or `view_blocked`.
    seats: Vec<Vec<Value>>,
}

/// A seating plan
///
/// By the hash of this very answer, which is its SHA-256; it never changes. Unit n of a sale with this plan is the n-th seat in its order,
/// from 1.
#[utoipa::path(
    get,
    path = "/v1/plans/{hash}",
    operation_id = "plan",
    params(("hash" = String, Path, description = "64 digits of 0-9 and a-f.")),
    responses(
        (
            status = 200,
            description = "The plan.",
            body = PlanView,
            headers(
                ("ETag" = String, description = "Of this plan, as it was sent."),
                ("Cache-Control" = String, description = "It is kept for ever."),
            ),
        ),
        (status = 304, description = "It is the one you have."),
        problems::Missing,
    ),
)]
async fn get_plan(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let missing = || Problem::new(Kind::NOT_FOUND, "there is no such plan");
    let hash: PlanHash = req.match_info().get("hash").and_then(|text| text.parse().ok()).ok_or_else(missing)?;
    let plan = shop.plans().plan(&*shop.needs().plans, hash).await?.ok_or_else(missing)?;
    Ok(plan.answer(&req))
}
