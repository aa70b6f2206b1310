//! What operators take home of a sale: its lists as CSV, and its report.

use actix_web::http::{Version, header};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use futures_util::stream;

use crate::domain::sale::Sale;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::catalogue::Catalogue;
use crate::services::gateway::Gateway;
use crate::services::gateway::exports::{Export, List};
use crate::services::gateway::metric::Metric;
use crate::services::gateway::report::report;
use crate::services::gateway::routes::{Reply, no_such_sale, path, sale_id};

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/exports/orders.csv").route(web::get().to(get_orders::<W>)))
        .service(path("/v1/admin/sales/{id}/exports/reservations.csv").route(web::get().to(get_reservations::<W>)))
        .service(path("/v1/admin/sales/{id}/exports/check-ins.csv").route(web::get().to(get_check_ins::<W>)))
        .service(path("/v1/admin/sales/{id}/report").route(web::get().to(get_report::<W>)));
}

async fn get_orders<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    export(&req, &gateway, List::Orders).await
}

async fn get_reservations<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    export(&req, &gateway, List::Reservations).await
}

async fn get_check_ins<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    export(&req, &gateway, List::CheckIns).await
}

async fn export<W: World>(req: &HttpRequest, gateway: &Gateway<W>, list: List) -> Reply {
    gateway.operator(req)?;
    if req.version() < Version::HTTP_11 {
        // There the end of the connection is the end of the file, whatever ended it.
        return Err(Problem::new(Kind::Invalid, "a list is streamed, which needs HTTP/1.1"));
    }
    let sale = sale(req, gateway).await?;
    let permit = gateway.exports().try_acquire_owned();
    let permit = permit.map_err(|_| Problem::new(Kind::Busy, "enough lists are being made; come again shortly"))?;
    let mut export = Export::begin(gateway.clone(), sale.id, list, permit);
    // A ledger that is away is a problem, not the beginning of a file.
    let first = export.next().await?;
    let name = format!("attachment; filename=\"sale-{}-{}.csv\"", sale.id, list.name());
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(stream::iter(first.map(Ok)).chain(export.rest())))
}

async fn get_report<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let sale = sale(&req, &gateway).await?;
    let begun = std::time::Instant::now();
    let report = report(gateway.world(), &sale).await?;
    metrics::histogram!(Metric::ReportSeconds.name()).record(begun.elapsed().as_secs_f64());
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(report))
}

async fn sale<W: World>(req: &HttpRequest, gateway: &Gateway<W>) -> Result<Sale, Problem> {
    gateway.world().store().sale(sale_id(req)?).await?.ok_or_else(no_such_sale)
}
