//! The box office beside a gateway: a listener of its own. And the names by which its settings are known elsewhere, from the environment
//! or from a file `.env` in the folder where the shop is started.

use std::collections::HashMap;

use crate::app::receipts::Receipts;
use crate::faces::box_office::{self, BoxOffice};
use crate::faces::front::Front;
use crate::kit::http::answers;
use crate::kit::http::connections::Connections;
use crate::kit::http::server::{self, ServerSettings};
use crate::kit::process::Failure;
use crate::kit::telemetry::LogFilter;
use crate::kit::work::lifecycle::Lifecycle;
use crate::kit::work::settings::ConfigError;
use crate::wire::config::Config;
use crate::wire::gateway::Gateway;
use crate::wire::world::World;

const FILE: &str = ".env";

/// Serves it, if there is to be one, until the soft stop; a drain waits for the purchases that were begun.
pub fn serve(
    world: &World,
    gateway: &Gateway,
    receipts: &Receipts,
    config: &Config,
    connections: Connections,
    lifecycle: &Lifecycle,
) -> Result<(), Failure> {
    let settings = config.box_office.clone();
    if !settings.on {
        return Ok(());
    }
    let http = ServerSettings { listen: settings.listen, ..config.http.clone() };
    let office = BoxOffice::new(Front::clone(gateway), world.needs(), receipts.clone(), settings);
    let (address, server) = server::bind(&http, config.process.drain_ms_max, connections, move || {
        let office = office.clone();
        answers::app().configure(|cfg| box_office::routes(cfg, office))
    })?;
    tracing::info!(%address, "the box office is open");
    let (soft, hard) = (lifecycle.soft.clone(), lifecycle.hard.clone());
    lifecycle.supervise("box_office.listener", async move {
        if let Err(error) = server::serve(server, http.unready_ms, soft, hard).await {
            tracing::error!(%error, "the box office's listener failed");
        }
    });
    Ok(())
}

/// What the environment says, and for what it does not say, the file.
pub fn surroundings() -> HashMap<String, String> {
    let mut named = read(&std::fs::read_to_string(FILE).unwrap_or_default());
    named.extend(std::env::vars());
    named
}

/// Lines of a name, `=` and a value, which may stand in quotes. Whatever else is there says nothing.
fn read(text: &str) -> HashMap<String, String> {
    let line = |line: &str| {
        let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        (!name.starts_with('#')).then(|| (name.to_owned(), quoted.unwrap_or(value).to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// There is a box office, with what these names say; what is said in our own names goes over it. What is logged comes back.
pub fn named(config: &mut Config, said: &HashMap<String, String>) -> Result<Option<LogFilter>, ConfigError> {
    config.box_office.on = true;
    let told = |name: &str, own: &str| said.get(name).filter(|value| !value.is_empty() && !said.contains_key(own));
    let wrong = |name: &str, value: &str| ConfigError::new(format!("{name}={value}: that cannot be read"));
    if let Some(port) = told("PORT", "MIAOSHA__BOX_OFFICE__LISTEN") {
        config.box_office.listen.set_port(port.parse().map_err(|_| wrong("PORT", port))?);
    }
    if let Some(hours) = told("PDF_CLEANUP_MAX_AGE_HOURS", "MIAOSHA__BOX_OFFICE__CLEANUP_HOURS") {
        config.box_office.cleanup_hours = hours.parse().map_err(|_| wrong("PDF_CLEANUP_MAX_AGE_HOURS", hours))?;
    }
    if let Some(folder) = told("PDF_OUTPUT_DIR", "MIAOSHA__EMBEDDED__ARCHIVE") {
        config.embedded.archive = folder.into();
    }
    let level = told("LOG_LEVEL", "RUST_LOG");
    level.map(|level| level.parse().map_err(|_| wrong("LOG_LEVEL", level))).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<(Config, Option<LogFilter>), ConfigError> {
        let mut config = Config::default();
        let log = named(&mut config, &read(text))?;
        Ok((config, log))
    }

    #[test]
    fn the_names_of_others_are_read() {
        let text = "# port\nPORT=4000\nLOG_LEVEL='warn'\n export PDF_OUTPUT_DIR=\"tickets\"\nPDF_CLEANUP_MAX_AGE_HOURS=2\nREDIS_URL=x\n";
        let (config, log) = set(text).unwrap();
        assert!(config.box_office.on && log == Some("warn".parse().unwrap()));
        assert_eq!(
            (config.box_office.listen.to_string().as_str(), config.box_office.cleanup_hours),
            ("127.0.0.1:4000", 2)
        );
        assert_eq!(config.embedded.archive.to_str(), Some("tickets"));
    }

    #[test]
    fn what_is_not_said_stays_and_our_own_names_go_over_it() {
        let (config, log) = set("PORT=\n#PORT=1\n").unwrap();
        assert_eq!((config.box_office.listen.port(), config.box_office.cleanup_hours, log), (3049, 24, None));
        let (config, _) = set("PORT=4000\nMIAOSHA__BOX_OFFICE__LISTEN=127.0.0.1:5000\n").unwrap();
        assert_eq!(config.box_office.listen.port(), 3049, "it was read before");
        for wrong in ["PORT=x", "PORT=70000", "PDF_CLEANUP_MAX_AGE_HOURS=-1", "LOG_LEVEL=loud"] {
            assert!(set(wrong).is_err(), "{wrong}");
        }
    }
}
