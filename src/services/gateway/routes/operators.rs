//! What operators do: put things on sale, pause, close and raise a sale, look after parked messages.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::domain::sale::{Sale, SaleState};
use crate::http::idempotency::{By, cause};
use crate::http::problem::{Kind, Problem, Rule};
use crate::ports::World;
use crate::ports::catalogue::{Catalogue, Changed};
use crate::ports::parked::Parked;
use crate::ports::turnstile::Turnstile;
use crate::services::gateway::Gateway;
use crate::services::gateway::effort::try_to;
use crate::services::gateway::offer::{ItemBody, RaiseBody, SaleBody, payable};
use crate::services::gateway::once::once;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::services::gateway::views::SaleView;
use crate::services::news::announce;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/items").route(once::<W>(By::Operator, web::post().to(post_item::<W>))))
        .service(path("/v1/admin/sales").route(once::<W>(By::Operator, web::post().to(post_sale::<W>))))
        .service(path("/v1/admin/sales/{id}/pause").route(once::<W>(By::Operator, web::post().to(pause::<W>))))
        .service(path("/v1/admin/sales/{id}/resume").route(once::<W>(By::Operator, web::post().to(resume::<W>))))
        .service(path("/v1/admin/sales/{id}/close").route(once::<W>(By::Operator, web::post().to(close::<W>))))
        .service(path("/v1/admin/sales/{id}/raise").route(once::<W>(By::Operator, web::post().to(raise::<W>))))
        .service(path("/v1/admin/parked").route(web::get().to(get_parked::<W>)))
        .service(path("/v1/admin/parked/replay").route(once::<W>(By::Operator, web::post().to(replay_parked::<W>))));
}

async fn post_item<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let body: ItemBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let request = cause(&req).map(|cause| cause.request);
    let item = gateway.world().store().create_item_once(&body.checked()?, request).await?;
    Ok(HttpResponse::Created().json(serde_json::json!({
        "id": item.id, "title": item.title, "description": item.description,
    })))
}

async fn post_sale<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let body: SaleBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let new = body.checked()?;
    payable(gateway.world().payments(), &new)?;
    // The ledgers number with 63 bits.
    let may_be = i64::try_from(new.item.0).is_ok();
    let request = cause(&req).map(|cause| cause.request);
    let sale = if may_be { gateway.world().store().create_sale_once(&new, request).await? } else { None };
    let sale =
        sale.ok_or_else(|| Problem::field("item_id", Kind::Invalid, "there is no such item").rule(Rule::NoSuch))?;
    // A sale without a turnstile is one that is too strict; the sweeper finds it and makes it one.
    let open = gateway.world().turnstile().open(sale.id, sale.generation, sale.allotment);
    try_to("open", gateway.settings(), open).await;
    Ok(HttpResponse::Created().json(view(&gateway, sale).await?))
}

async fn pause<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    set_state(&req, &gateway, SaleState::Paused).await
}

async fn resume<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    set_state(&req, &gateway, SaleState::Active).await
}

async fn close<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    set_state(&req, &gateway, SaleState::Closed).await
}

async fn set_state<W: World>(req: &HttpRequest, gateway: &Gateway<W>, state: SaleState) -> Reply {
    gateway.operator(req)?;
    changed(gateway, gateway.world().store().set_state(sale_id(req)?, state).await?).await
}

/// In the ledger only: the sweeper raises the turnstile, and promotes who fits then.
async fn raise<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let sale = sale_id(&req)?;
    let body: RaiseBody = gateway.body(&req, &mut payload.into_inner()).await?;
    changed(&gateway, gateway.world().store().raise(sale, body.checked()?).await?).await
}

async fn changed<W: World>(gateway: &Gateway<W>, changed: Changed) -> Reply {
    match changed {
        Changed::Sale(sale) => Ok(HttpResponse::Ok().json(view(gateway, sale).await?)),
        Changed::Missing => Err(no_such_sale()),
        Changed::Refused { why } => Err(Problem::new(Kind::Conflict, why)),
    }
}

/// As it is now, for the operator; publishers hear of it as well, and need not wait for the next broadcast.
async fn view<W: World>(gateway: &Gateway<W>, sale: Sale) -> Result<SaleView, Problem> {
    gateway.board().forget(sale.id);
    try_to("announce", gateway.settings(), announce(gateway.world(), sale.id)).await;
    let shown = gateway.board().sale(gateway.world(), sale.id).await?.ok_or_else(no_such_sale)?;
    let description = gateway.board().description(gateway.world(), shown.sale.item).await?;
    Ok(SaleView::new(&shown, gateway.clock().now()).described(&description))
}

async fn get_parked<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<u64> = Page::asked(limit, after, gateway.settings().parked_max)?;
    let mut parked = gateway.world().attempts().parked_after(page.after.unwrap_or(0), page.reach()).await?;
    let next = page.cut(&mut parked, |(place, _)| *place);
    let messages: Vec<_> = parked.into_iter().map(|(_, message)| message).collect();
    Ok(page.answer(&req, next).json(messages))
}

async fn replay_parked<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let replayed = gateway.world().attempts().replay(gateway.settings().parked_max).await?;
    Ok(HttpResponse::Ok().json(serde_json::json!({ "replayed": replayed })))
}
