//! One attempt, from its bytes to its answer.

use std::borrow::Cow;
use std::rc::Rc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, ResponseError, body::BoxBody};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::sale::question::{self, ANSWER_CHARS_MAX};
use crate::domain::sale::attempt::Attempt;
use crate::domain::sale::{PARTY_MAX, Phase, Sale};
use crate::domain::shared::id::{AttemptId, BuyerId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::domain::shared::trace::Trace;
use crate::faces::publisher::document::{Accepted, SoldOut};
use crate::faces::publisher::lanes::{Lanes, Ticket};
use crate::faces::publisher::metric::Reason;
use crate::faces::publisher::refusals::{NEW_ADMISSION_NEEDED, OTHER_SALE, SALE_NOT_OPEN, SALE_PAUSED, WRONG_ANSWER};
use crate::faces::publisher::route;
use crate::faces::tokens::admission::{SALE_CLOSED, SaleAdmission};
use crate::kit::http::auth;
use crate::kit::http::body;
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::{text, whole};
use crate::kit::http::limits;
use crate::kit::http::problem::{Kind, Problem, Rule};
use crate::kit::telemetry::traced;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAttempt)]
struct Wanted<'a> {
    #[serde(default)]
    #[schema(nullable = false)]
    question_id: Option<u64>,
    #[serde(default, borrow)]
    #[schema(schema_with = text::<0, ANSWER_CHARS_MAX>)]
    answer: Option<Text<'a>>,
    #[serde(default = "one")]
    #[schema(schema_with = whole::<1, { PARTY_MAX as i64 }>)]
    quantity: u8,
}

/// Borrowed from the body unless it holds escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn one() -> u8 {
    1
}

/// What the checks let through.
enum Admitted {
    Joined(Ticket),
    SoldOut,
}

/// Press the button
///
/// Answered by the publisher. The token is an admission to this sale, and no access token. Pressing twice is harmless: a buyer has
/// one live reservation of a sale.
#[utoipa::path(
    post,
    path = "/v1/sales/{id}/attempts",
    operation_id = "attempt",
    params(("id" = SaleId, Path)),
    request_body = Wanted,
    responses(
        (status = 200, description = "Sold out at this moment.", body = SoldOut),
        (status = 202, description = "In the queue, durably; ask for the outcome by the attempt's id.", body = Accepted),
        problems::Forbidden, problems::Missing, problems::Conflict, problems::Refused, problems::Throttled,
    ),
    security(("admission" = [])),
)]
pub async fn take(lanes: &Rc<Lanes>, req: &HttpRequest, payload: Payload) -> HttpResponse {
    let mut span = traced::server_span(req.method(), "/v1/sales/{id}/attempts", req.headers());
    let Some(trace) = span.trace() else { return answer(lanes, req, payload, None).await };
    // Boxed: the many that are not traced keep a small task.
    let response = span.around(Box::pin(answer(lanes, req, payload, Some(trace)))).await;
    traced::record_status(&mut span, response.status());
    response
}

async fn answer(lanes: &Rc<Lanes>, req: &HttpRequest, payload: Payload, trace: Option<Trace>) -> HttpResponse {
    let metrics = &lanes.shared.metrics;
    match admit(lanes, req, payload, trace).await {
        Ok(Admitted::Joined(ticket)) => match ticket.await {
            Ok(id) => accepted(id),
            Err(reason) => shed(lanes, reason),
        },
        Ok(Admitted::SoldOut) => {
            metrics.sold_out_at_once.increment(1);
            json(StatusCode::OK, Bytes::from_static(br#"{"status":"sold_out"}"#))
        }
        Err(Refusal::Shed(reason)) => shed(lanes, reason),
        Err(Refusal::Problem(problem)) => {
            metrics.refused(problem.kind);
            problem.error_response()
        }
    }
}

enum Refusal {
    Problem(Problem),
    Shed(Reason),
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal::Problem(problem)
    }
}

async fn admit(
    lanes: &Rc<Lanes>,
    req: &HttpRequest,
    mut payload: Payload,
    trace: Option<Trace>,
) -> Result<Admitted, Refusal> {
    let shared = &lanes.shared;
    let now = shared.needs.clock.now();
    let admission = shared.keys.verify(auth::bearer(req)?)?;
    lanes.pressing.press(admission.buyer, now)?;
    let sale = SaleId(body::number("id", route::sale_in(req.path()).unwrap_or_default())?);
    check_admission(lanes, &admission, sale, now)?;
    let bytes = body::read(req.headers(), &mut payload, shared.settings.body_bytes_max).await?;
    let wanted: Wanted<'_> = body::parse(&bytes)?;

    let entries = shared.known.entries();
    let Some(entry) = entries.get(&sale) else {
        // A process that is only just back must not tell a buyer that there is no such sale.
        return Err(match shared.known.is_learning(now) {
            true => Refusal::Shed(Reason::Learning),
            false => Problem::new(Kind::NOT_FOUND, "there is no such sale").into(),
        });
    };
    // The body may have taken its time, and the window is about now.
    let now = shared.needs.clock.now();
    let view = entry.view();
    check_phase(view.sale.phase(now))?;
    check_wanted(&view.sale, admission.buyer, &wanted).inspect_err(|problem| {
        if problem.kind == WRONG_ANSWER {
            lanes.pressing.was_wrong(&admission, now);
        }
    })?;
    if shared.settings.sold_out_at_once && view.is_exhausted(now) {
        shared.known.needs(entry, now);
        return Ok(Admitted::SoldOut);
    }
    if !shared.needs.attempts.is_up() {
        return Err(Refusal::Shed(Reason::Away));
    }
    let attempt = Attempt { buyer: admission.buyer, quantity: wanted.quantity, waits: true };
    lanes.join(sale, attempt, trace).map(Admitted::Joined).map_err(Refusal::Shed)
}

fn check_admission(lanes: &Lanes, admission: &SaleAdmission, sale: SaleId, now: Timestamp) -> Result<(), Problem> {
    if lanes.shared.known.is_logged_out(admission) {
        return Err(Problem::field("Authorization", Kind::UNAUTHORIZED, "this token was logged out; log in again"));
    }
    if admission.sale != sale {
        return Err(Problem::field("Authorization", OTHER_SALE, "the admission is to another sale"));
    }
    if now >= admission.until {
        return Err(Problem::new(NEW_ADMISSION_NEEDED, "the admission is over; another one is needed"));
    }
    lanes.pressing.check(admission, now)
}

fn check_phase(phase: Phase) -> Result<(), Problem> {
    match phase {
        Phase::Open => Ok(()),
        Phase::Scheduled => Err(Problem::new(SALE_NOT_OPEN, "the sale has not opened yet")),
        Phase::Paused => Err(Problem::new(SALE_PAUSED, "the sale is paused; it may go on")),
        Phase::Closed => Err(Problem::new(SALE_CLOSED, "the sale is closed")),
    }
}

fn check_wanted(sale: &Sale, buyer: BuyerId, wanted: &Wanted<'_>) -> Result<(), Problem> {
    let quantity_max = sale.allotment.quantity_max;
    if !(1..=quantity_max).contains(&wanted.quantity) {
        let problem = Problem::field("quantity", Kind::INVALID, format!("must be from 1 to {quantity_max}"));
        return Err(problem.rule(Rule::RANGE).bounds(1, quantity_max));
    }
    if let Some(Text(answer)) = &wanted.answer
        && answer.len() > ANSWER_CHARS_MAX
        && answer.chars().count() > ANSWER_CHARS_MAX
    {
        return Err(limits::too_long("answer", ANSWER_CHARS_MAX));
    }
    let count = sale.questions.len() as u64;
    if count == 0 {
        return Ok(());
    }
    let question_id = wanted.question_id.ok_or_else(|| missing("question_id"))?;
    let Text(answer) = wanted.answer.as_ref().ok_or_else(|| missing("answer"))?;
    if question_id >= count {
        return Err(Problem::field("question_id", Kind::INVALID, "there is no such question").rule(Rule::NO_SUCH));
    }
    if question::is_right(sale, buyer, question_id, answer) {
        return Ok(());
    }
    Err(Problem::field("answer", WRONG_ANSWER, "this is not the answer to the question you were asked"))
}

fn missing(field: &'static str) -> Problem {
    Problem::field(field, Kind::INVALID, "is missing: this sale asks a question").rule(Rule::MISSING)
}

fn shed(lanes: &Lanes, reason: Reason) -> HttpResponse {
    lanes.shared.metrics.shed(reason);
    let detail = match reason {
        Reason::Full | Reason::Waiting => "more attempts came than can be taken in; come again",
        Reason::Away | Reason::Learning => "attempts cannot be taken in at this moment; come again",
        Reason::Slow => "it is not known whether the attempt was taken in; come again, a second try is harmless",
    };
    Problem::new(Kind::BUSY, detail).retry_after_s(lanes.shared.settings.retry_after_s).error_response()
}

fn accepted(id: AttemptId) -> HttpResponse {
    const HEAD: &[u8] = br#"{"attempt_id":""#;
    const TAIL: &[u8] = br#"","status":"accepted"}"#;
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut body = Vec::with_capacity(HEAD.len() + 32 + TAIL.len());
    body.extend_from_slice(HEAD);
    for byte in id.to_bytes() {
        body.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    body.extend_from_slice(TAIL);
    json(StatusCode::ACCEPTED, Bytes::from(body))
}

fn json(status: StatusCode, body: Bytes) -> HttpResponse {
    let mut response = HttpResponse::with_body(status, BoxBody::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
