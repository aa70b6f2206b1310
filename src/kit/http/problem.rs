//! Problems, as RFC 9457 writes them: a closed list of types, one status each.
//!
//! A problem tells its caller what to do next. What is wrong with our world is said in the log, never to the caller.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::kit::http::metric::Metric;
use crate::ports::Fault;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

pub const CONTENT_TYPE: &str = "application/problem+json";

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// Why a request was not met. The name is the last segment of the problem's `type`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$kind),*];

            pub fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Kind::$kind => StatusCode::$status,)* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Kind::$kind => $title,)* }
            }

            pub fn type_uri(self) -> &'static str {
                match self { $(Kind::$kind => concat!("/problems/", $name),)* }
            }
        }
    };
}

kinds! {
    Invalid = "invalid", BAD_REQUEST, "The request is not valid";
    Unauthorized = "unauthorized", UNAUTHORIZED, "A valid token is needed";
    Forbidden = "forbidden", FORBIDDEN, "This is not yours to do";
    NotFound = "not_found", NOT_FOUND, "There is no such thing";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This cannot be done here";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// The body never came, or came too slowly.
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "The request did not arrive in time";
    WrongAnswer = "wrong_answer", UNPROCESSABLE_ENTITY, "The answer is wrong";
    SaleNotOpen = "sale_not_open", CONFLICT, "The sale has not opened yet";
    SalePaused = "sale_paused", CONFLICT, "The sale is paused";
    SaleClosed = "sale_closed", CONFLICT, "The sale is closed";
    HoldLapsed = "hold_lapsed", CONFLICT, "The hold has lapsed";
    NotHeld = "not_held", CONFLICT, "The reservation is not held";
    CardDeclined = "card_declined", PAYMENT_REQUIRED, "The card was declined";
    /// What a sale asks for, and no payment provider of ours ever takes.
    Unpayable = "unpayable", UNPROCESSABLE_ENTITY, "The amount cannot be paid";
    KeyMissing = "idempotency_key_missing", BAD_REQUEST, "An Idempotency-Key is needed";
    /// The same request is being carried out.
    InFlight = "in_flight", CONFLICT, "The same request is under way";
    KeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "The key belongs to another request";
    EmailTaken = "email_taken", CONFLICT, "The address is taken";
    AlreadyAdmitted = "already_admitted", CONFLICT, "Somebody went in with it";
    /// It is good, at another sale's door.
    Elsewhere = "elsewhere", CONFLICT, "It is for another sale";
    /// Given back: it lets nobody in any more.
    Revoked = "revoked", GONE, "The unit was given back";
    /// What was asked does not fit what is there, and no narrower kind says so.
    Conflict = "conflict", CONFLICT, "This does not fit the present state";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "Too many requests";
    /// More is asked than can be taken in now.
    Busy = "busy", SERVICE_UNAVAILABLE, "Too busy; come again shortly";
    /// A part of our world is away.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Not available; come again shortly";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal;)*) => {
        /// What is wrong with a field, for a page that says it in its reader's language; `min` and `max` stand beside it where it has
        /// bounds.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            pub const ALL: &'static [Rule] = &[$(Rule::$rule),*];

            pub fn name(self) -> &'static str {
                match self { $(Rule::$rule => $name,)* }
            }
        }
    };
}

rules! {
    Missing = "missing";
    Unknown = "unknown";
    /// Of another type, such as a text where a number is wanted.
    Type = "type";
    Empty = "empty";
    /// Characters.
    Length = "length";
    /// Parts of a list.
    Count = "count";
    Range = "range";
    Control = "control_characters";
    /// Not later than what must come before it.
    Order = "order";
    Repeated = "repeated";
    Address = "address";
    /// It names something that is not there.
    NoSuch = "no_such";
    /// It was done before.
    Done = "done";
    TokenForm = "token_form";
    TokenKey = "token_key";
    TokenSignature = "token_signature";
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: Kind,
    pub detail: Cow<'static, str>,
    /// The path of the field that is to blame, such as `questions[1].answer`.
    pub field: Option<Cow<'static, str>>,
    /// Seconds. Every 429 and 503 has one: 1 unless something else is said.
    pub retry_after_s: Option<u32>,
    /// Of whoever tried too often.
    pub quota: Option<Quota>,
    /// What it also says, for machines.
    pub members: Option<Box<Map<String, Value>>>,
}

/// So many tries in each window; the next one after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    pub name: &'static str,
    pub tries_max: u32,
    pub window_s: u32,
    pub wait_s: u32,
}

#[derive(Serialize)]
struct Wire<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        let waits = matches!(kind.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        let retry_after_s = waits.then_some(1);
        Self { kind, detail: detail.into(), field: None, retry_after_s, quota: None, members: None }
    }

    pub fn field(field: impl Into<Cow<'static, str>>, kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(kind, detail) }
    }

    pub fn retry_after_s(self, seconds: u32) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    pub fn rule(self, rule: Rule) -> Self {
        self.with("rule", rule.name())
    }

    /// The bounds that the field keeps to.
    pub fn bounds(self, min: impl Into<Value>, max: impl Into<Value>) -> Self {
        self.with("min", min).with("max", max)
    }

    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    /// With the members of an object.
    pub fn with_facts(self, facts: &impl Serialize) -> Self {
        match serde_json::to_value(facts) {
            Ok(Value::Object(facts)) => facts.into_iter().fold(self, |problem, (name, fact)| problem.with(&name, fact)),
            _ => self,
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.detail)
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.status()
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let wire = Wire {
            r#type: self.kind.type_uri(),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            field: self.field.as_deref(),
            members: self.members.as_deref(),
        };
        if self.kind.status().is_server_error() {
            metrics::counter!(Metric::Faults.name(), "kind" => self.kind.name()).increment(1);
        }
        let body = serde_json::to_vec(&wire).expect("strings and numbers are always JSON");
        let mut response = HttpResponse::with_body(self.kind.status(), BoxBody::new(body));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(Quota { name, tries_max, window_s, wait_s }) = self.quota {
            let fields = [
                (RATE_LIMIT_POLICY, format!("\"{name}\";q={tries_max};w={window_s}")),
                (RATE_LIMIT, format!("\"{name}\";r=0;t={wait_s}")),
            ];
            for (field, text) in fields {
                headers.insert(field, HeaderValue::from_str(&text).expect("a name and numbers are ASCII"));
            }
        }
        if self.kind == Kind::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Our world failed. The caller hears which part, and may come again; what happened is said here, in the log, once.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        tracing::warn!(fault.part = fault.part, fault.what = %fault.what, "a request met a fault");
        Problem::new(Kind::Unavailable, format!("the {} does not answer", fault.part))
    }
}

/// Makes problems of what actix-web refuses by itself, and of routes that do not exist.
pub fn defaults(cfg: &mut ServiceConfig) {
    cfg.app_data(web::PathConfig::default().error_handler(|error, _| {
        Problem::field("path", Kind::Invalid, format!("the path cannot be read: {error}")).into()
    }))
    .app_data(web::QueryConfig::default().error_handler(|error, _| {
        Problem::field("query", Kind::Invalid, format!("the query cannot be read: {error}")).into()
    }))
    .default_service(web::to(not_found));
}

pub async fn not_found(_: HttpRequest) -> Problem {
    Problem::new(Kind::NotFound, "there is nothing at this path")
}

/// For the default service of a resource: the path is right, the method is not.
pub async fn method_not_allowed(_: HttpRequest) -> Problem {
    no_such_method()
}

pub fn no_such_method() -> Problem {
    Problem::new(Kind::MethodNotAllowed, "this path does not take this method")
}

impl actix_web::Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        self.error_response()
    }
}
