//! Problems, as RFC 9457 writes them: types that each stand for one status, and members of their own where a type needs them.
//!
//! A problem tells its caller what to do next. What is wrong with our world is said in the log, never to the caller.

use std::borrow::Cow;

use actix_web::body::BoxBody;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use serde::Serialize;
use serde_json::{Map, Value};

pub use crate::kit::http::kind::{Kind, Rule};
use crate::kit::http::metric::Metric;
use crate::ports::Fault;

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What no extension member is named like.
const STANDARD: [&str; 6] = ["type", "title", "status", "detail", "instance", "field"];

pub const CONTENT_TYPE: &str = "application/problem+json";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub kind: Kind,
    pub detail: Cow<'static, str>,
    /// The path of the field that is to blame, such as `questions[1].answer`.
    pub field: Option<Cow<'static, str>>,
    /// Seconds. Every 429 and 503 has one: 1 unless something else is said.
    pub retry_after_s: Option<u32>,
    /// Of a client that tried too often.
    pub quota: Option<Quota>,
    /// Extension members (RFC 9457, section 3.2): what a kind says beside its words, for machines.
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

    /// An extension member.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        debug_assert!(!STANDARD.contains(&name), "`{name}` is a member of every problem");
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
        if self.kind == Kind::REQUEST_TIMEOUT {
            // What else comes of that body is not waited for.
            response.head_mut().set_connection_type(ConnectionType::Close);
        }
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
        if self.kind == Kind::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A part outside failed. The caller is told which, and may come again; what happened is said here, in the log, once.
impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        tracing::warn!(fault.part = fault.part, fault.what = %fault.what, "a request met a fault");
        Problem::new(Kind::UNAVAILABLE, format!("the {} does not answer", fault.part))
    }
}

/// Makes problems of what actix-web refuses by itself, and of routes that do not exist.
pub fn defaults(cfg: &mut ServiceConfig) {
    cfg.app_data(web::PathConfig::default().error_handler(|error, _| {
        Problem::field("path", Kind::INVALID, format!("the path cannot be read: {error}")).into()
    }))
    .app_data(web::QueryConfig::default().error_handler(|error, _| {
        Problem::field("query", Kind::INVALID, format!("the query cannot be read: {error}")).into()
    }))
    .default_service(web::to(not_found));
}

pub async fn not_found(_: HttpRequest) -> Problem {
    Problem::new(Kind::NOT_FOUND, "there is nothing at this path")
}

/// For the default service of a resource: the path is right, the method is not.
pub async fn method_not_allowed(_: HttpRequest) -> Problem {
    no_such_method()
}

pub fn no_such_method() -> Problem {
    Problem::new(Kind::METHOD_NOT_ALLOWED, "this path does not take this method")
}

impl actix_web::Responder for Problem {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse<BoxBody> {
        self.error_response()
    }
}
