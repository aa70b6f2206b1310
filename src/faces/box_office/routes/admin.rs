//! What operators do at the box office: kept tickets, and the question what a fallback would begin with.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::{Value, json};

use crate::app::receipts::{Cleaned, Stats};
use crate::domain::audit::journal::{Action, Entry, Subject};
use crate::domain::people::Permission;
use crate::domain::people::author::Author;
use crate::faces::box_office::BoxOffice;
use crate::faces::box_office::routes::figures::figures;
use crate::faces::box_office::views::{FallbackView, Said, SeededView};
use crate::faces::front::routes::{Reply, path};
use crate::ports::Result;

const HOUR_MS: i64 = 3_600_000;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/admin/pdf-stats").route(web::get().to(get_pdf_stats)))
        .service(path("/admin/cleanup-tickets").route(web::post().to(post_cleanup)))
        .service(path("/admin/seed-fallback").route(web::post().to(post_seed_fallback)));
}

/// How many tickets are kept
#[utoipa::path(
    get,
    path = "/admin/pdf-stats",
    operation_id = "box_office_pdf_stats",
    responses((status = 200, description = "Figures.", body = Said<Stats>)),
    security(("access" = ["read"])),
)]
async fn get_pdf_stats(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    office.may(&req, Permission::Read)?;
    Ok(Said::ok("Kept tickets", office.receipts().stats().await?))
}

/// Remove old tickets; they can be made again
///
/// Those that are older than `box_office.cleanup_hours`; a bounded number in each call.
#[utoipa::path(
    post,
    path = "/admin/cleanup-tickets",
    operation_id = "box_office_cleanup",
    responses((status = 200, description = "What was removed.", body = Said<Cleaned>)),
    security(("access" = ["repair"])),
)]
async fn post_cleanup(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    let by = office.author(&req, Permission::Repair)?;
    let hours = office.own_settings().cleanup_hours;
    let before = office.clock().now().plus_ms(-i64::from(hours) * HOUR_MS);
    write_down(&office, &by, Action::CleanupBegun, json!({ "older_than_hours": hours })).await?;
    let receipts = office.receipts().clone();
    let cleaned = office.finish(async move { receipts.clean_up(before).await }).await?;
    // It was written down before, and is not undone for want of this.
    if let Err(fault) = write_down(&office, &by, Action::CleanupEnded, json!(cleaned)).await {
        tracing::error!(%fault, "the end of an operator's call was not written down");
    }
    Ok(Said::ok("Old tickets removed", cleaned))
}

async fn write_down(office: &BoxOffice, by: &Author, action: Action, what: Value) -> Result<()> {
    let (before, after) = (String::new(), what.to_string());
    let entry = Entry { author: by.clone(), action, subject: Subject::Receipts, before, after };
    office.needs().journal.write_down(&entry).await.map(|_| ())
}

/// What a fallback would begin with
///
/// Nothing is seeded by hand: a turnstile that is lost, and the memory that decides while it is away, are restored from the ledger by
/// themselves. Answered is what that would have to give.
#[utoipa::path(
    post,
    path = "/admin/seed-fallback",
    operation_id = "box_office_seed_fallback",
    responses((status = 200, description = "What is left of each event.", body = Said<SeededView>)),
    security(("access" = ["repair"])),
)]
async fn post_seed_fallback(req: HttpRequest, office: Data<BoxOffice>) -> Reply {
    office.may(&req, Permission::Repair)?;
    let tickets_remaining = figures(&office).await?.tickets_remaining;
    let said = "Nothing was seeded: a turnstile, and a memory in its place, are restored from the ledger by themselves";
    let fallback = FallbackView::new(office.fallback().sales());
    Ok(Said::ok(said, SeededView { fallback, tickets_remaining }))
}
