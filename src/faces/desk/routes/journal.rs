//! Who did what: a page at a time, and as a list to take home.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, ServiceConfig};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::domain::audit::journal::{Action, SUBJECT_CHARS_MAX, Subject};
use crate::domain::people::Permission;
use crate::domain::people::author::Actor;
use crate::domain::shared::time::Timestamp;
use crate::faces::desk::Desk;
use crate::faces::desk::journal::{EntryView, JournalExport};
use crate::faces::desk::leaving::{Leaving, can_be_streamed, streamed};
use crate::faces::front::page::Page;
use crate::faces::front::routes::{Reply, parsed, path, query};
use crate::kit::http::document::params::{self, Pages};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem};
use crate::ports::audit::journal::Wanted;

/// Entries on one page.
const PAGE_MAX: u32 = 100;
const ASKED: [&str; 5] = ["actor", "action", "subject", "from", "to"];

/// Which entries are asked for.
struct EntriesAsked;

impl IntoParams for EntriesAsked {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let [actor, action, subject, from, to] = ASKED;
        let text = || ObjectBuilder::new().schema_type(Type::String).build().into();
        let time = || ObjectBuilder::new().schema_type(Type::Integer).build().into();
        vec![
            params::query(actor, "Only what this one did: the number of an account, or `shell`.", text()),
            params::query(action, "Only this, as `sale.raised`.", text()),
            params::query(subject, "Only what was done to this, as `sale:7` or `order:7K2P-Q9RX-M4TD`.", text()),
            params::query(from, "Only what was done at this time or later: milliseconds since 1970, UTC.", time()),
            params::query(to, "Only what was done before this time.", time()),
        ]
    }
}

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/journal").route(web::get().to(get_journal)))
        .service(path("/v1/admin/journal.csv").route(web::get().to(get_csv)));
}

/// Who did what, newest first
///
/// Every call and command that changed something, with who gave it, from where, and how it was before and after. Nothing changes or
/// removes an entry; each one's digest covers the one before.
#[utoipa::path(
    get,
    path = "/v1/admin/journal",
    operation_id = "journal",
    params(EntriesAsked, Pages),
    responses((status = 200, description = "A page of entries.", body = Vec<EntryView>)),
    security(("access" = ["journal"])),
)]
async fn get_journal(req: HttpRequest, desk: Data<Desk>) -> Reply {
    desk.may(&req, Permission::Journal)?;
    let [actor, action, subject, from, to, limit, after] =
        query(&req, ["actor", "action", "subject", "from", "to", "limit", "after"])?;
    let wanted = wanted([actor, action, subject, from, to])?;
    let page: Page<u64> = Page::asked(limit, after, PAGE_MAX)?;
    // The ledgers number with 63 bits.
    let before = page.after.map(|number| number.min(i64::MAX as u64));
    let mut entries = desk.needs().journal.entries_before(&wanted, before, page.reach()).await?;
    let next = page.cut(&mut entries, |entry| entry.number);
    let entries: Vec<EntryView> = entries.into_iter().map(EntryView::from).collect();
    Ok(page.answer(&req, next).json(entries))
}

/// Who did what, as CSV
///
/// Newest first. That it was asked for is in it.
#[utoipa::path(
    get,
    path = "/v1/admin/journal.csv",
    operation_id = "export_journal",
    params(EntriesAsked),
    responses((status = 200, description = "The list, streamed.", content_type = "text/csv", body = String)),
    security(("access" = ["journal"])),
)]
async fn get_csv(req: HttpRequest, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Journal)?;
    can_be_streamed(&req)?;
    let wanted = wanted(query(&req, ASKED)?)?;
    let leaving = Leaving::begin(&desk, by, "journal", Subject::Journal).await?;
    streamed("journal.csv", JournalExport::new(wanted, leaving)).await
}

fn wanted([actor, action, subject, from, to]: [Option<String>; 5]) -> Result<Wanted, Problem> {
    let actor: Option<Actor> = parsed("actor", actor, "must be the number of an account, or shell")?;
    if action.as_deref().is_some_and(|name| Action::of_name(name).is_none()) {
        return Err(Problem::field("action", Kind::INVALID, "there is no such action"));
    }
    if let Some(subject) = &subject {
        limits::text("subject", subject, SUBJECT_CHARS_MAX)?;
    }
    let time = |name, text| parsed::<i64>(name, text, "must be milliseconds since 1970");
    let (from, to) = (time("from", from)?.map(Timestamp), time("to", to)?.map(Timestamp));
    Ok(Wanted { actor, action, subject, from, to })
}
