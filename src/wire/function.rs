//! What both functions begin with: logs, the configuration, a runtime of one thread.

use std::process::ExitCode;

use crate::kit::process::Failure;
use crate::kit::process::config;
use crate::kit::telemetry::{self, Logs};
use crate::wire::config::Config;

pub fn main<F>(name: &'static str, live: impl FnOnce(Config) -> F) -> ExitCode
where
    F: Future<Output = Result<(), Failure>>,
{
    telemetry::name_service(name);
    telemetry::init_logs(Logs::default());
    let config: Config = match config::load(None) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{name}: {error}");
            return ExitCode::from(2);
        }
    };
    telemetry::introduce(name, &config);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "no runtime");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(live(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended by a failure");
            ExitCode::FAILURE
        }
    }
}
