//! Units that operators take out of sale, and put back.

use std::time::Duration;

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::block::BLOCK_UNITS_MAX;
use crate::domain::id::{BatchId, SaleId};
use crate::http::idempotency::{By, cause};
use crate::http::limits;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::blocks::{BlockMade, Blocks};
use crate::ports::catalogue::Catalogue;
use crate::services::gateway::Gateway;
use crate::services::gateway::block::{BlockRequest, decided, end_block, submit_block};
use crate::services::gateway::effort::try_to;
use crate::services::gateway::once::once;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::services::gateway::views::BlockView;
use crate::services::news::announce;

const REASON_CHARS_MAX: usize = 200;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(
        path("/v1/admin/sales/{id}/blocks")
            .route(web::get().to(get_blocks::<W>))
            .route(once::<W>(By::Operator, web::post().to(post_block::<W>))),
    )
    .service(path("/v1/admin/sales/{id}/blocks/{block}").route(web::delete().to(delete_block::<W>)));
}

/// Those that have not ended, newest first, a page at a time.
async fn get_blocks<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let sale = sale_id(&req)?;
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<BatchId> = Page::asked(limit, after, gateway.settings().blocks_max)?;
    let mut blocks = gateway.world().store().blocks(sale, page.after, page.reach()).await?;
    if blocks.is_empty() && gateway.world().store().sale(sale).await?.is_none() {
        return Err(no_such_sale());
    }
    let next = page.cut(&mut blocks, |block| block.id);
    let blocks: Vec<BlockView> = blocks.into_iter().map(BlockView::from).collect();
    Ok(page.answer(&req, next).json(blocks))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockBody {
    units: u32,
    reason: String,
}

async fn post_block<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let sale = sale_id(&req)?;
    let body: BlockBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let units = limits::within("units", body.units, 1..=BLOCK_UNITS_MAX)?;
    let reason = limits::text("reason", &body.reason, REASON_CHARS_MAX)?.to_owned();
    let cause = cause(&req).ok_or_else(|| Problem::new(Kind::Internal, "the request was not claimed"))?;
    let what = BlockRequest { sale, units, reason, request: cause.request };
    let here = Gateway::clone(&gateway);
    let block = match gateway.finish(async move { submit_block(here.world(), what).await }).await? {
        BlockMade::Block(block) => block,
        BlockMade::NothingFree => return Err(Problem::field("units", Kind::Conflict, "no unit is free")),
        BlockMade::Closed => return Err(Problem::new(Kind::Conflict, "the sale is closed")),
        BlockMade::Missing => return Err(no_such_sale()),
    };
    let within = Duration::from_millis(gateway.settings().wait_ms_max);
    let block = tokio::select! {
        block = decided(gateway.world(), gateway.settings(), block.clone(), within) => block?,
        () = gateway.stopping() => block,
    };
    if block.decided_at.is_none() {
        let detail = "the block is in the queue and not decided yet; ask again with the same key";
        return Err(Problem::new(Kind::Unavailable, detail).retry_after_s(1));
    }
    changed(&gateway, sale).await;
    if block.units == 0 {
        return Err(Problem::field("units", Kind::Conflict, "no unit was free, or the block was ended meanwhile"));
    }
    Ok(HttpResponse::Created().json(BlockView::from(block)))
}

async fn delete_block<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let sale = sale_id(&req)?;
    let id = req.match_info().get("block").and_then(|id| id.parse().ok()).ok_or_else(no_such_block)?;
    let here = Gateway::clone(&gateway);
    let ended = gateway.finish(async move { end_block(here.world(), here.settings(), sale, id).await }).await?;
    let block = ended.ok_or_else(no_such_block)?;
    changed(&gateway, sale).await;
    Ok(HttpResponse::Ok().json(BlockView::from(block)))
}

/// What is left is another number now.
async fn changed<W: World>(gateway: &Gateway<W>, sale: SaleId) {
    gateway.board().forget(sale);
    try_to("announce", gateway.settings(), announce(gateway.world(), sale)).await;
}

fn no_such_block() -> Problem {
    Problem::new(Kind::NotFound, "there is no such block")
}
