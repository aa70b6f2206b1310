//! `Idempotency-Key`: a request that costs something is carried out once, and a client that asks again gets the same answer.
//!
//! Wrapped around a route, this reads the key and the body, claims the request before the handler runs, and keeps what the
//! handler answered. It knows nothing of what is done. Only how an effect ended is kept: a 2xx, but for 202, which says that
//! it is not known yet; 402, a charge that was declined; and 422, what can never be paid. What was refused had no effect and
//! leaves nothing behind: a stranger's mistakes fill no table, and a client that mends its own asks under the same key. A request
//! that was begun is finished and kept also when its caller hangs up. A crash in the middle leaves a claim that ends by itself;
//! then the next request runs the handler again, so the handler's effect is idempotent under
//! [`Cause::request`], or by its nature.
//!
//! Where the effect is one transaction, the claim may be made in it, and the answer kept: [`with_effect`](super::with_effect).
//!
//! Keys are each caller's own, and a caller is who shows a token: a stranger writes nothing here.

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpRequest, HttpResponse, ResponseError, Route};
use sha2::{Digest, Sha256};

use crate::domain::shared::id::RequestId;
use crate::kit::http::body;
use crate::kit::http::problem::{Kind, Problem};
use crate::kit::work::chance::chance;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::fault::{Faults, Point};
use crate::ports::platform::idempotency::{Answer, Asked, Claim, Fingerprint, Idempotency, Key, Lease};
use crate::problem_kinds;

problem_kinds! {
    KEY_MISSING = "idempotency_key_missing", BAD_REQUEST, "An Idempotency-Key is needed";
    /// The same request is being carried out.
    IN_FLIGHT = "in_flight", CONFLICT, "The same request is under way";
    KEY_REUSED = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key belongs to another request";
}

pub const AFTER_CLAIM: Point = Point("request.after_claim");
pub const AFTER_EFFECT: Point = Point("request.after_effect");

pub const HEADER: &str = "Idempotency-Key";
/// Tells that an answer was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
pub const KEY_CHARS_MAX: usize = 255;
/// Of an answer that is kept; a longer one is made anew.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
const CONTENT_TYPE_CHARS_MAX: usize = 100;

/// What a service lends to its routes. Found among the application's data as `Data<Self>`.
pub trait Keeper: Clone + 'static {
    /// Who may call a route.
    type By: Copy + 'static;

    fn store(&self) -> &dyn Idempotency;
    fn clock(&self) -> &dyn Clock;
    fn faults(&self) -> &dyn Faults;
    /// Whose the keys of this request are, if they may call the route at all. Holds no line feed.
    fn caller(&self, by: Self::By, req: &HttpRequest) -> Result<String, Problem>;
    /// Of a message, by each secret that may have been used before; the present one comes first.
    fn digests(&self, message: &[u8]) -> Vec<[u8; 32]>;
    fn limits(&self) -> Limits;
    fn count(&self, outcome: Outcome);

    /// Brings work to its end in a task of this thread, with whatever goes along with the present one, also when the caller
    /// has gone. `None` when it broke.
    fn finish<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> impl Future<Output = Option<T>>;
}

#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes_max: usize,
    /// How long a claim lasts without an answer.
    pub lease_ms: i64,
    /// How long a key is remembered.
    pub ttl_ms: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    First,
    /// An earlier request began, and left no answer.
    Again,
    Replayed,
    InFlight,
    OtherPayload,
}

impl Outcome {
    pub fn name(self) -> &'static str {
        match self {
            Outcome::First => "first",
            Outcome::Again => "again",
            Outcome::Replayed => "replayed",
            Outcome::InFlight => "in_flight",
            Outcome::OtherPayload => "other_payload",
        }
    }
}

/// What a handler knows of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The same whenever this request is carried out; no other request has it.
    pub request: RequestId,
    /// It may have been carried out before.
    pub is_again: bool,
}

/// Of a request whose route is wrapped.
pub fn cause(req: &HttpRequest) -> Option<Cause> {
    req.extensions().get::<Cause>().copied()
}

/// A route whose requests need a key.
pub fn once<K: Keeper>(by: K::By, route: Route) -> Route {
    route.wrap(from_fn(move |req, next| carry_out::<K>(by, req, next)))
}

enum Step {
    Run { key: Option<Key>, lease: Lease },
    Say(HttpResponse),
}

async fn carry_out<K: Keeper>(
    by: K::By,
    mut req: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let keeper: K = keeper_of(&req);
    let step = match prepare(&keeper, by, &mut req).await {
        Ok(step) => step,
        Err(problem) => Step::Say(problem.error_response()),
    };
    let (key, lease) = match step {
        Step::Say(response) => return Ok(req.into_response(response)),
        Step::Run { key, lease } => (key, lease),
    };
    let (http, keeps) = (req.request().clone(), keeper.clone());
    let work = async move {
        keeps.faults().reach(AFTER_CLAIM).await;
        let answered = next.call(req).await?;
        match key {
            Some(key) => Ok(keep(&keeps, key, lease, answered).await),
            None => Ok(answered),
        }
    };
    to_its_end(&keeper, http, work).await
}

/// On the worker and not on the connection: the answer is kept even when the client is gone.
pub(super) async fn to_its_end<K: Keeper>(
    keeper: &K,
    http: HttpRequest,
    work: impl Future<Output = Result<ServiceResponse<BoxBody>, Error>> + 'static,
) -> Result<ServiceResponse<BoxBody>, Error> {
    keeper.finish(work).await.unwrap_or_else(|| {
        let problem = Problem::new(Kind::INTERNAL, "this went wrong here; ask again with the same key");
        Ok(ServiceResponse::new(http, problem.error_response()))
    })
}

pub(super) fn keeper_of<K: Keeper>(req: &ServiceRequest) -> K {
    let keeper = req.app_data::<Data<K>>().expect("the mounting code adds the keeper to the application's data");
    K::clone(keeper)
}

/// Everything up to the handler. Who may not ask at all writes nothing.
async fn prepare<K: Keeper>(keeper: &K, by: K::By, req: &mut ServiceRequest) -> Result<Step, Problem> {
    let asked = read::<K>(keeper, by, req).await?;
    let claim = keeper.store().claim(&asked).await?;
    keeper.count(outcome(&claim));
    let (key, lease) = match claim {
        Claim::Yours(lease) => (Some(asked.key), lease),
        Claim::Done { lease, answer: Answer::Anew } => (None, Lease { attempt: lease.attempt + 1, ..lease }),
        elsewhere => return Ok(Step::Say(told(elsewhere)?)),
    };
    req.extensions_mut().insert(Cause { request: lease.request, is_again: lease.is_again() });
    Ok(Step::Run { key, lease })
}

/// What is to be claimed. The body is read, and is there for the handler all the same.
pub(super) async fn read<K: Keeper>(keeper: &K, by: K::By, req: &mut ServiceRequest) -> Result<Asked, Problem> {
    let now = keeper.clock().now();
    let key = key_of(req, &keeper.caller(by, req.request())?)?;
    let limits = keeper.limits();
    let mut payload = req.take_payload();
    let bytes = body::read_any(req.headers(), &mut payload, limits.body_bytes_max).await?;
    let asked = Asked {
        key,
        fingerprints: fingerprints(keeper, req, &bytes),
        request: RequestId::from_bytes(chance()),
        now,
        leased_until: now.plus_ms(limits.lease_ms),
        expires_at: now.plus_ms(limits.ttl_ms),
    };
    req.set_payload(Payload::from(bytes));
    Ok(asked)
}

/// Of a claim that is another's: its answer, or why there is none.
pub(super) fn told(claim: Claim) -> Result<HttpResponse, Problem> {
    match claim {
        Claim::Done { answer: Answer::Kept { status, content_type, body }, .. } => {
            Ok(replay(status, &content_type, body))
        }
        Claim::OtherPayload => {
            let detail = "this key was used for another request; a new request needs a new key";
            Err(Problem::field(HEADER, KEY_REUSED, detail))
        }
        Claim::InFlight | Claim::Done { .. } | Claim::Yours(_) => {
            let detail = "this request is being carried out; ask again for its answer";
            Err(Problem::field(HEADER, IN_FLIGHT, detail).retry_after_s(1))
        }
    }
}

pub(super) fn outcome(claim: &Claim) -> Outcome {
    match claim {
        Claim::Yours(lease) if lease.is_again() => Outcome::Again,
        Claim::Yours(_) => Outcome::First,
        Claim::Done { .. } => Outcome::Replayed,
        Claim::InFlight => Outcome::InFlight,
        Claim::OtherPayload => Outcome::OtherPayload,
    }
}

/// One key, of visible ASCII, hashed with whose it is.
fn key_of(req: &ServiceRequest, caller: &str) -> Result<Key, Problem> {
    let given = req.headers().get_all(HEADER).map(|value| value.as_bytes());
    let Some(key) = given_key(given, 1)? else {
        let detail = "this request costs something: give it a key of its own, such as a UUID";
        return Err(Problem::field(HEADER, KEY_MISSING, detail));
    };
    // The caller holds no line feed.
    Ok(Key(Sha256::new().chain_update(caller).chain_update("\n").chain_update(key).finalize().into()))
}

/// Among the values of its header: none, or one of at least so many characters.
pub fn given_key<'v>(mut values: impl Iterator<Item = &'v [u8]>, chars_min: usize) -> Result<Option<&'v str>, Problem> {
    let Some(key) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::field(HEADER, Kind::INVALID, "must be given once"));
    }
    let fits = (chars_min..=KEY_CHARS_MAX).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(key) {
        Ok(key) if fits => Ok(Some(key)),
        _ => {
            let detail = format!("must be {chars_min} to {KEY_CHARS_MAX} visible ASCII characters");
            Err(Problem::field(HEADER, Kind::INVALID, detail))
        }
    }
}

/// Of method, path and body. Under our keys, since a body may hold a password.
fn fingerprints(keeper: &impl Keeper, req: &ServiceRequest, body: &[u8]) -> Vec<Fingerprint> {
    let mut message = format!("{}\n{}\n", req.method(), req.uri()).into_bytes();
    message.extend_from_slice(body);
    keeper.digests(&message).into_iter().map(Fingerprint).collect()
}

fn replay(status: u16, content_type: &str, body: Vec<u8>) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::with_body(status, BoxBody::new(body));
    if let Ok(content_type) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The answer goes out even when it could not be kept: the effect is done, and a request after the lease finds that.
pub(super) async fn keep<K: Keeper>(
    keeper: &K,
    key: Key,
    lease: Lease,
    answered: ServiceResponse<BoxBody>,
) -> ServiceResponse<BoxBody> {
    keeper.faults().reach(AFTER_EFFECT).await;
    let (req, response) = answered.into_parts();
    let let_go = match Left::by(response.status()) {
        Left::Answer => None,
        Left::Work => Some(keeper.store().let_go(key, lease).await),
        Left::Nothing => Some(keeper.store().withdraw(key, lease).await),
    };
    if let Some(let_go) = let_go {
        if let Err(fault) = let_go {
            tracing::info!(%fault, "an idempotency claim could not be released; its lease runs out");
        }
        return ServiceResponse::new(req, response);
    }
    let (head, body) = response.into_parts();
    // Answers of requests that cost something are whole; one that breaks off would be a stream.
    let body = to_bytes(body).await.unwrap_or_default();
    let answer = answer(&head, &body);
    match keeper.store().keep(key, lease, &answer).await {
        Ok(true) => {}
        Ok(false) => tracing::info!("another request with the same key was carried out meanwhile"),
        Err(fault) => tracing::warn!(%fault, "an answer was not kept"),
    }
    ServiceResponse::new(req, head.set_body(BoxBody::new(body)))
}

fn answer(head: &HttpResponse<()>, body: &Bytes) -> Answer {
    let content_type = head.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default();
    if body.len() > ANSWER_BYTES_MAX || content_type.len() > CONTENT_TYPE_CHARS_MAX {
        return Answer::Anew;
    }
    Answer::Kept { status: head.status().as_u16(), content_type: content_type.to_owned(), body: body.to_vec() }
}

/// What a request leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    /// It is over, and this is how it ended.
    Answer,
    /// Perhaps something was done, and it is not over: the next one goes on under the same id.
    Work,
    /// It was refused, and nothing was done.
    Nothing,
}

impl Left {
    fn by(status: StatusCode) -> Self {
        match status {
            StatusCode::ACCEPTED | StatusCode::REQUEST_TIMEOUT => Left::Work,
            // A decline, and what can never be paid: the end of that request, and not to be asked of a provider again.
            StatusCode::PAYMENT_REQUIRED | StatusCode::UNPROCESSABLE_ENTITY => Left::Answer,
            status if status.is_success() => Left::Answer,
            status if status.is_client_error() => Left::Nothing,
            _ => Left::Work,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_up_to_their_length() {
        let is_kept = |type_chars: usize, bytes: usize| {
            let content_type = format!("text/{}", "x".repeat(type_chars - 5));
            let (head, _) = HttpResponse::Ok().content_type(content_type).finish().into_parts();
            matches!(answer(&head, &vec![b'x'; bytes].into()), Answer::Kept { body, .. } if body.len() == bytes)
        };
        assert!(is_kept(100, 65_536));
        assert!(!is_kept(101, 65_536));
        assert!(!is_kept(100, 65_537));
    }
}
