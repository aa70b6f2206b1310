//! The door: operators let units in, take what gates wrote down, and hand gates what they take along.

use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::receipt::{Admission, Proof};
use crate::domain::time::Timestamp;
use crate::http::idempotency::By;
use crate::http::limits;
use crate::http::problem::{Kind, Problem, Rule};
use crate::ports::World;
use crate::ports::admissions::{Admissions, Conflict, ConflictPlace, Why};
use crate::services::gateway::Gateway;
use crate::services::gateway::once::once;
use crate::services::gateway::routes::page::Page;
use crate::services::gateway::routes::{Reply, no_such_sale, path, query, sale_id};
use crate::services::receipts::token::{TYPED_BYTES_MAX, TokenError};
use crate::services::receipts::{CheckIn, Written};

const GATE_CHARS_MAX: usize = 64;
const DEVICE_CHARS_MAX: usize = 32;
/// The clock of a gate may be ahead of ours by so much.
const AHEAD_MS_MAX: i64 = 60_000;

pub fn routes<W: World>(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/check-ins").route(once::<W>(By::Operator, web::post().to(post_check_in::<W>))))
        .service(path("/v1/check-ins/merge").route(once::<W>(By::Operator, web::post().to(post_merge::<W>))))
        .service(path("/v1/admin/sales/{id}/gate-pack").route(web::get().to(get_pack::<W>)))
        .service(path("/v1/admin/sales/{id}/check-in-conflicts").route(web::get().to(get_conflicts::<W>)));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckInBody {
    /// Whose door it is.
    sale_id: SaleId,
    token: String,
    #[serde(default)]
    gate: Option<String>,
    /// When they came; now, when it is not said. Said again with the same gate, the answer is the same again.
    #[serde(default)]
    at: Option<Timestamp>,
}

#[derive(Serialize)]
struct AdmissionView {
    sale_id: SaleId,
    unit: u32,
    reservation_id: ReservationId,
    admitted_at: Timestamp,
    gate: String,
    device: String,
}

impl From<Admission> for AdmissionView {
    fn from(admission: Admission) -> Self {
        let Admission { proof: Proof { sale, unit, reservation }, at, gate, source } = admission;
        Self { sale_id: sale, unit, reservation_id: reservation, admitted_at: at, gate, device: source.device }
    }
}

async fn post_check_in<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let body: CheckInBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let token = limits::text("token", &body.token, TYPED_BYTES_MAX)?;
    let gate = gate_name("gate", body.gate.as_deref().unwrap_or_default())?;
    if let Some(at) = body.at {
        moment("at", at, gateway.clock().now())?;
    }
    match gateway.receipts().check_in(body.sale_id, token, gate, body.at).await? {
        CheckIn::Admitted(admission) => Ok(HttpResponse::Created().json(AdmissionView::from(admission))),
        CheckIn::Already { before, revoked } => Err(already(before, revoked)),
        CheckIn::Elsewhere(proof) => Err(elsewhere(&gateway, proof).await),
        CheckIn::Revoked(proof) => {
            let why = format!("unit {} was given back; this receipt lets nobody in with it", proof.unit);
            Err(Problem::new(Kind::Revoked, why))
        }
        CheckIn::Invalid(error) => {
            let rule = match error {
                TokenError::Form | TokenError::Proof(_) => Rule::TokenForm,
                TokenError::Key => Rule::TokenKey,
                TokenError::Signature => Rule::TokenSignature,
            };
            Err(Problem::field("token", Kind::Invalid, error.to_string()).rule(rule))
        }
    }
}

/// A problem that also says, for machines, how the unit was used, and whether it was given back since.
fn already(before: Admission, revoked: bool) -> Problem {
    let place = if before.gate.is_empty() { String::new() } else { format!(" at {}", before.gate) };
    let back = if revoked { "; it was given back since" } else { "" };
    let why = format!("somebody went in with unit {}{place} before{back}", before.proof.unit);
    Problem::new(Kind::AlreadyAdmitted, why).with_facts(&AdmissionView::from(before)).with("revoked", revoked)
}

/// A problem that also says which sale it is of, so that its holder can be sent there.
async fn elsewhere<W: World>(gateway: &Gateway<W>, proof: Proof) -> Problem {
    // What cannot be looked up is said by its number: nobody waits at a door for a title.
    let sale = gateway.board().seen(gateway.world(), proof.sale).await.ok().flatten();
    let title = sale.map(|shown| shown.sale.title.clone());
    let name = title.as_ref().map_or_else(|| format!("sale {}", proof.sale), |title| format!("“{title}”"));
    let why = format!("this receipt is good for {name}, which is not the sale of this door");
    let problem = Problem::new(Kind::Elsewhere, why).with("sale_id", proof.sale.0).with("unit", proof.unit);
    match title {
        Some(title) => problem.with("sale_title", title),
        None => problem,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeBody {
    device: String,
    admissions: Vec<MergeLine>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MergeLine {
    sequence: u64,
    token: String,
    at: Timestamp,
    #[serde(default)]
    gate: String,
}

async fn post_merge<W: World>(req: HttpRequest, payload: Payload, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let body: MergeBody = gateway.body(&req, &mut payload.into_inner()).await?;
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let device = limits::text("device", &body.device, DEVICE_CHARS_MAX)?.to_owned();
    if !device.bytes().all(plain) {
        return Err(Problem::field("device", Kind::Invalid, "must be lower-case letters, digits and -"));
    }
    let receipts = gateway.receipts().clone();
    limits::within("admissions", body.admissions.len() as u64, 1..=receipts.settings().merge_max as u64)?;
    let mut written = Vec::with_capacity(body.admissions.len());
    for (place, line) in body.admissions.into_iter().enumerate() {
        written.push(line.checked(place)?);
    }
    let handed = gateway.finish(async move { receipts.merge(&device, written).await }).await?;
    let conflicts = handed.iter().filter(|line| line.outcome != "admitted").count();
    Ok(HttpResponse::Ok().json(json!({ "admissions": handed, "conflicts": conflicts })))
}

impl MergeLine {
    fn checked(self, place: usize) -> Result<Written, Problem> {
        let named = |name: &str| format!("admissions[{place}].{name}");
        if self.sequence == 0 || i64::try_from(self.sequence).is_err() {
            return Err(Problem::field(named("sequence"), Kind::Invalid, "must be at least 1, in 63 bits"));
        }
        if self.token.len() > TYPED_BYTES_MAX {
            let problem = Problem::field(named("token"), Kind::Invalid, "is too long");
            return Err(problem.rule(Rule::Length).with("max", TYPED_BYTES_MAX));
        }
        if self.at.0 < 0 {
            return Err(Problem::field(named("at"), Kind::Invalid, "must be milliseconds since 1970"));
        }
        let gate = gate_name(&named("gate"), &self.gate)?.to_owned();
        Ok(Written { token: self.token, at: self.at, gate, sequence: self.sequence })
    }
}

fn gate_name<'a>(field: &str, name: &'a str) -> Result<&'a str, Problem> {
    let name = name.trim();
    if name.chars().count() > GATE_CHARS_MAX || name.chars().any(char::is_control) {
        let must = format!("must be at most {GATE_CHARS_MAX} characters on one line");
        return Err(Problem::field(field.to_owned(), Kind::Invalid, must)
            .rule(Rule::Length)
            .with("max", GATE_CHARS_MAX));
    }
    Ok(name)
}

fn moment(field: &'static str, at: Timestamp, now: Timestamp) -> Result<(), Problem> {
    if at.0 < 0 || at > now.plus_ms(AHEAD_MS_MAX) {
        return Err(Problem::field(field, Kind::Invalid, "must be milliseconds since 1970, and not lie ahead"));
    }
    Ok(())
}

async fn get_pack<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let shown = gateway.board().sale(gateway.world(), sale_id(&req)?).await?.ok_or_else(no_such_sale)?;
    let pack = gateway.receipts().pack(shown.sale.id, shown.sale.title.clone()).await?;
    let why = "this sale has more units given back or used than a pack may name; let its gates ask the shop";
    Ok(HttpResponse::Ok().json(pack.ok_or_else(|| Problem::new(Kind::Conflict, why))?))
}

#[derive(Serialize)]
struct ConflictView {
    why: Why,
    #[serde(flatten)]
    admission: AdmissionView,
}

async fn get_conflicts<W: World>(req: HttpRequest, gateway: Data<Gateway<W>>) -> Reply {
    gateway.operator(&req)?;
    let (sale, store) = (sale_id(&req)?, gateway.world().store());
    let [limit, after] = query(&req, ["limit", "after"])?;
    let page: Page<ConflictPlace> = Page::asked(limit, after, gateway.receipts().settings().conflicts_max)?;
    let mut conflicts = store.conflicts_after(sale, page.after.as_ref(), page.reach()).await?;
    let next = page.cut(&mut conflicts, |conflict| ConflictPlace::from(conflict));
    let view = |Conflict { admission, why, .. }: Conflict| ConflictView { why, admission: admission.into() };
    Ok(page.answer(&req, next).json(conflicts.into_iter().map(view).collect::<Vec<_>>()))
}
