//! Refunds that operators see to: those that failed are asked for once more, or were settled in another way.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::domain::id::RefundId;
use crate::domain::payment::{RefundEntry, RefundKind, RefundState};
use crate::http::idempotency::By;
use crate::http::limits;
use crate::http::problem::{Kind, Problem};
use crate::ports::World;
use crate::ports::ledger::Ledger;
use crate::services::gateway::Gateway;
use crate::services::gateway::once::once;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, parsed, path, query};
use crate::services::gateway::views::{ListedRefundView, RefundView};
use crate::services::payments::take_over;
use crate::services::tell::Settings as Telling;

const NOTE_CHARS_MAX: usize = 500;
/// Refunds on one page.
const PAGE_MAX: u32 = 100;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/refunds").route(web::get().to(get_refunds::<W>)))
        .service(
            path("/v1/admin/refunds/{refund}/retry").route(once::<W>(By::Operator, web::post().to(post_retry::<W>))),
        )
        .service(
            path("/v1/admin/refunds/{refund}/settlement")
                .route(once::<W>(By::Operator, web::post().to(post_settlement::<W>))),
        );
}

async fn get_refunds<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let [state, limit, after] = query(&req, ["state", "limit", "after"])?;
    let kind: Option<RefundKind> = parsed("state", state, "must be due, sent, done, failed or settled")?;
    let page: Page<RefundId> = Page::asked(limit, after, PAGE_MAX)?;
    let store = gateway.world().store();
    let mut found = store.refunds_in(kind.unwrap_or(RefundKind::Failed), page.after, page.reach()).await?;
    let next = page.cut(&mut found, |(entry, _)| entry.refund.id);
    let refunds: Vec<ListedRefundView> = found.into_iter().map(ListedRefundView::from).collect();
    Ok(page.answer(&req, next).json(refunds))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RetryBody {}

/// One that is due or on its way is so already; asked twice, it is asked for once. One that is done may have failed since, and
/// the word of it was lost: the provider is asked.
async fn post_retry<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let RetryBody {} = gateway.body(&req, &mut payload.into_inner()).await?;
    let mut entry = found(&gateway, &req).await?;
    if entry.state.kind() == RefundKind::Done {
        let (here, payment) = (Gateway::clone(&gateway), entry.refund.payment);
        gateway.finish(async move { take_over(here.world(), &Telling::default(), payment).await }).await?;
        entry = found(&gateway, &req).await?;
    }
    if let Some(retried) = entry.retried(gateway.clock().now()) {
        return moved(&gateway, entry, retried).await;
    }
    match entry.state.kind() {
        RefundKind::Due | RefundKind::Sent => Ok(HttpResponse::Ok().json(RefundView::from(entry))),
        _ => Err(not_failed(&entry)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettlementBody {
    /// How it was settled.
    note: String,
}

/// Whoever says the same again is answered the same.
async fn post_settlement<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    let by = gateway.operator(&req)?.buyer;
    let body: SettlementBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let note = limits::text("note", &body.note, NOTE_CHARS_MAX)?;
    let entry = found(&gateway, &req).await?;
    if let Some(settled) = entry.settled(by, note, gateway.clock().now()) {
        return moved(&gateway, entry, settled).await;
    }
    match &entry.state {
        RefundState::Settled { by: before, note: said, .. } if (*before, said.as_str()) == (by, note) => {
            Ok(HttpResponse::Ok().json(RefundView::from(entry)))
        }
        _ => Err(not_failed(&entry)),
    }
}

async fn found<W: World>(gateway: &Gateway<W>, req: &HttpRequest) -> Result<RefundEntry, Problem> {
    let missing = || Problem::new(Kind::NotFound, "there is no such refund");
    let id: RefundId = req.match_info().get("refund").and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    gateway.world().store().refund(id).await?.ok_or_else(missing)
}

async fn moved<W: World>(gateway: &Gateway<W>, from: RefundEntry, to: RefundEntry) -> Reply {
    let (here, entry) = (Gateway::clone(gateway), to.clone());
    let is_moved = gateway.finish(async move { here.world().store().move_refund(&from, &entry).await }).await?;
    if is_moved {
        return Ok(HttpResponse::Ok().json(RefundView::from(to)));
    }
    Err(Problem::new(Kind::Conflict, "the refund was moved by another in this moment; look at it again"))
}

fn not_failed(entry: &RefundEntry) -> Problem {
    let why = format!("only a refund that failed can be seen to; this one is {}", entry.state.kind().name());
    Problem::new(Kind::Conflict, why)
}
