//! Units that operators take out of sale, and put back.

use std::time::Duration;

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::sale::best_effort::best_effort;
use crate::app::sale::blocks::{BlockRequest, decided, end_block, submit_block};
use crate::app::sale::feed::announce;
use crate::domain::people::Permission;
use crate::domain::sale::block::BLOCK_UNITS_MAX;
use crate::domain::shared::id::{BatchId, SaleId};
use crate::faces::desk::Desk;
use crate::faces::desk::views::BlockView;
use crate::faces::front::once::{By, once};
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::kit::http::document::params::{Key, Pages};
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{described, text, whole};
use crate::kit::http::idempotency::cause;
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::sale::blocks::BlockMade;

const REASON_CHARS_MAX: usize = 200;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(
        path("/v1/admin/sales/{id}/blocks")
            .route(web::get().to(get_blocks))
            .route(once(By::May(Permission::Block), web::post().to(post_block))),
    )
    .service(path("/v1/admin/sales/{id}/blocks/{block}").route(web::delete().to(delete_block)));
}

/// Units that are out of sale
///
/// Blocks that have not ended, newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/admin/sales/{id}/blocks",
    operation_id = "blocks",
    params(("id" = SaleId, Path), Pages),
    responses((status = 200, description = "A page of them.", body = Vec<BlockView>), problems::Missing),
    security(("access" = ["read"])),
)]
async fn get_blocks(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let sale = sale_id(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<BatchId> = Page::asked(limit, after, desk.settings().blocks_max)?;
    let mut blocks = desk.needs().blocks.blocks(sale, page.after, page.reach()).await?;
    if blocks.is_empty() && desk.needs().catalogue.sale(sale).await?.is_none() {
        return Err(no_such_sale());
    }
    let next = page.cut(&mut blocks, |block| block.id);
    let blocks: Vec<BlockView> = blocks.into_iter().map(BlockView::from).collect();
    Ok(page.answer(&req, next).json(blocks))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBlock)]
struct BlockBody {
    #[schema(schema_with = whole::<1, { BLOCK_UNITS_MAX as i64 }>)]
    units: u32,
    #[schema(schema_with = reason)]
    reason: String,
}

fn reason() -> Object {
    described(text::<1, REASON_CHARS_MAX>(), "Why, for people.")
}

/// Take free units out of sale
///
/// As many as are free, at most as many as are wanted. They are taken in the order of attempts, belong to no buyer, and are neither
/// held nor sold. 409 when none is free or the sale is closed; 503 while the queue has not come to it: ask again with the same key.
#[utoipa::path(
    post,
    path = "/v1/admin/sales/{id}/blocks",
    operation_id = "block",
    params(("id" = SaleId, Path), Key),
    request_body = BlockBody,
    responses((status = 201, description = "The block, with what it got.", body = BlockView), problems::Missing),
    security(("access" = ["block"])),
)]
async fn post_block(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Block)?;
    let sale = sale_id(&req)?;
    let body: BlockBody = desk.body(&req, &mut payload.into_inner()).await?;
    let units = limits::within("units", body.units, 1..=BLOCK_UNITS_MAX)?;
    let reason = limits::text("reason", &body.reason, REASON_CHARS_MAX)?.to_owned();
    let cause = cause(&req).ok_or_else(|| Problem::new(Kind::INTERNAL, "the request was not claimed"))?;
    let what = BlockRequest { sale, units, reason, request: cause.request, by };
    let here = Desk::clone(&desk);
    let block = match desk.finish(async move { submit_block(&here.needs().blocking, what).await }).await? {
        BlockMade::Block(block) => block,
        BlockMade::NothingFree => return Err(Problem::field("units", Kind::CONFLICT, "no unit is free")),
        BlockMade::Closed => return Err(Problem::new(Kind::CONFLICT, "the sale is closed")),
        BlockMade::Missing => return Err(no_such_sale()),
    };
    let within = Duration::from_millis(desk.settings().wait_ms_max);
    let block = tokio::select! {
        block = decided(&desk.needs().blocking, desk.effort(), block.clone(), within) => block?,
        () = desk.stopping() => block,
    };
    if block.decided_at.is_none() {
        let detail = "the block is in the queue and not decided yet; ask again with the same key";
        return Err(Problem::new(Kind::UNAVAILABLE, detail).retry_after_s(1));
    }
    changed(&desk, sale).await;
    if block.units == 0 {
        return Err(Problem::field("units", Kind::CONFLICT, "no unit was free, or the block was ended meanwhile"));
    }
    Ok(HttpResponse::Created().json(BlockView::from(block)))
}

/// Put a block's units back
///
/// All of them: they go to who waits first, or back on sale. One that still is in the queue gets nothing. Ended again, nothing
/// more happens.
#[utoipa::path(
    delete,
    path = "/v1/admin/sales/{id}/blocks/{block}",
    operation_id = "unblock",
    params(("id" = SaleId, Path), ("block" = BatchId, Path)),
    responses((status = 200, description = "The block, ended.", body = BlockView), problems::Invalid, problems::Missing),
    security(("access" = ["block"])),
)]
async fn delete_block(req: HttpRequest, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Block)?;
    let sale = sale_id(&req)?;
    let id = req.match_info().get("block").and_then(|id| id.parse().ok()).ok_or_else(no_such_block)?;
    let here = Desk::clone(&desk);
    let a_move = async move { end_block(&here.needs().blocking, here.effort(), sale, id, &by).await };
    let ended = desk.finish(a_move).await?;
    let block = ended.ok_or_else(no_such_block)?;
    changed(&desk, sale).await;
    Ok(HttpResponse::Ok().json(BlockView::from(block)))
}

/// What is left is another number now.
async fn changed(desk: &Desk, sale: SaleId) {
    desk.board().forget(sale);
    best_effort("announce", desk.effort(), announce(&desk.needs().announce, sale)).await;
}

fn no_such_block() -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is no such block")
}
