//! Items and sales: what operators put on sale, pause, resume, close and raise.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::sale::best_effort::best_effort;
use crate::app::sale::feed::announce;
use crate::domain::people::Permission;
use crate::domain::sale::{Sale, SaleState};
use crate::domain::shared::id::{ItemId, SaleId};
use crate::faces::desk::Desk;
use crate::faces::desk::requests::{ItemBody, RaiseBody, SaleBody, payable};
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, no_such_sale, path, sale_id};
use crate::faces::front::views::SaleView;
use crate::kit::http::document::params::Key;
use crate::kit::http::document::problems;
use crate::kit::http::idempotency::cause;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::ports::sale::catalogue::Changed;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/items").route(once(By::May(Permission::Sell), web::post().to(post_item))))
        .service(path("/v1/admin/sales").route(once(By::May(Permission::Sell), web::post().to(post_sale))))
        .service(path("/v1/admin/sales/{id}/pause").route(once(By::May(Permission::Sell), web::post().to(pause))))
        .service(path("/v1/admin/sales/{id}/resume").route(once(By::May(Permission::Sell), web::post().to(resume))))
        .service(path("/v1/admin/sales/{id}/close").route(once(By::May(Permission::Sell), web::post().to(close))))
        .service(path("/v1/admin/sales/{id}/raise").route(once(By::May(Permission::Sell), web::post().to(raise))));
}

#[derive(Serialize, ToSchema)]
#[schema(as = Item)]
struct ItemView {
    id: ItemId,
    title: String,
    description: String,
}

/// Describe an item
#[utoipa::path(
    post,
    path = "/v1/admin/items",
    operation_id = "create_item",
    params(Key),
    request_body = ItemBody,
    responses((status = 201, description = "The item.", body = ItemView)),
    security(("access" = ["sell"])),
)]
async fn post_item(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let body: ItemBody = desk.body(&req, &mut payload.into_inner()).await?;
    let request = cause(&req).map(|cause| cause.request);
    let item = desk.needs().catalogue.create_item_once(&body.checked()?, request, Some(&by)).await?;
    Ok(HttpResponse::Created().json(ItemView { id: item.id, title: item.title, description: item.description }))
}

/// Put an item on sale
///
/// As a draft it is seen by operators alone, and can be corrected, until it is published.
#[utoipa::path(
    post,
    path = "/v1/admin/sales",
    operation_id = "create_sale",
    params(Key),
    request_body = SaleBody,
    responses((status = 201, description = "The sale.", body = SaleView)),
    security(("access" = ["sell"])),
)]
async fn post_sale(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let body: SaleBody = desk.body(&req, &mut payload.into_inner()).await?;
    let is_draft = body.draft;
    let new = body.checked()?;
    payable(&*desk.needs().payments, new.price, new.allotment.quantity_max)?;
    // The ledgers number with 63 bits.
    let may_be = i64::try_from(new.item.0).is_ok();
    let request = cause(&req).map(|cause| cause.request);
    let (catalogue, drafts) = (&desk.needs().catalogue, &desk.needs().drafts);
    let sale = match may_be {
        true if is_draft => drafts.create_draft_once(&new, request, Some(&by)).await?,
        true => catalogue.create_sale_once(&new, request, Some(&by)).await?,
        false => None,
    };
    let sale =
        sale.ok_or_else(|| Problem::field("item_id", Kind::INVALID, "there is no such item").rule(Rule::NO_SUCH))?;
    open(&desk, &sale).await;
    Ok(HttpResponse::Created().json(view(&desk, sale).await?))
}

/// A sale without a turnstile is one that is too strict; the sweeper finds it and makes it one.
pub(super) async fn open(desk: &Desk, sale: &Sale) {
    let open = desk.needs().turnstile.open(sale.id, sale.generation, sale.allotment);
    best_effort("open", desk.effort(), open).await;
}

/// New attempts are refused for a while; what was accepted goes on
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/pause",
    operation_id = "pause",
    params(("id" = SaleId, Path), Key),
    responses((status = 200, description = "The sale.", body = SaleView), problems::Missing),
    security(("access" = ["sell"])),
)]
async fn pause(req: HttpRequest, desk: Data<Desk>) -> Reply {
    set_state(&req, &desk, SaleState::Paused).await
}

/// Attempts are taken in again
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/resume",
    operation_id = "resume",
    params(("id" = SaleId, Path), Key),
    responses((status = 200, description = "The sale.", body = SaleView), problems::Missing),
    security(("access" = ["sell"])),
)]
async fn resume(req: HttpRequest, desk: Data<Desk>) -> Reply {
    set_state(&req, &desk, SaleState::Active).await
}

/// Attempts are refused for good; holds go on, and so does the line while something may come back
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/close",
    operation_id = "close",
    params(("id" = SaleId, Path), Key),
    responses((status = 200, description = "The sale.", body = SaleView), problems::Missing),
    security(("access" = ["sell"])),
)]
async fn close(req: HttpRequest, desk: Data<Desk>) -> Reply {
    set_state(&req, &desk, SaleState::Closed).await
}

async fn set_state(req: &HttpRequest, desk: &Desk, state: SaleState) -> Reply {
    let by = desk.author(req, Permission::Sell)?;
    changed(desk, desk.needs().catalogue.set_state_by(sale_id(req)?, state, Some(&by)).await?).await
}

/// Raise the capacity; it only grows
///
/// Of a published sale; a draft's is corrected.
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/raise",
    operation_id = "raise",
    params(("id" = SaleId, Path), Key),
    request_body = RaiseBody,
    responses((status = 200, description = "The sale.", body = SaleView), problems::Missing),
    security(("access" = ["sell"])),
)]
// In the ledger only: the sweeper raises the turnstile, and promotes who fits then.
async fn raise(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let sale = sale_id(&req)?;
    let body: RaiseBody = desk.body(&req, &mut payload.into_inner()).await?;
    changed(&desk, desk.needs().catalogue.raise_by(sale, body.checked()?, Some(&by)).await?).await
}

async fn changed(desk: &Desk, changed: Changed) -> Reply {
    match changed {
        Changed::Sale(sale) => Ok(HttpResponse::Ok().json(view(desk, sale).await?)),
        Changed::Missing => Err(no_such_sale()),
        Changed::Refused { why } => Err(Problem::new(Kind::CONFLICT, why)),
    }
}

/// As it is now, for the operator; publishers get it as well, and need not wait for the next broadcast.
async fn view(desk: &Desk, sale: Sale) -> Result<SaleView, Problem> {
    tell(desk, sale.id).await;
    Ok(seen(desk, sale.id).await?.1)
}

/// Who looks sees what was changed.
pub(super) async fn tell(desk: &Desk, sale: SaleId) {
    desk.board().forget(sale);
    best_effort("announce", desk.effort(), announce(&desk.needs().announce, sale)).await;
}

/// A draft as well, as it is now.
pub(super) async fn seen(desk: &Desk, sale: SaleId) -> Result<(Sale, SaleView), Problem> {
    let shown = desk.board().as_it_is(sale).await?.ok_or_else(no_such_sale)?;
    let description = desk.board().description(shown.sale.item).await?;
    let view = SaleView::new(&shown, desk.clock().now()).described(&description);
    Ok((shown.sale.clone(), view))
}
