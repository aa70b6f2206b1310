//! Spans leave the process by OTLP over HTTP. No work waits for it: what does not fit, or is not taken in time, is dropped and
//! counted, and the collector's absence is said once.

use std::time::Duration;

use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanExporter as _, SpanLinks};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::metric::Metric;
use super::settings::TracingSettings;
use super::trace::{Finished, Kind, Value};
use crate::domain::shared::trace::Trace;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::settings::ConfigError;

/// The way out, and its end.
pub(super) struct Way {
    spans: Sender<Finished>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Way {
    /// Within the runtime that will carry it.
    pub(super) fn open(
        settings: &TracingSettings,
        service: &'static str,
        lifecycle: &Lifecycle,
    ) -> Result<Self, ConfigError> {
        Metric::ALL.into_iter().for_each(Metric::describe);
        // So that a rate is known from the first one on.
        for why in ["full", "failed", "ended"] {
            metrics::counter!(Metric::Dropped.name(), "why" => why).increment(0);
        }
        let builder = SpanExporter::builder().with_http().with_protocol(Protocol::HttpBinary);
        let builder = builder.with_timeout(Duration::from_millis(settings.export_ms_max));
        let exporter = builder.with_endpoint(settings.endpoint()).build();
        let mut exporter = exporter.map_err(|error| ConfigError::new(format!("process.tracing.otlp_url: {error}")))?;
        let instance = format!("{:016x}", fastrand::u64(..));
        exporter.set_resource(
            &Resource::builder()
                .with_service_name(service)
                .with_attributes([
                    KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                    KeyValue::new("service.namespace", "miaosha"),
                    KeyValue::new("service.instance.id", instance),
                ])
                .build(),
        );
        let (spans, waiting) = channel(settings.queue_max);
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let carrier = Carrier { exporter, settings: settings.clone(), is_away: false };
        let (end, stopping) = (ended.clone().drop_guard(), stop.clone());
        lifecycle.accompany("traces", async move {
            carrier.run(waiting, stopping).await;
            drop(end);
        });
        Ok(Self { spans, stop, ended })
    }

    pub(super) fn sink(&self) -> impl Fn(Finished) + Send + Sync + 'static {
        let spans = self.spans.clone();
        let dropped = |why: &'static str| metrics::counter!(Metric::Dropped.name(), "why" => why).increment(1);
        move |span| match spans.try_send(span) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => dropped("full"),
            Err(TrySendError::Closed(_)) => dropped("ended"),
        }
    }

    /// Exports what waits, and takes nothing more.
    pub(super) async fn finish(self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }
}

struct Carrier {
    exporter: SpanExporter,
    settings: TracingSettings,
    is_away: bool,
}

impl Carrier {
    async fn run(mut self, mut waiting: Receiver<Finished>, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            self.gather(&mut waiting, &stop, &mut batch).await;
            if batch.is_empty() && stop.is_cancelled() {
                return;
            }
            if !batch.is_empty() {
                self.export(std::mem::take(&mut batch)).await;
            }
        }
    }

    /// Waits for a first one, and then for others, but not for long; at the end, not at all.
    async fn gather(&self, waiting: &mut Receiver<Finished>, stop: &CancellationToken, batch: &mut Vec<Finished>) {
        let batch_max = self.settings.batch_max;
        let gathered = async {
            waiting.recv_many(batch, batch_max).await;
            let until = Instant::now() + Duration::from_millis(self.settings.gather_ms);
            while batch.len() < batch_max {
                let left = batch_max - batch.len();
                if !matches!(timeout_at(until, waiting.recv_many(batch, left)).await, Ok(1..)) {
                    return;
                }
            }
        };
        if stop.run_until_cancelled(gathered).await.is_none() {
            waiting.close();
            while batch.len() < batch_max {
                let Ok(span) = waiting.try_recv() else { return };
                batch.push(span);
            }
        }
    }

    async fn export(&mut self, batch: Vec<Finished>) {
        let count = batch.len() as u64;
        let data = batch.into_iter().map(data).collect();
        let patience = Duration::from_millis(self.settings.export_ms_max);
        let error = match timeout(patience, self.exporter.export(data)).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("it did not answer in time".to_owned()),
        };
        match error {
            None => metrics::counter!(Metric::Exported.name()).increment(count),
            Some(_) => metrics::counter!(Metric::Dropped.name(), "why" => "failed").increment(count),
        }
        if error.is_some() != self.is_away {
            self.is_away = error.is_some();
            match error {
                Some(error) => {
                    tracing::warn!(%error, "the collector does not take spans: they are dropped, and counted")
                }
                None => tracing::info!("the collector takes spans again"),
            }
        }
    }
}

fn context(trace: Trace, is_remote: bool) -> SpanContext {
    let (id, span) = (TraceId::from(trace.id), SpanId::from(trace.span));
    SpanContext::new(id, span, TraceFlags::SAMPLED, is_remote, TraceState::default())
}

fn data(span: Finished) -> SpanData {
    let mut links = SpanLinks::default();
    links.links.extend(span.link.map(|trace| Link::with_context(context(trace, false))));
    let attribute = |(key, value)| match value {
        Value::Text(text) => KeyValue::new(key, text),
        Value::Number(number) => KeyValue::new(key, number),
    };
    SpanData {
        span_context: context(span.trace, false),
        parent_span_id: span.parent.map_or(SpanId::INVALID, SpanId::from),
        parent_span_is_remote: span.is_remote,
        span_kind: match span.kind {
            Kind::Internal => SpanKind::Internal,
            Kind::Server => SpanKind::Server,
            Kind::Client => SpanKind::Client,
            Kind::Producer => SpanKind::Producer,
            Kind::Consumer => SpanKind::Consumer,
        },
        name: span.name,
        start_time: span.begun,
        end_time: span.ended,
        attributes: span.attributes.into_iter().map(attribute).collect(),
        dropped_attributes_count: 0,
        events: Default::default(),
        links,
        status: if span.is_error { Status::error("") } else { Status::Unset },
        instrumentation_scope: InstrumentationScope::builder("miaosha").build(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_collector_may_take_so_long() {
        let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let otlp_url = format!("http://{}", silent.local_addr().unwrap());
        let settings = TracingSettings { otlp_url, export_ms_max: 700, ..TracingSettings::default() };
        let way = Way::open(&settings, "limits", &Lifecycle::new()).unwrap();
        way.sink()(Finished {
            trace: Trace { id: 1, span: 1 },
            parent: None,
            is_remote: false,
            name: "a span".into(),
            kind: Kind::Internal,
            begun: SystemTime::UNIX_EPOCH,
            ended: SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            link: None,
            is_error: false,
        });
        let begun = Instant::now();
        way.finish().await;
        assert_eq!(begun.elapsed().as_millis(), 700);
    }
}
