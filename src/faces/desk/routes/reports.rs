//! What operators take home of a sale: its lists as CSV, and its report.

use actix_web::http::header;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::audit::journal::Subject;
use crate::domain::people::Permission;
use crate::domain::sale::Sale;
use crate::domain::shared::id::SaleId;
use crate::faces::desk::Desk;
use crate::faces::desk::exports::{Export, List};
use crate::faces::desk::leaving::{Leaving, can_be_streamed, streamed};
use crate::faces::desk::metric::Metric;
use crate::faces::desk::report::{Report, report};
use crate::faces::front::routes::{Reply, no_such_sale, path, sale_id};
use crate::kit::http::document::problems;
use crate::kit::http::problem::Problem;

const STREAMED: &str = "The list, streamed. A cell that a spreadsheet would take for a formula is quoted.";

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/exports/orders.csv").route(web::get().to(get_orders)))
        .service(path("/v1/admin/sales/{id}/exports/reservations.csv").route(web::get().to(get_reservations)))
        .service(path("/v1/admin/sales/{id}/exports/check-ins.csv").route(web::get().to(get_check_ins)))
        .service(path("/v1/admin/sales/{id}/report").route(web::get().to(get_report)));
}

/// Every order of the sale, as CSV
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/exports/orders.csv",
    operation_id = "export_orders",
    params(("id" = SaleId, Path)),
    responses(
        (status = 200, description = STREAMED, content_type = "text/csv", body = String),
        problems::Invalid, problems::Missing,
    ),
    security(("access" = ["export"])),
)]
async fn get_orders(req: HttpRequest, desk: Data<Desk>) -> Reply {
    export(&req, &desk, List::Orders).await
}

/// Every reservation of the sale, as CSV
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/exports/reservations.csv",
    operation_id = "export_reservations",
    params(("id" = SaleId, Path)),
    responses(
        (status = 200, description = STREAMED, content_type = "text/csv", body = String),
        problems::Invalid, problems::Missing,
    ),
    security(("access" = ["export"])),
)]
async fn get_reservations(req: HttpRequest, desk: Data<Desk>) -> Reply {
    export(&req, &desk, List::Reservations).await
}

/// All admissions with a unit of the sale, as CSV
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/exports/check-ins.csv",
    operation_id = "export_check_ins",
    params(("id" = SaleId, Path)),
    responses(
        (status = 200, description = STREAMED, content_type = "text/csv", body = String),
        problems::Invalid, problems::Missing,
    ),
    security(("access" = ["export"])),
)]
async fn get_check_ins(req: HttpRequest, desk: Data<Desk>) -> Reply {
    export(&req, &desk, List::CheckIns).await
}

async fn export(req: &HttpRequest, desk: &Desk, list: List) -> Reply {
    let by = desk.author(req, Permission::Export)?;
    can_be_streamed(req)?;
    let sale = sale(req, desk).await?;
    let leaving = Leaving::begin(desk, by, list.name(), Subject::Sale(sale.id)).await?;
    let name = format!("sale-{}-{}.csv", sale.id, list.name());
    streamed(&name, Export::new(sale.id, list, leaving)).await
}

/// A sale in figures
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/report",
    operation_id = "report",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "The report.", body = Report), problems::Invalid, problems::Missing),
    security(("access" = ["read"])),
)]
async fn get_report(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let sale = sale(&req, &desk).await?;
    let begun = std::time::Instant::now();
    let report = report(desk.needs(), &sale).await?;
    metrics::histogram!(Metric::ReportSeconds.name()).record(begun.elapsed().as_secs_f64());
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(report))
}

async fn sale(req: &HttpRequest, desk: &Desk) -> Result<Sale, Problem> {
    desk.needs().catalogue.sale(sale_id(req)?).await?.ok_or_else(no_such_sale)
}
