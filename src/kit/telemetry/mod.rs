//! Logs, metrics and traces, set up once for the process.
//!
//! A log line is one JSON object on standard error; a person at a terminal gets plain lines, and warnings only, so that what a
//! command has to say is not lost among them. Never personal data, never a token.

mod log;
mod metric;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "without a way out nothing is sampled"))]
mod sampler;
mod settings;
#[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "without a way out spans are only passed on"))]
pub mod trace;
pub mod traced;

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::settings::ConfigError;

pub use metric::Metric;
pub use settings::TracingSettings;

/// Seconds: from half a millisecond, where a healthy answer lies, to ten seconds, where nobody waits any longer.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Counts of things in one piece of work, up to the largest batch.
const COUNTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// How often what histograms collected is folded into buckets; otherwise it would pile up between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

/// `RUST_LOG` decides what is said; unless it is set, `info`, or `warn` at a terminal. A second call changes nothing.
pub fn init_logs() {
    let for_a_person = std::io::stderr().is_terminal();
    let level = if for_a_person { "warn" } else { "info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // Fails when there is one already, which then stays.
    let _ = if for_a_person {
        tracing::subscriber::set_global_default(lines.compact().with_target(false).with_ansi(false).finish())
    } else {
        tracing::subscriber::set_global_default(lines.event_format(log::Lines).finish())
    };
}

/// What log lines and spans call this process; before the first of them.
pub fn name_service(name: &str) {
    log::name_service(name);
}

/// Exports what is traced until it is finished. Nothing when nothing is traced.
#[derive(Default)]
pub struct Exporter {
    #[cfg(feature = "otlp")]
    way: Option<otlp::Way>,
}

impl Exporter {
    /// Within the runtime that will carry it; from now on requests are sampled.
    #[cfg_attr(not(feature = "otlp"), expect(unused_variables, reason = "nothing is exported without a way out"))]
    pub fn start(settings: &TracingSettings, lifecycle: &Lifecycle) -> Result<Self, ConfigError> {
        settings.check()?;
        #[cfg(feature = "otlp")]
        if settings.is_on() {
            let way = otlp::Way::open(settings, log::service(), lifecycle)?;
            trace::install(trace::Tracer {
                sampler: sampler::Sampler::new(settings),
                traced_max: settings.traced_max,
                sink: Box::new(way.sink()),
            });
            return Ok(Self { way: Some(way) });
        }
        Ok(Self::default())
    }

    /// What waits goes out; what ends later is counted as dropped.
    pub async fn finish(self) {
        #[cfg(feature = "otlp")]
        if let Some(way) = self.way {
            way.finish().await;
        }
    }
}

/// Installs the process's recorder, or returns the one that is installed.
pub fn init_metrics() -> PrometheusHandle {
    METRICS
        .get_or_init(|| {
            PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
                .and_then(|builder| builder.set_buckets(&COUNTS))
                .expect("both lists of buckets are not empty")
                .install_recorder()
                .expect("nobody else in this process installs a recorder")
        })
        .clone()
}

/// For ever.
pub async fn keep_up(metrics: PrometheusHandle) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}
