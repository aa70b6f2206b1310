//! The process kit: what every binary does once, in one order.
//!
//! Configuration, logs, metrics, signals, the inner server, then the binary's own part; at the end the drain and the exit code:
//! 0 for a clean end, 1 when the service failed, 2 when it could not start or what was left had to be dropped, and
//! [`TASK_FAILED`] when a task broke that the process cannot do without.

pub mod config;
pub mod descriptors;
pub mod faults;
pub mod metric;

use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use clap::Parser;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::de::DeserializeOwned;

use crate::kit::http::probes::{self, Readiness};
use crate::kit::process::config::ProcessSettings;
use crate::kit::process::faults::Panics;
use crate::kit::telemetry;
use crate::kit::telemetry::{LogFilter, Logs};
use crate::kit::work::lifecycle::{Ended, Failure as TaskFailure, Lifecycle};

/// The exit code of a process one of whose long tasks panicked, or ended by itself. Its supervisor starts it again.
pub const TASK_FAILED: u8 = 70;

/// The configuration of a whole binary. Its `Debug` is logged at start, so secrets in it are `SecretString`s.
pub trait BinaryConfig: DeserializeOwned + Debug + Send + 'static {
    fn process(&self) -> &ProcessSettings;
}

/// What the binary's own part is given.
pub struct Process<C> {
    pub config: C,
    pub lifecycle: Lifecycle,
    pub readiness: Readiness,
    pub metrics: PrometheusHandle,
    /// Where the inner server listens: the port was taken once, and was nobody else's in between.
    pub inner_address: SocketAddr,
    /// Connections from outside that there is room for.
    pub connections_max: usize,
}

/// Whatever kept a service from going on, in words for the log.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Args {
    /// The configuration file; the environment (MIAOSHA__TABLE__KEY) goes over it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What is logged: a level such as `debug`, or a filter as RUST_LOG has it, which it goes over.
    #[arg(long, value_name = "LEVEL")]
    log: Option<LogFilter>,
}

/// The whole `main` of a binary that is nothing but a service. `part` says `readiness.started()` when it serves, and returns
/// when `lifecycle.soft` is cancelled and its own work is done.
pub fn service_main<C, F, Fut>(name: &'static str, part: F) -> ExitCode
where
    C: BinaryConfig,
    F: FnOnce(Process<C>) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let args = Args::parse();
    match config::load(args.config.as_deref()) {
        Ok(config) => run(name, Logs { filter: args.log, file: None }, config, |_| {}, part),
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(2)
        }
    }
}

/// [`service_main`] for a binary that has read its arguments and configuration itself; `inner` adds routes to the inner server.
pub fn run<C, F, Fut>(
    name: &'static str,
    logs: Logs,
    config: C,
    inner: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    part: F,
) -> ExitCode
where
    C: BinaryConfig,
    F: FnOnce(Process<C>) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    telemetry::name_service(name);
    telemetry::init_logs(logs);
    let metrics = telemetry::init_metrics();
    let settings = config.process().clone();
    telemetry::introduce(name, &config);
    let connections_max = descriptors::raise();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if settings.threads > 0 {
        builder.worker_threads(settings.threads);
    }
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::from(2);
        }
    };
    let code = runtime.block_on(live(name, config, settings, (metrics, connections_max), inner, part));
    // Whatever still blocks a thread is not waited for: everything that mattered was on the tracker.
    runtime.shutdown_background();
    code
}

async fn live<C, F, Fut>(
    name: &'static str,
    config: C,
    settings: ProcessSettings,
    (metrics, connections_max): (PrometheusHandle, usize),
    inner: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    part: F,
) -> ExitCode
where
    F: FnOnce(Process<C>) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let panics = settings.faults.then(Arc::<Panics>::default);
    let lifecycle = panics.clone().map_or_else(Lifecycle::new, Lifecycle::with_panics);
    let exporter = match telemetry::Exporter::start(&settings.tracing, &lifecycle) {
        Ok(exporter) => exporter,
        Err(error) => {
            tracing::error!(%error, "cannot start");
            return ExitCode::from(2);
        }
    };
    let readiness = Readiness::new(lifecycle.soft.clone());
    lifecycle.accompany("signals", {
        let lifecycle = lifecycle.clone();
        async move { lifecycle.hear_signals().await }
    });
    lifecycle.accompany("metrics", telemetry::keep_up(metrics.clone()));
    let routes = move |cfg: &mut ServiceConfig| {
        inner(cfg);
        panics.iter().for_each(|panics| faults::routes(cfg, Data::from(panics.clone())));
    };
    let inner_address = match probes::bind(settings.inner_listen, readiness.clone(), metrics.clone(), routes) {
        Ok((address, server)) => {
            tracing::info!(service = name, %address, "the inner server listens");
            lifecycle.accompany("inner_server", async move {
                if let Err(error) = server.await {
                    tracing::error!(%error, "the inner server failed");
                }
            });
            address
        }
        Err(error) => {
            tracing::error!(%error, address = %settings.inner_listen, "the inner server cannot listen");
            return ExitCode::from(2);
        }
    };
    let work = async {
        let process =
            Process { config, lifecycle: lifecycle.clone(), readiness, metrics, inner_address, connections_max };
        let result = tokio::select! {
            result = lifecycle.main(async move { part(process).await }) => result,
            () = lifecycle.hard.cancelled() => None,
        };
        let drained = lifecycle.drain().await;
        // Within the drain's time: the hard stop ends it, too.
        let _ = lifecycle.hard.run_until_cancelled(exporter.finish()).await;
        (result, drained)
    };
    let (result, drained) = tokio::select! {
        ended = work => ended,
        never = lifecycle.cut_drain(settings.drain_ms_max) => match never {},
    };
    // Ends what only accompanied it.
    lifecycle.hard.cancel();
    exit(name, lifecycle.failure(), result, drained)
}

/// A panic is why everything behind it failed; a service that failed may have ended tasks that it kept.
fn exit(
    name: &'static str,
    failure: Option<TaskFailure>,
    result: Option<Result<(), Failure>>,
    drained: bool,
) -> ExitCode {
    match (failure, result) {
        (Some(TaskFailure { task, how: Ended::Panicked }), _)
        | (Some(TaskFailure { task, .. }), None | Some(Ok(()))) => {
            tracing::error!(service = name, task, drained, "ended because a task failed");
            ExitCode::from(TASK_FAILED)
        }
        (_, Some(Err(error))) => {
            tracing::error!(service = name, %error, "ended by a failure");
            ExitCode::FAILURE
        }
        (None, Some(Ok(()))) if drained => {
            tracing::info!(service = name, "ended");
            ExitCode::SUCCESS
        }
        (None, None | Some(Ok(()))) => {
            tracing::error!(service = name, "ended with work left");
            ExitCode::from(2)
        }
    }
}
