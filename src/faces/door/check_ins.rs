//! Letting units in, one at a time or as a gate wrote them down.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, Object};

use crate::app::receipts::token::{TYPED_BYTES_MAX, TokenError};
use crate::app::receipts::{self, CheckIn, Written};
use crate::domain::people::Permission;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::door::Door;
use crate::faces::door::views::{
    ALREADY_ADMITTED, AdmissionView, AlreadyView, ELSEWHERE, ElsewhereView, Merged, NotAdmitted, REVOKED,
};
use crate::faces::front::once::{By, once};
use crate::faces::front::routes::{Reply, path};
use crate::kit::http::document::params::Key;
use crate::kit::http::document::shapes::{at_most, described, or_null, text};
use crate::kit::http::limits;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem, Rule};

const TOKEN_FORM: Rule = Rule::declared("token_form");
const TOKEN_KEY: Rule = Rule::declared("token_key");
const TOKEN_SIGNATURE: Rule = Rule::declared("token_signature");
pub const RULES: &[Rule] = &[TOKEN_FORM, TOKEN_KEY, TOKEN_SIGNATURE];

const GATE_CHARS_MAX: usize = 64;
const DEVICE_CHARS_MAX: usize = 32;
/// The clock of a gate may be ahead of ours by so much.
const AHEAD_MS_MAX: i64 = 60_000;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/check-ins").route(once(By::May(Permission::CheckIn), web::post().to(post_check_in))))
        .service(path("/v1/check-ins/merge").route(once(By::May(Permission::CheckIn), web::post().to(post_merge))));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCheckIn)]
struct CheckInBody {
    /// Whose door it is.
    sale_id: SaleId,
    #[schema(schema_with = typed)]
    token: String,
    #[serde(default)]
    #[schema(schema_with = gate_or_null)]
    gate: Option<String>,
    /// When they came; now, when it is not said. Said again with the same gate, the answer is the same again.
    #[serde(default)]
    at: Option<Timestamp>,
}

fn typed() -> Object {
    let about = "As it was scanned or typed: in any case, with gaps, through a German or French keyboard.";
    described(text::<1, TYPED_BYTES_MAX>(), about)
}

pub fn gate_or_null() -> Object {
    or_null(text::<0, GATE_CHARS_MAX>())
}

/// Admit a person with a unit, once
#[utoipa::path(
    post,
    path = "/v1/check-ins",
    operation_id = "check_in",
    params(Key),
    request_body = CheckInBody,
    responses(
        (status = 201, description = "Admitted.", body = AdmissionView),
        (
            status = 409,
            description = "A person was admitted with it before; it is for another sale; or this request is under way.",
            content_type = CONTENT_TYPE,
            body = NotAdmitted,
        ),
        (status = 410, description = "The unit was given back.", content_type = CONTENT_TYPE, body = Problem),
    ),
    security(("access" = ["check_in"])),
)]
async fn post_check_in(req: HttpRequest, payload: Payload, door: Data<Door>) -> Reply {
    let by = door.author(&req, Permission::CheckIn)?;
    let body: CheckInBody = door.body(&req, &mut payload.into_inner()).await?;
    let token = limits::text("token", &body.token, TYPED_BYTES_MAX)?;
    let gate = gate_name("gate", body.gate.as_deref().unwrap_or_default())?;
    if let Some(at) = body.at {
        moment("at", at, door.clock().now())?;
    }
    let outcome = door.receipts().check_in(body.sale_id, token, gate, body.at, &by).await?;
    judged(&door, outcome).await
}

/// Whether the person may come in.
pub async fn judged(door: &Door, outcome: CheckIn) -> Reply {
    match outcome {
        CheckIn::Admitted(admission) => Ok(HttpResponse::Created().json(AdmissionView::from(admission))),
        CheckIn::Already { before, revoked } => Err(already(before, revoked)),
        CheckIn::Elsewhere(proof) => Err(elsewhere(door, proof).await),
        CheckIn::Revoked(proof) => {
            let why = format!("unit {} was given back; this receipt does not admit with it", proof.unit);
            Err(Problem::new(REVOKED, why))
        }
        CheckIn::Invalid(error) => {
            let rule = match error {
                TokenError::Form | TokenError::Proof(_) => TOKEN_FORM,
                TokenError::Key => TOKEN_KEY,
                TokenError::Signature => TOKEN_SIGNATURE,
            };
            Err(Problem::field("token", Kind::INVALID, error.to_string()).rule(rule))
        }
    }
}

fn already(before: Admission, revoked: bool) -> Problem {
    let place = if before.gate.is_empty() { String::new() } else { format!(" at {}", before.gate) };
    let back = if revoked { "; it was given back since" } else { "" };
    let why = format!("a person was admitted with unit {}{place} before{back}", before.proof.unit);
    Problem::new(ALREADY_ADMITTED, why).with_facts(&AlreadyView { before: before.into(), revoked })
}

async fn elsewhere(door: &Door, proof: Proof) -> Problem {
    // A title that cannot be read is replaced by the sale's number: check-in must not wait for it.
    let sale = door.board().seen(proof.sale).await.ok().flatten();
    let title = sale.map(|shown| shown.sale.title.clone());
    let name = title.as_ref().map_or_else(|| format!("sale {}", proof.sale), |title| format!("“{title}”"));
    let why = format!("this receipt is good for {name}, which is not the sale of this door");
    let facts = ElsewhereView { sale_id: proof.sale, unit: proof.unit, sale_title: title };
    Problem::new(ELSEWHERE, why).with_facts(&facts)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdmissions)]
struct MergeBody {
    #[schema(schema_with = device)]
    device: String,
    #[schema(schema_with = lines)]
    admissions: Vec<MergeLine>,
}

fn lines() -> Array {
    at_most::<MergeLine>(receipts::Settings::default().merge_max)
}

fn device() -> Object {
    let mut device = text::<1, DEVICE_CHARS_MAX>();
    device.pattern = Some("^[a-z0-9-]+$".to_owned());
    device
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewAdmission)]
struct MergeLine {
    #[schema(minimum = 1)]
    sequence: u64,
    #[schema(schema_with = text::<0, TYPED_BYTES_MAX>)]
    token: String,
    at: Timestamp,
    #[serde(default)]
    #[schema(schema_with = text::<0, GATE_CHARS_MAX>)]
    gate: String,
}

/// Hand over what a gate wrote down offline
#[utoipa::path(
    post,
    path = "/v1/check-ins/merge",
    operation_id = "merge_check_ins",
    params(Key),
    request_body = MergeBody,
    responses((status = 200, description = "What became of each line.", body = Merged)),
    security(("access" = ["check_in"])),
)]
async fn post_merge(req: HttpRequest, payload: Payload, door: Data<Door>) -> Reply {
    let by = door.author(&req, Permission::CheckIn)?;
    let body: MergeBody = door.body(&req, &mut payload.into_inner()).await?;
    let device = device_name(&body.device)?.to_owned();
    let receipts = door.receipts().clone();
    limits::within("admissions", body.admissions.len() as u64, 1..=receipts.settings().merge_max as u64)?;
    let mut written = Vec::with_capacity(body.admissions.len());
    for (place, line) in body.admissions.into_iter().enumerate() {
        written.push(line.checked(place)?);
    }
    let admissions = door.finish(async move { receipts.merge(&device, written, &by).await }).await?;
    let conflicts = admissions.iter().filter(|line| !["admitted", "undone"].contains(&line.outcome)).count();
    Ok(HttpResponse::Ok().json(Merged { admissions, conflicts }))
}

impl MergeLine {
    fn checked(self, place: usize) -> Result<Written, Problem> {
        let named = |name: &str| format!("admissions[{place}].{name}");
        if self.sequence == 0 || i64::try_from(self.sequence).is_err() {
            return Err(Problem::field(named("sequence"), Kind::INVALID, "must be at least 1, in 63 bits"));
        }
        if self.token.len() > TYPED_BYTES_MAX {
            let problem = Problem::field(named("token"), Kind::INVALID, "is too long");
            return Err(problem.rule(Rule::LENGTH).with("max", TYPED_BYTES_MAX));
        }
        if self.at.0 < 0 {
            return Err(Problem::field(named("at"), Kind::INVALID, "must be milliseconds since 1970"));
        }
        let gate = gate_name(&named("gate"), &self.gate)?.to_owned();
        Ok(Written { token: self.token, at: self.at, gate, sequence: self.sequence })
    }
}

pub fn device_name(text: &str) -> Result<&str, Problem> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let device = limits::text("device", text, DEVICE_CHARS_MAX)?;
    if !device.bytes().all(plain) {
        return Err(Problem::field("device", Kind::INVALID, "must be lower-case letters, digits and -"));
    }
    Ok(device)
}

pub fn gate_name<'a>(field: &str, name: &'a str) -> Result<&'a str, Problem> {
    let name = name.trim();
    if name.chars().count() > GATE_CHARS_MAX || name.chars().any(char::is_control) {
        let must = format!("must be at most {GATE_CHARS_MAX} characters on one line");
        return Err(Problem::field(field.to_owned(), Kind::INVALID, must)
            .rule(Rule::LENGTH)
            .with("max", GATE_CHARS_MAX));
    }
    Ok(name)
}

fn moment(field: &'static str, at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if at.0 < 0 || at > now.plus_ms(AHEAD_MS_MAX) {
        return Err(Problem::field(field, Kind::INVALID, "must be milliseconds since 1970, and not lie ahead"));
    }
    Ok(())
}
