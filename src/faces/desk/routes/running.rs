//! What operators see of sales that run: the figures of one, and whether the invariants hold.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::audit::{Verdict, audit};
use crate::domain::people::Permission;
use crate::domain::shared::id::SaleId;
use crate::faces::desk::Desk;
use crate::faces::desk::pace::Live;
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, no_such_sale, parsed, path, query, sale_id};
use crate::kit::http::document::params::Pages;
use crate::kit::http::document::problems;
use crate::kit::http::problem::{Kind, Problem};

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/live").route(web::get().to(get_live)))
        .service(path("/v1/admin/audit").route(web::get().to(get_audit)));
}

/// The figures of a running sale
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/live",
    operation_id = "live",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "At most half a second old.", body = Live), problems::Invalid, problems::Missing),
    security(("access" = ["read"])),
)]
async fn get_live(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let live = desk.paces().of(desk.needs(), sale_id(&req)?, desk.settings().live_turns_max).await?;
    Ok(HttpResponse::Ok().json(&*live.ok_or_else(no_such_sale)?))
}

#[derive(Serialize, ToSchema)]
struct Audit {
    pass: bool,
    at_rest: bool,
    sales: Vec<Verdict>,
}

/// Whether the invariants hold
#[utoipa::path(
    get,
    path = "/v1/admin/audit",
    operation_id = "audit",
    params(
        ("sale" = Option<u64>, Query, description = "Only this one; otherwise a page of all, newest first."),
        Pages,
    ),
    responses((status = 200, description = "A verdict for each sale of the page.", body = Audit), problems::Missing),
    security(("access" = ["read"])),
)]
// It reads all there is of its sales: one at a time, and the next one is told to come again.
async fn get_audit(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let [sale, limit, after] = query(&req, ["sale", "limit", "after"])?;
    let sale: Option<u64> = parsed("sale", sale, "must be a whole number")?;
    let page: Page<SaleId> = Page::asked(limit, after, desk.settings().audit_sales_max)?;
    let Ok(_alone) = desk.auditing().try_lock() else {
        return Err(Problem::new(Kind::BUSY, "another audit is under way; come again shortly"));
    };
    let mut sales = match sale {
        // The ledgers number with 63 bits.
        Some(id) if i64::try_from(id).is_err() => return Err(no_such_sale()),
        Some(id) => vec![SaleId(id)],
        None => {
            let sales = desk.needs().catalogue.sales_after(page.after, page.reach()).await?;
            sales.iter().map(|sale| sale.id).collect()
        }
    };
    let next = page.cut(&mut sales, |sale| *sale);
    let mut verdicts = Vec::new();
    for sale in sales {
        verdicts.push(audit(&desk.needs().audit, sale).await?.ok_or_else(no_such_sale)?);
    }
    let pass = verdicts.iter().all(|verdict| verdict.pass);
    let at_rest = verdicts.iter().all(|verdict| verdict.is_at_rest());
    Ok(page.answer(&req, next).json(Audit { pass, at_rest, sales: verdicts }))
}
