//! A log line is one JSON object: when, how grave, of which service, in which trace, then what it says. Never personal data,
//! never a token.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::trace;

static SERVICE: OnceLock<String> = OnceLock::new();

/// Before the first line.
pub(super) fn name_service(name: &str) {
    let _ = SERVICE.set(name.to_owned());
}

/// The name it was given, else the program's.
pub(super) fn service() -> &'static str {
    SERVICE.get_or_init(|| {
        let program = std::env::current_exe().ok();
        let name = program.as_deref().and_then(std::path::Path::file_stem).and_then(|name| name.to_str());
        name.unwrap_or("miaosha").to_owned()
    })
}

/// A panic is a line like any other, wherever it happens.
pub(super) fn panicked(panic: &PanicHookInfo<'_>) {
    let said = panic.payload_as_str().unwrap_or("(no text)");
    let location = panic.location().map_or_else(String::new, ToString::to_string);
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => tracing::error!(panic = said, location, %backtrace, "panicked"),
        _ => tracing::error!(panic = said, location, "panicked"),
    }
}

pub(super) struct Lines;

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut at = String::new();
        SystemTime.format_time(&mut Writer::new(&mut at))?;
        let said = Said::by(event);
        let meta = event.metadata();
        write!(writer, "{{\"timestamp\":\"{at}\",\"level\":\"{}\",\"service\":{}", meta.level(), json(service()))?;
        if let Some(trace) = trace::current() {
            write!(writer, ",\"trace_id\":\"{:032x}\",\"span_id\":\"{:016x}\"", trace.id, trace.span)?;
        }
        for (key, value) in &said.0 {
            // What every line has is not said twice.
            if !["timestamp", "level", "service", "trace_id", "span_id", "target"].contains(&key.as_str()) {
                write!(writer, ",{}:{value}", json(key))?;
            }
        }
        writeln!(writer, ",\"target\":{}}}", json(meta.target()))
    }
}

fn json(text: &str) -> Value {
    Value::from(text)
}

/// An event's fields.
pub(super) struct Said(pub Map<String, Value>);

impl Said {
    pub(super) fn by(event: &Event<'_>) -> Self {
        let mut said = Self(Map::new());
        event.record(&mut said);
        said
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Said {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
}
