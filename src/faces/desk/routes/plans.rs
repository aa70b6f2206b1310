//! Seating plans that operators upload.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::app::seating::keep;
use crate::app::seating::read::{FILE_BYTES_MAX, read};
use crate::domain::people::Permission;
use crate::domain::seating::{Fault, NAME_CHARS_MAX, Report};
use crate::faces::desk::Desk;
use crate::faces::front::routes::{Reply, path, query};
use crate::kit::http::body::read_any;
use crate::kit::http::document::params::query as query_param;
use crate::kit::http::document::problems::{self, Extended, Members};
use crate::kit::http::document::shapes::{text, words};
use crate::kit::http::limits;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem};
use crate::problem_kinds;

problem_kinds! {
    PLAN_FAULTY = "plan_faulty", UNPROCESSABLE_ENTITY, "The seating plan has errors";
}

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/admin/plans").route(web::post().to(post_plan)));
}

/// What is wrong with a plan, or odd about it.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanFault)]
struct FaultView {
    #[schema(schema_with = level)]
    level: &'static str,
    /// A constant word, such as `seat_twice`.
    kind: &'static str,
    /// Where: an area, row and seat, a line, or a path in the file.
    place: String,
    what: String,
}

fn level() -> Object {
    words(["error", "warning"])
}

impl From<&Fault> for FaultView {
    fn from(fault: &Fault) -> Self {
        let Fault { level, kind, place, what } = fault;
        Self { level: level.name(), kind, place: place.clone(), what: what.clone() }
    }
}

/// Faults of a plan: how many there are, and the first ones, errors before warnings.
#[derive(Serialize, ToSchema)]
#[schema(as = PlanReport)]
struct ReportView {
    errors: usize,
    warnings: usize,
    faults: Vec<FaultView>,
}

impl From<&Report> for ReportView {
    fn from(report: &Report) -> Self {
        let faults = report.faults().map(FaultView::from).collect();
        Self { errors: report.error_count, warnings: report.warning_count, faults }
    }
}

/// What is wrong with a plan that is not kept.
#[derive(Serialize, ToSchema)]
#[schema(as = FaultyPlan)]
struct FaultyView {
    #[serde(flatten)]
    report: ReportView,
}

impl Members for FaultyView {
    const KIND: Kind = PLAN_FAULTY;
}

type Faulty = Extended<FaultyView>;

#[derive(Serialize, ToSchema)]
#[schema(as = KeptPlan)]
struct KeptView {
    #[schema(pattern = "^[0-9a-f]{64}$")]
    hash: String,
    seats: usize,
    /// What is odd about it, and what of the file is not kept.
    report: ReportView,
}

/// The name of a plan, which goes over the file's.
struct Named;

impl utoipa::IntoParams for Named {
    fn into_params(
        _: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        let about = "Goes over the file's. A table has none of its own.";
        vec![query_param("name", about, text::<1, NAME_CHARS_MAX>().into())]
    }
}

/// Keep a seating plan
///
/// A file in any of the formats of docs/plans.md: our own or pretix's JSON, or CSV. The format is told by the file itself, whatever its
/// `Content-Type`. The same plan again is the same hash and changes nothing, so that no `Idempotency-Key` is needed. 422 names the places
/// of errors; one plan is read at a time (503).
#[utoipa::path(
    post,
    path = "/v1/admin/plans",
    operation_id = "keep_plan",
    params(Named),
    request_body(content((String = "application/json"), (String = "text/csv"))),
    responses(
        (status = 201, description = "A new plan.", body = KeptView),
        (status = 200, description = "It was kept before.", body = KeptView),
        (status = 422, description = "The plan has errors, or the file cannot be read.", body = Faulty, content_type = CONTENT_TYPE),
        problems::Invalid,
    ),
    security(("access" = ["sell"])),
)]
async fn post_plan(req: HttpRequest, payload: Payload, desk: Data<Desk>) -> Reply {
    let by = desk.author(&req, Permission::Sell)?;
    let [name] = query(&req, ["name"])?;
    let name = name.map(|name| limits::text("name", &name, NAME_CHARS_MAX).map(str::to_owned)).transpose()?;
    let busy = |_| Problem::new(Kind::BUSY, "another plan is read at this moment; come again shortly");
    let turn = desk.reading().clone().try_acquire_owned().map_err(busy)?;
    let bytes = read_any(req.headers(), &mut payload.into_inner(), FILE_BYTES_MAX).await?;
    // A large one takes longer than others may wait for this thread. Who sent it may be gone meanwhile: the turn is the work's.
    let reading = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        read(&bytes, name.as_deref())
    });
    let read = reading.await.map_err(|_| Problem::new(Kind::INTERNAL, "reading the plan went wrong here"))?;
    let report = ReportView::from(&read.report);
    let Some(plan) = read.plan else {
        let detail = read.report.faults().next().map_or_else(|| "the plan has errors".to_owned(), Fault::to_string);
        return Err(Problem::new(PLAN_FAULTY, detail).with_facts(&FaultyView { report }));
    };
    let here = Desk::clone(&desk);
    let kept = desk.finish(async move { keep(&here.needs().seating, &plan, &by).await }).await?;
    let view = KeptView { hash: kept.hash.to_string(), seats: kept.seats, report };
    Ok(if kept.is_new { HttpResponse::Created().json(view) } else { HttpResponse::Ok().json(view) })
}
