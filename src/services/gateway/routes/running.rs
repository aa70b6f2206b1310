//! What operators see of sales that run: the figures of one, and whether the invariants hold.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use crate::domain::id::SaleId;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::catalogue::Catalogue;
use crate::services::audit::audit;
use crate::services::gateway::Gateway;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, parsed, path, query, sale_id};

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/sales/{id}/live").route(web::get().to(get_live::<W>)))
        .service(path("/v1/admin/audit").route(web::get().to(get_audit::<W>)));
}

async fn get_live<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let live = gateway.paces().of(gateway.world(), sale_id(&req)?, gateway.settings().live_turns_max).await?;
    Ok(HttpResponse::Ok().json(&*live.ok_or_else(no_such_sale)?))
}

/// Of one sale, or of a page of them, newest first. It reads all there is of them: one at a time, and the next one is told to come again.
async fn get_audit<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let [sale, limit, after] = query(&req, ["sale", "limit", "after"])?;
    let sale: Option<u64> = parsed("sale", sale, "must be a whole number")?;
    let page: Page<SaleId> = Page::asked(limit, after, gateway.settings().audit_sales_max)?;
    let Ok(_alone) = gateway.0.auditing.try_lock() else {
        return Err(Problem::new(Kind::Busy, "another audit is under way; come again shortly"));
    };
    let mut sales = match sale {
        // The ledgers number with 63 bits.
        Some(id) if i64::try_from(id).is_err() => return Err(no_such_sale()),
        Some(id) => vec![SaleId(id)],
        None => {
            let sales = gateway.world().store().sales_after(page.after, page.reach()).await?;
            sales.iter().map(|sale| sale.id).collect()
        }
    };
    let next = page.cut(&mut sales, |sale| *sale);
    let mut verdicts = Vec::new();
    for sale in sales {
        verdicts.push(audit(gateway.world(), sale).await?.ok_or_else(no_such_sale)?);
    }
    let pass = verdicts.iter().all(|verdict| verdict.pass);
    let at_rest = verdicts.iter().all(|verdict| verdict.is_at_rest());
    Ok(page.answer(&req, next).json(json!({ "pass": pass, "at_rest": at_rest, "sales": verdicts })))
}
