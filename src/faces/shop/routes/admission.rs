//! Asking for an admission: the right to press the button of a sale for a while, and the question that the press must answer.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::sale::admission::metric::Metric;
use crate::app::sale::admission::proof::{CHALLENGE_CHARS_MAX, Proof, SOLUTION_CHARS_MAX};
use crate::app::sale::admission::{Asker, Refusal};
use crate::app::sale::question;
use crate::domain::sale::Sale;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::front::routes::{Reply, no_such_sale, path, sale_id};
use crate::faces::shop::Shop;
use crate::faces::shop::refusals::{
    COOLING_OFF, CoolingOffView, HAS_RESERVATION, LAPSED_OUT, NETWORK_FULL, NotGiven, NotYours, PROOF_NEEDED,
    ProofNeededView, TOO_EARLY, TooEarlyView, WRONG_PROOF, Work,
};
use crate::faces::tokens::access::Principal;
use crate::faces::tokens::admission::{SALE_CLOSED, SaleAdmission};
use crate::kit::http::document::problems;
use crate::kit::http::document::shapes::text;
use crate::kit::http::limits;
use crate::kit::http::problem::{CONTENT_TYPE, Kind, Problem, Rule};

/// What a network without a free place is told: others leave when the sale is over, or never.
const NETWORK_RETRY_S: u32 = 60;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/sales/{id}/admission").route(web::post().to(post_admission)));
}

/// Both, or neither.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdmissionAsked)]
struct Wanted {
    #[serde(default)]
    #[schema(schema_with = text::<1, CHALLENGE_CHARS_MAX>)]
    challenge: Option<String>,
    /// A number, in decimal digits: the SHA-256 of the challenge, a full stop and these digits begins with as many zero bits as were
    /// asked.
    #[serde(default)]
    #[schema(schema_with = text::<1, SOLUTION_CHARS_MAX>)]
    solution: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SaleAdmission)]
struct AdmissionView<'a> {
    /// The token of `POST /v1/sales/{id}/attempts`.
    admission: String,
    until: Timestamp,
    /// Null when the sale asks nothing.
    #[schema(required)]
    question: Option<AskedView<'a>>,
    opens_at: Timestamp,
    closes_at: Timestamp,
    server_ms: Timestamp,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AskedQuestion)]
struct AskedView<'a> {
    id: usize,
    prompt: &'a str,
}

/// Ask for an admission
///
/// Pressing the button needs one. It is given for a minute, from the opening on or from now, to who has no reservation of this sale.
/// Holds that lapsed cost a wait; where many come from one network, or at once, some work is asked: answered 428 with a challenge, the
/// same call is made again with its solution.
#[utoipa::path(
    post,
    path = "/v1/sales/{id}/admission",
    operation_id = "admission",
    params(("id" = SaleId, Path)),
    request_body = Wanted,
    responses(
        (
            status = 200, description = "The admission, and what is asked.", body = AdmissionView,
            headers(("Cache-Control" = String, description = "It is nobody else's: no-store.")),
        ),
        (status = 403, description = "Holds of this sale were not paid.", content_type = CONTENT_TYPE, body = NotYours),
        (
            status = 409, description = "Too early, too late, or there is a reservation.", content_type = CONTENT_TYPE,
            body = NotGiven,
        ),
        (status = 428, description = "Some work is needed first.", content_type = CONTENT_TYPE, body = Work),
        problems::Missing, problems::Refused, problems::Throttled,
    ),
    security(("access" = [])),
)]
async fn post_admission(req: HttpRequest, payload: Payload, shop: Data<Shop>) -> Reply {
    let (principal, sale) = (shop.principal(&req)?, sale_id(&req)?);
    let wanted: Wanted = shop.body(&req, &mut payload.into_inner()).await?;
    let proof = proof(&wanted)?;
    let now = shop.clock().now();
    if let Some(refusal) = shop.admitting().asked(principal.buyer, now) {
        return Err(refused(refusal, now));
    }
    let shown = shop.board().sale(sale).await?.ok_or_else(no_such_sale)?;
    let network = shop.neighbourhood(&req);
    let asker = Asker { buyer: principal.buyer, network: &network, proof };
    let mac = |message: &[u8]| shop.keys().admission_digests(message);
    let answer = shop.admitting().ask(&shown.sale, &asker, &mac, shop.effort(), now).await?;
    let until = answer.map_err(|refusal| refused(refusal, now))?;
    Ok(given(&shop, &shown.sale, principal, until, now))
}

fn proof(Wanted { challenge, solution }: &Wanted) -> Result<Option<Proof<'_>>, Problem> {
    let missing =
        |field| Problem::field(field, Kind::INVALID, "is missing: one goes with the other").rule(Rule::MISSING);
    let (challenge, solution) = match (challenge, solution) {
        (None, None) => return Ok(None),
        (Some(challenge), Some(solution)) => (challenge, solution),
        (None, Some(_)) => return Err(missing("challenge")),
        (Some(_), None) => return Err(missing("solution")),
    };
    let challenge = limits::text("challenge", challenge, CHALLENGE_CHARS_MAX)?;
    let solution = limits::text("solution", solution, SOLUTION_CHARS_MAX)?;
    if !solution.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::field("solution", Kind::INVALID, "must be decimal digits"));
    }
    Ok(Some(Proof { challenge, solution }))
}

fn given(shop: &Shop, sale: &Sale, principal: Principal, until: Timestamp, now: Timestamp) -> HttpResponse {
    count("given");
    let admission = SaleAdmission::new(principal.buyer, sale.id, principal.epoch, now, until);
    let asked = question::index_for(sale, principal.buyer);
    let view = AdmissionView {
        admission: shop.keys().sign_admission(&admission),
        until: admission.until,
        question: asked.map(|id| AskedView { id, prompt: &sale.questions[id].prompt }),
        opens_at: sale.opens_at,
        closes_at: sale.closes_at,
        server_ms: now,
    };
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(view)
}

fn refused(refusal: Refusal, now: Timestamp) -> Problem {
    count(refusal.name());
    let wait = |until: Timestamp| u32::try_from((until.since_ms(now).max(1) + 999) / 1_000).unwrap_or(u32::MAX);
    match refusal {
        Refusal::TooEarly { from } => Problem::new(TOO_EARLY, "admissions to this sale are given later")
            .with_facts(&TooEarlyView { from })
            .retry_after_s(wait(from)),
        Refusal::Closed => Problem::new(SALE_CLOSED, "the sale is closed"),
        Refusal::Reserved => Problem::new(HAS_RESERVATION, "you have a reservation of this sale"),
        Refusal::CoolingOff { until } => Problem::new(COOLING_OFF, "a hold was not paid; the next takes a while")
            .with_facts(&CoolingOffView { until })
            .retry_after_s(wait(until)),
        Refusal::LapsedOut => Problem::new(LAPSED_OUT, "too many holds of this sale were not paid"),
        Refusal::NetworkFull => {
            Problem::new(NETWORK_FULL, "all places of this network are taken").retry_after_s(NETWORK_RETRY_S)
        }
        Refusal::ProofNeeded { challenge, bits, until } => {
            let problem = Problem::new(PROOF_NEEDED, "many come; find the number that the challenge asks for");
            problem.with_facts(&ProofNeededView { challenge, bits, until })
        }
        Refusal::WrongProof { is_ours: true } => {
            Problem::field("solution", WRONG_PROOF, "the digest does not begin with as many zero bits as are asked")
        }
        Refusal::WrongProof { is_ours: false } => {
            Problem::field("challenge", WRONG_PROOF, "this challenge was not made for you and this sale")
        }
        Refusal::TooMany { wait_ms } => Problem::new(Kind::TOO_MANY_REQUESTS, "too many tries; come again later")
            .retry_after_s(wait(now.plus_ms(wait_ms))),
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(Metric::Admissions.name(), "outcome" => outcome).increment(1);
}
