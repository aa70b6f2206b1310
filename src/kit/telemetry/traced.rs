//! What services tell of their work in a trace: requests, calls of the parts outside, and what is sent and received, named as
//! OpenTelemetry's semantic conventions have it. Never who a buyer is.

use std::sync::OnceLock;

use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::http::{Method, StatusCode};

use crate::domain::shared::trace::Mark;
use crate::kit::telemetry::trace::{self, Kind, Span};
use crate::ports::Result;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

static SYSTEMS: OnceLock<Systems> = OnceLock::new();

/// What the parts outside are, as the conventions name them.
#[derive(Debug, Clone, Copy)]
pub struct Systems {
    pub turnstile: &'static str,
    pub ledger: &'static str,
    /// What carries attempts.
    pub queue: &'static str,
    /// What wakes and tells.
    pub signals: &'static str,
}

/// Said once, where the adapters are chosen.
pub fn name_systems(systems: Systems) {
    let _ = SYSTEMS.set(systems);
}

/// A part outside that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Turnstile,
    Ledger,
    Payments,
}

/// What is sent from one process to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Attempts,
    Deadlines,
    Notices,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Part::Turnstile => "turnstile",
            Part::Ledger => "ledger",
            Part::Payments => "payments",
        }
    }

    fn system(self) -> Option<&'static str> {
        let systems = SYSTEMS.get()?;
        match self {
            Part::Turnstile => Some(systems.turnstile),
            Part::Ledger => Some(systems.ledger),
            Part::Payments => None,
        }
    }
}

impl Way {
    fn name(self) -> &'static str {
        match self {
            Way::Attempts => "attempts",
            Way::Deadlines => "deadlines",
            Way::Notices => "notices",
        }
    }

    fn system(self) -> Option<&'static str> {
        let systems = SYSTEMS.get()?;
        Some(if self == Way::Attempts { systems.queue } else { systems.signals })
    }
}

/// The span of a request, if it is traced; `route` is its path without what is particular in it.
pub fn server_span(method: &Method, route: &str, headers: &HeaderMap) -> Span {
    if !trace::is_on() {
        return Span::default();
    }
    let traceparent = headers.get(TRACEPARENT).and_then(|value| value.to_str().ok());
    let mut span = Span::entry(|| format!("{method} {route}"), traceparent);
    if !span.is_none() {
        span.set("http.request.method", method.to_string());
        span.set("http.route", route.to_owned());
    }
    span
}

pub fn record_status(span: &mut Span, status: StatusCode) {
    span.set("http.response.status_code", usize::from(status.as_u16()));
    if status.is_server_error() {
        span.fail(status.as_str().to_owned());
    }
}

/// The call of a part, told in the present trace.
pub async fn call<T>(part: Part, verb: &'static str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let mut span = Span::child(Kind::Client, || format!("{verb} {}", part.name()));
    if let (false, Some(system)) = (span.is_none(), part.system()) {
        span.set("db.system.name", system);
        span.set("db.operation.name", verb);
    }
    let result = span.around(work).await;
    if let Err(fault) = &result {
        span.fail(fault.part);
    }
    result
}

/// What is handed over, with the marks of those among it that are traced; what goes out carries the span's own.
pub fn sends(way: Way, count: usize, marks: &[Mark]) -> Span {
    message(way, Kind::Producer, "send", count, marks)
}

/// What was received with these marks.
pub fn processes(way: Way, count: usize, marks: &[Mark]) -> Span {
    message(way, Kind::Consumer, "process", count, marks)
}

fn message(way: Way, kind: Kind, operation: &'static str, count: usize, marks: &[Mark]) -> Span {
    let mut span = Span::of(kind, || format!("{operation} {}", way.name()), marks);
    if !span.is_none() {
        if let Some(system) = way.system() {
            span.set("messaging.system", system);
        }
        span.set("messaging.destination.name", way.name());
        span.set("messaging.operation.name", operation);
        span.set("messaging.operation.type", operation);
        span.set("messaging.batch.message_count", count);
    }
    span
}

/// What became of the work that a span is around.
pub fn record_error<T>(mut span: Span, result: Result<T>) -> Result<T> {
    if let Err(fault) = &result {
        span.fail(fault.part);
    }
    result
}
