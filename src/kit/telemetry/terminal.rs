//! A log line for a person at a terminal: the time of day (UTC), how grave it is, what it says, and its fields behind it.

use std::fmt;

use serde_json::Value;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::log::Said;

/// Where the time of day stands in a timestamp such as `2026-01-02T03:04:05.678901Z`.
const TIME_OF_DAY: std::ops::Range<usize> = 11..19;

const DIM: &str = "2";
const BOLD: &str = "1";

pub(super) struct Lines {
    pub(super) colours: bool,
}

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut at = String::new();
        SystemTime.format_time(&mut Writer::new(&mut at))?;
        let mut fields = Said::by(event).0;
        let message = fields.remove("message");
        self.put(&mut writer, DIM, at.get(TIME_OF_DAY).unwrap_or(&at))?;
        let level = *event.metadata().level();
        self.put(&mut writer, colour(level), &format!(" {level:<5} "))?;
        self.put(&mut writer, if level <= Level::WARN { BOLD } else { "" }, text(message.as_ref()))?;
        for (key, value) in &fields {
            self.put(&mut writer, DIM, &format!("  {key}="))?;
            match value {
                Value::String(text) if !text.is_empty() && !text.contains([' ', '"']) => write!(writer, "{text}")?,
                value => write!(writer, "{value}")?,
            }
        }
        writeln!(writer)
    }
}

impl Lines {
    /// `look` is a code of the terminal's (SGR); empty for none.
    fn put(&self, writer: &mut Writer<'_>, look: &str, text: &str) -> fmt::Result {
        match self.colours && !look.is_empty() {
            true => write!(writer, "\x1b[{look}m{text}\x1b[0m"),
            false => write!(writer, "{text}"),
        }
    }
}

fn text(message: Option<&Value>) -> &str {
    message.and_then(Value::as_str).unwrap_or_default()
}

fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "31",
        Level::WARN => "33",
        Level::INFO => "32",
        Level::DEBUG => "34",
        Level::TRACE => "35",
    }
}
