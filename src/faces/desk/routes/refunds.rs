//! Refunds that operators see to: those that failed are asked for once more, or were settled in another way.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::money::refunds::take_over;
use crate::app::sale::tell::Settings as Telling;
use crate::domain::money::payment::{RefundEntry, RefundKind, RefundState};
use crate::domain::people::Permission;
use crate::domain::people::author::Author;
use crate::domain::shared::id::RefundId;
use crate::faces::desk::Desk;
use crate::faces::desk::views::{ListedRefundView, RefundView};
use crate::faces::front::once::{By, once};
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, parsed, path, query};
use crate::kit::http::document::params::{Key, Pages};
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{described, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};

const NOTE_CHARS_MAX: usize = 500;
/// Refunds on one page.
const PAGE_MAX: u32 = 100;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/refunds").route(web::get().to(get_refunds)))
        .service(
            path("/v1/admin/refunds/{refund}/retry")
                .route(once(By::May(Permission::Refund), web::post().to(post_retry))),
        )
        .service(
            path("/v1/admin/refunds/{refund}/settlement")
                .route(once(By::May(Permission::Refund), web::post().to(post_settlement))),
        );
}

/// Refunds by where they stand, oldest first
#[utoipa::path(
    get,
    path = "/v1/admin/refunds",
    operation_id = "refunds",
    params(("state" = Option<RefundKind>, Query, description = "Where they stand: failed, if it is not said."), Pages),
    responses((status = 200, description = "A page of them.", body = Vec<ListedRefundView>)),
    security(("access" = ["read"])),
)]
async fn get_refunds(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Read)?;
    let [state, limit, after] = query(&req, ["state", "limit", "after"])?;
    let kind: Option<RefundKind> = parsed("state", state, "must be due, sent, done, failed or settled")?;
    let page: Page<RefundId> = Page::asked(limit, after, PAGE_MAX)?;
    let mut found =
        desk.needs().refunds.refunds_in(kind.unwrap_or(RefundKind::Failed), page.after, page.reach()).await?;
    let next = page.cut(&mut found, |(entry, _)| entry.refund.id);
    let refunds: Vec<ListedRefundView> = found.into_iter().map(ListedRefundView::from).collect();
    Ok(page.answer(&req, next).json(refunds))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RetryRefund)]
struct RetryBody {}

/// Ask the provider once more for a refund that failed
///
/// One that is due or on its way is so already; asked twice, it is asked for once. One that is done may have failed since, and
/// the word of it was lost: the provider is asked.
#[utoipa::path(
    post,
    path = "/v1/admin/refunds/{refund}/retry",
    operation_id = "retry_refund",
    params(("refund" = RefundId, Path), Key),
    request_body = RetryBody,
    responses(
        (status = 200, description = "The refund as it stands: due, or on its way already.", body = RefundView),
        problems::Missing,
    ),
    security(("access" = ["refund"])),
)]
async fn post_retry(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let author = desk.author(&req, Permission::Refund)?;
    let RetryBody {} = desk.body(&req, &mut payload.into_inner()).await?;
    let mut entry = found(&desk, &req).await?;
    if entry.state.kind() == RefundKind::Done {
        let (here, payment) = (Desk::clone(&desk), entry.refund.payment);
        desk.finish(async move { take_over(&here.needs().money, &Telling::default(), payment).await }).await?;
        entry = found(&desk, &req).await?;
    }
    if let Some(retried) = entry.retried(desk.clock().now()) {
        return moved(&desk, entry, retried, author).await;
    }
    match entry.state.kind() {
        RefundKind::Due | RefundKind::Sent => Ok(HttpResponse::Ok().json(RefundView::from(entry))),
        _ => Err(not_failed(&entry)),
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettleRefund)]
struct SettlementBody {
    #[schema(schema_with = note)]
    note: String,
}

fn note() -> Object {
    described(text::<1, NOTE_CHARS_MAX>(), "How it was settled.")
}

/// A refund that failed was settled otherwise
///
/// Repeated with the same body, it answers the same.
#[utoipa::path(
    post,
    path = "/v1/admin/refunds/{refund}/settlement",
    operation_id = "settle_refund",
    params(("refund" = RefundId, Path), Key),
    request_body = SettlementBody,
    responses((status = 200, description = "The refund as it stands.", body = RefundView), problems::Missing),
    security(("access" = ["refund"])),
)]
async fn post_settlement(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.may(&req, Permission::Refund)?.buyer;
    let author = desk.author(&req, Permission::Refund)?;
    let body: SettlementBody = desk.body(&req, &mut payload.into_inner()).await?;
    let note = limits::text("note", &body.note, NOTE_CHARS_MAX)?;
    let entry = found(&desk, &req).await?;
    if let Some(settled) = entry.settled(by, note, desk.clock().now()) {
        return moved(&desk, entry, settled, author).await;
    }
    match &entry.state {
        RefundState::Settled { by: before, note: said, .. } if (*before, said.as_str()) == (by, note) => {
            Ok(HttpResponse::Ok().json(RefundView::from(entry)))
        }
        _ => Err(not_failed(&entry)),
    }
}

async fn found(desk: &Desk, req: &HttpRequest) -> Result<RefundEntry, Problem> {
    let missing = || Problem::new(Kind::NOT_FOUND, "there is no such refund");
    let id: RefundId = req.match_info().get("refund").and_then(|id| id.parse().ok()).ok_or_else(missing)?;
    desk.needs().refunds.refund(id).await?.ok_or_else(missing)
}

async fn moved(desk: &Desk, from: RefundEntry, to: RefundEntry, by: Author) -> Reply {
    let (here, entry) = (Desk::clone(desk), to.clone());
    let a_move = async move { here.needs().refunds.move_refund_by(&from, &entry, Some(&by)).await };
    let is_moved = desk.finish(a_move).await?;
    if is_moved {
        return Ok(HttpResponse::Ok().json(RefundView::from(to)));
    }
    Err(Problem::new(Kind::CONFLICT, "the refund was moved by another in this moment; look at it again"))
}

fn not_failed(entry: &RefundEntry) -> Problem {
    let why = format!("only a refund that failed can be seen to; this one is {}", entry.state.kind().name());
    Problem::new(Kind::CONFLICT, why)
}
