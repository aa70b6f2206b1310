//! Receipts for their buyers: the page to print, and the codes.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::receipts::Code;
use crate::faces::front::routes::{Reply, path};
use crate::faces::shop::Shop;
use crate::faces::shop::routes::orders::own_order;
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::words;
use crate::kit::http::problem::{Kind, Problem};

/// Seconds after which a buyer asks again for a receipt that is being printed.
const AGAIN_S: u32 = 2;
const VALID: &str = "valid";
const GIVEN_BACK: &str = "given_back";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/orders/{number}/receipt.pdf").route(web::get().to(get_pdf)))
        .service(path("/v1/orders/{number}/tickets").route(web::get().to(get_tickets)));
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
// From the archive; printed now where it is not there yet. Where that takes long, the client is told to come again.
async fn get_pdf(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let order = own_order(&shop, &req).await?;
    let name = format!("inline; filename=\"receipt-{}.pdf\"", order.number);
    let receipts = shop.receipts().clone();
    let within = Duration::from_millis(receipts.settings().pdf_wait_ms_max);
    let printed = shop.finish(async move { receipts.pdf_soon(&order).await });
    let busy = |why: &'static str| Problem::new(Kind::BUSY, why).retry_after_s(AGAIN_S);
    let printed = tokio::time::timeout(within, printed).await;
    let printed = printed.map_err(|_| busy("the receipt is being printed; come again shortly"))?;
    let pdf = printed?.ok_or_else(|| busy("many receipts are being printed; come again shortly"))?;
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
async fn get_tickets(req: HttpRequest, shop: Data<Shop>) -> Reply {
    let order = own_order(&shop, &req).await?;
    let sheet = shop.receipts().sheet(&order).await?;
    let units = sheet.units.into_iter().map(|unit| TicketView {
        unit: unit.number,
        state: if unit.token.is_some() { VALID } else { GIVEN_BACK },
        qr_svg: unit.token.as_deref().map(|token| Code::of(token).svg()),
        token: unit.token,
    });
    let view = TicketsView { order_number: sheet.order, units: units.collect() };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "private, no-store")).json(view))
}
