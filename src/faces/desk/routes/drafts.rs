//! Sales that operators still work at: read, corrected, and published.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use tokio::time::Instant;

use crate::app::sale::catalogue_cache::CachedSale;
use crate::domain::people::Permission;
use crate::domain::shared::id::SaleId;
use crate::faces::desk::Desk;
use crate::faces::desk::edit::{EditBody, NotEdited, outdated, stays};
use crate::faces::desk::requests::payable;
use crate::faces::desk::routes::sales::{open, seen, tell};
use crate::faces::desk::views::DeskSaleView;
use crate::faces::front::once::{By, once};
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::faces::front::views::SaleView;
use crate::kit::http::document::params::{Key, Pages};
use crate::kit::http::document::problems;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem};
use crate::ports::sale::catalogue::Changed;
use crate::ports::sale::drafts::{Draft, Edited};

/// Drafts on one page: each is read whole.
const PAGE_MAX: u32 = 50;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/drafts").route(web::get().to(get_drafts)))
        .service(
            path("/v1/admin/sales/{id}")
                .route(web::get().to(get_sale))
                .route(once(By::May(Permission::Sell), web::patch().to(patch_sale))),
        )
        .service(path("/v1/admin/sales/{id}/publish").route(once(By::May(Permission::Sell), web::post().to(publish))));
}

/// Sales that are not published, newest first
#[utoipa::path(
    get,
    path = "/v1/admin/drafts",
    operation_id = "drafts",
    params(Pages),
    responses((status = 200, description = "A page of them; what was closed is left out.", body = Vec<DeskSaleView>)),
    security(("access" = ["read"])),
)]
async fn get_drafts(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<SaleId> = Page::asked(limit, after, PAGE_MAX)?;
    let (now, looked_at) = (desk.clock().now(), Instant::now());
    let mut drafts = desk.needs().drafts.drafts_after(page.after, page.reach()).await?;
    let next = page.cut(&mut drafts, |draft| draft.listed.sale.id);
    let view = |Draft { listed, description }| {
        let shown = CachedSale::listed(listed, looked_at);
        DeskSaleView::new(&shown.sale, SaleView::new(&shown, now).described(&description))
    };
    let views: Vec<DeskSaleView> = drafts.into_iter().map(view).collect();
    Ok(page.answer(&req, next).json(views))
}

/// A sale as it is now, a draft as well
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}",
    operation_id = "desk_sale",
    params(("id" = SaleId, Path)),
    responses((status = 200, description = "The sale.", body = DeskSaleView), problems::Invalid, problems::Missing),
    security(("access" = ["read"])),
)]
async fn get_sale(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    answer(&desk, sale_id(&req)?).await
}

/// Correct a sale
///
/// What is left out stays. Everything of a draft; of a published sale title and description always, its times and questions until it
/// opens (it may close later while it is open), its price and limits until somebody presses. All of it or nothing.
#[utoipa::path(
    patch,
    path = "/v1/admin/sales/{id}",
    operation_id = "edit_sale",
    params(("id" = SaleId, Path), Key),
    request_body = EditBody,
    responses(
        (status = 200, description = "The sale.", body = DeskSaleView),
        (
            status = 409,
            description = "It was changed since it was read; or something stays as it is, and the rule says why.",
            content_type = CONTENT_TYPE,
            body = NotEdited,
        ),
        problems::Missing,
    ),
    security(("access" = ["sell"])),
)]
async fn patch_sale(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let id = sale_id(&req)?;
    let body: EditBody = desk.body(&req, &mut payload.into_inner()).await?;
    let is = desk.needs().catalogue.sale(id).await?.ok_or_else(no_such_sale)?;
    if body.version != is.version {
        return Err(outdated(is.version));
    }
    let (to_be, description) = body.checked(&is)?;
    if (to_be.price, to_be.allotment.quantity_max) != (is.price, is.allotment.quantity_max) {
        payable(&*desk.needs().payments, to_be.price, to_be.allotment.quantity_max)?;
    }
    let now = desk.clock().now();
    let edited = match desk.needs().drafts.edit(&to_be, description.as_deref(), now, Some(&by)).await? {
        Edited::Sale(sale) => sale,
        Edited::Missing => return Err(no_such_sale()),
        Edited::Stale { version } => return Err(outdated(version)),
        Edited::Fixed(fixed) => return Err(stays(fixed)),
    };
    if edited.generation != is.generation {
        open(&desk, &edited).await;
    }
    tell(&desk, id).await;
    answer(&desk, id).await
}

/// Publish a draft: from then on everybody sees it
///
/// Once, and for good; published again, nothing more happens. 409 when it was closed before.
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/publish",
    operation_id = "publish",
    params(("id" = SaleId, Path), Key),
    responses((status = 200, description = "The sale.", body = DeskSaleView), problems::Missing),
    security(("access" = ["sell"])),
)]
async fn publish(req: HttpRequest, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let id = sale_id(&req)?;
    match desk.needs().drafts.publish(id, Some(&by)).await? {
        Changed::Sale(_) => {}
        Changed::Missing => return Err(no_such_sale()),
        Changed::Refused { why } => return Err(Problem::new(Kind::CONFLICT, why)),
    }
    tell(&desk, id).await;
    answer(&desk, id).await
}

async fn answer(desk: &Desk, id: SaleId) -> Reply {
    let (sale, view) = seen(desk, id).await?;
    Ok(HttpResponse::Ok().json(DeskSaleView::new(&sale, view)))
}
