//! How traces are sampled and where they go.

use serde::Deserialize;

use crate::domain::shared::trace::MARKS_MAX;
use crate::kit::work::settings::ConfigError;

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TracingSettings {
    /// Where a collector takes OTLP over HTTP, as `http://host:4318`, with or without a path; empty: nothing is traced. What it
    /// asks to be told in headers comes from the environment, as OTEL_EXPORTER_OTLP_HEADERS.
    pub otlp_url: String,
    /// The share of requests that this process begins a trace for.
    pub sample_ratio: f64,
    /// Traces that this process begins by itself in a second, however many requests come.
    pub begun_per_s_max: u32,
    /// Requests in a second that are traced because their `traceparent` asks for it; others are treated as if it were absent.
    pub asked_per_s_max: u32,
    /// Traced attempts in one batch; never more than 64. The traces of others end with their batch.
    pub traced_max: usize,
    /// Spans that wait to be exported; beyond them they are dropped, and counted.
    pub queue_max: usize,
    /// Spans in one export.
    pub batch_max: usize,
    /// How long spans are gathered for an export.
    pub gather_ms: u64,
    /// How long one export may take; then its spans are dropped, and counted.
    pub export_ms_max: u64,
}

impl Default for TracingSettings {
    fn default() -> Self {
        Self {
            otlp_url: String::new(),
            sample_ratio: 0.001,
            begun_per_s_max: 10,
            asked_per_s_max: 2,
            traced_max: 8,
            queue_max: 4_096,
            batch_max: 512,
            gather_ms: 1_000,
            export_ms_max: 5_000,
        }
    }
}

impl TracingSettings {
    pub fn is_on(&self) -> bool {
        !self.otlp_url.is_empty()
    }

    /// The whole address: the usual path where none is named.
    pub fn endpoint(&self) -> String {
        let url = self.otlp_url.trim_end_matches('/');
        let authority = url.strip_prefix("http://").unwrap_or(url);
        if authority.contains('/') { url.to_owned() } else { format!("{url}/v1/traces") }
    }

    pub fn check(&self) -> Result<(), ConfigError> {
        let wrong = |what: &str| Err(ConfigError::new(format!("process.tracing.{what}")));
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return wrong("sample_ratio is from 0 to 1");
        }
        if !(1..=MARKS_MAX).contains(&self.traced_max) {
            return wrong(&format!("traced_max is from 1 to {MARKS_MAX}"));
        }
        if self.queue_max == 0 || self.batch_max == 0 {
            return wrong("queue_max and batch_max are at least 1");
        }
        if !self.is_on() {
            return Ok(());
        }
        let Some(rest) = self.otlp_url.strip_prefix("http://") else {
            return wrong(
                "otlp_url begins with http://: a collector beside us takes spans and carries them on over TLS",
            );
        };
        if rest.contains('@') {
            return wrong("otlp_url has no user in it: it is logged; headers come from OTEL_EXPORTER_OTLP_HEADERS");
        }
        if cfg!(not(feature = "otlp")) {
            return wrong("otlp_url is set, and this binary was built without the feature `otlp`");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::TracingSettings;

    #[test]
    fn a_collector_without_a_path_has_the_usual_one() {
        for (url, endpoint) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
            ("http://collector/otlp/traces", "http://collector/otlp/traces"),
        ] {
            let settings = TracingSettings { otlp_url: url.to_owned(), ..TracingSettings::default() };
            assert_eq!(settings.endpoint(), endpoint);
        }
    }
}
