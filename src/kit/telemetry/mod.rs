//! Logs, metrics and traces, set up once for the process.
//!
//! A log line on standard error is one JSON object; at a terminal, where a person reads it, it is short and coloured. Never
//! personal data, never a token.

mod log;
mod metric;
#[cfg(feature = "otlp")]
mod otlp;
#[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "without a way out nothing is sampled"))]
mod sampler;
mod settings;
mod terminal;
#[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "without a way out spans are only passed on"))]
pub mod trace;
pub mod traced;

use std::fmt::Debug;
use std::fs::File;
use std::io::IsTerminal;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, fmt};

use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::settings::ConfigError;

pub use metric::Metric;
pub use settings::TracingSettings;

/// Seconds: from half a millisecond, where a healthy answer lies, to ten seconds, where no client waits any longer.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Counts of things in one piece of work, up to the largest batch.
const COUNTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// How often what histograms collected is folded into buckets; otherwise it would pile up between two scrapes.
const UPKEEP: Duration = Duration::from_secs(5);

static METRICS: OnceLock<PrometheusHandle> = OnceLock::new();

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Of the sources, as the build was told.
const REVISION: &str = match option_env!("MIAOSHA_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};
const COMPILER: &str = env!("MIAOSHA_COMPILER");

/// The library that reads requests writes a line of each that is none, so that strangers would write our log. They are counted instead.
/// Who names it in a filter gets its lines.
const STRANGERS: &str = "actix_http";

/// Which lines are logged: a level, or a filter in the form of `RUST_LOG`. At `debug` and `trace` only our own lines become more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFilter(String);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let filter = match text.parse::<LevelFilter>() {
            // Would be read as `error`.
            _ if text.is_empty() => return Err("neither a level nor a filter is named".to_owned()),
            Ok(level) if level > LevelFilter::INFO => format!("info,miaosha={level}"),
            Ok(level) => level.to_string(),
            // A name alone would be taken for a module's.
            Err(_) if !text.contains('=') => return Err(format!("{text:?} is neither a level nor a filter")),
            Err(_) => text.to_owned(),
        };
        let filter = without_strangers(&filter);
        match EnvFilter::try_new(&filter) {
            Ok(_) => Ok(Self(filter)),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn without_strangers(filter: &str) -> String {
    match filter.trim() {
        named if named.contains(STRANGERS) => named.to_owned(),
        // As the library has it that reads filters.
        "" => format!("error,{STRANGERS}=off"),
        filter => format!("{filter},{STRANGERS}=off"),
    }
}

/// What is logged, and where.
#[derive(Debug, Default)]
pub struct Logs {
    /// Decides what is logged, else `RUST_LOG`, else it is `info`.
    pub filter: Option<LogFilter>,
    /// Has every line of standard error as well, always as JSON.
    pub file: Option<File>,
}

/// A second call changes nothing.
pub fn init_logs(Logs { filter, file }: Logs) {
    let from_environment = || std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let said = match filter {
        Some(LogFilter(filter)) => Some(filter),
        None => from_environment().map(|filter| without_strangers(&filter)),
    };
    let filter = said.and_then(|filter| EnvFilter::try_new(filter).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(without_strangers("info")));
    let file = file.map(|file| fmt::layer().event_format(log::Lines).with_writer(Arc::new(file)));
    let logged = tracing_subscriber::registry().with(filter).with(file);
    let lines = fmt::layer().with_writer(std::io::stderr);
    // Fails when there is one already, which then stays.
    let is_first = if is_read_by_a_person() {
        let no_colours = std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty());
        let format = terminal::Lines { colours: !no_colours };
        tracing::subscriber::set_global_default(logged.with(lines.event_format(format)))
    } else {
        tracing::subscriber::set_global_default(logged.with(lines.event_format(log::Lines)))
    };
    if is_first.is_ok() {
        std::panic::set_hook(Box::new(log::panicked));
    }
}

fn is_read_by_a_person() -> bool {
    std::io::stderr().is_terminal()
}

/// The first line of a process. Its configuration is logged beside it, at a terminal only at `debug`.
pub fn introduce(service: &str, config: &impl Debug) {
    tracing::info!(service, version = VERSION, revision = REVISION, compiler = COMPILER, "starting");
    match is_read_by_a_person() {
        true => tracing::debug!(?config, "configured"),
        false => tracing::info!(?config, "configured"),
    }
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
                .expect("a process installs no other recorder")
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
