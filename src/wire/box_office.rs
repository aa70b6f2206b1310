//! The box office beside a gateway: a listener of its own. And the names by which its settings are known elsewhere, from the environment
//! or from a file `.env` in the folder where the shop is started.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

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
    let mut named = read(&fs::read_to_string(FILE).unwrap_or_default());
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

/// What the names say that is not in our configuration.
#[derive(Debug, Default)]
pub struct Named {
    pub log: Option<LogFilter>,
    pub log_file: Option<File>,
    /// Where a Redis is, which a shop in one process has no use for.
    pub is_told_of_redis: bool,
}

/// There is a box office, with what these names say; what is said in our own names goes over it.
pub fn named(config: &mut Config, said: &HashMap<String, String>) -> Result<Named, ConfigError> {
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
    let log = level.map(|level| level.parse().map_err(|_| wrong("LOG_LEVEL", level))).transpose()?;
    let log_file = told("LOG_FILE", "").map(|path| open_log(Path::new(path))).transpose()?;
    Ok(Named { log, log_file, is_told_of_redis: told("REDIS_URL", "").is_some() })
}

/// Lines are put behind those that are there; its folder is made where there is none.
fn open_log(path: &Path) -> Result<File, ConfigError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // As everything else that a shop writes: for its own user.
    let opened = folder.map_or(Ok(()), |folder| DirBuilder::new().recursive(true).mode(0o700).create(folder));
    let opened = opened.and_then(|()| File::options().append(true).create(true).mode(0o600).open(path));
    opened.map_err(|error| ConfigError::new(format!("LOG_FILE={}: {error}", path.display())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set(text: &str) -> Result<(Config, Named), ConfigError> {
        let mut config = Config::default();
        let named = named(&mut config, &read(text))?;
        Ok((config, named))
    }

    #[test]
    fn the_names_of_others_are_read() {
        let text = "# port\nPORT=4000\nLOG_LEVEL='warn'\n export PDF_OUTPUT_DIR=\"tickets\"\nPDF_CLEANUP_MAX_AGE_HOURS=2\nREDIS_URL=x\n";
        let (config, named) = set(text).unwrap();
        assert!(config.box_office.on && named.log == Some("warn".parse().unwrap()) && named.is_told_of_redis);
        assert_eq!(
            (config.box_office.listen.to_string().as_str(), config.box_office.cleanup_hours),
            ("127.0.0.1:4000", 2)
        );
        assert_eq!(config.embedded.archive.to_str(), Some("tickets"));
    }

    #[test]
    fn what_is_not_said_stays_and_our_own_names_go_over_it() {
        let (config, named) = set("PORT=\n#PORT=1\nLOG_FILE=\n").unwrap();
        assert_eq!((config.box_office.listen.port(), config.box_office.cleanup_hours), (3049, 24));
        assert!(named.log.is_none() && named.log_file.is_none() && !named.is_told_of_redis);
        let (config, _) = set("PORT=4000\nMIAOSHA__BOX_OFFICE__LISTEN=127.0.0.1:5000\n").unwrap();
        assert_eq!(config.box_office.listen.port(), 3049, "it was read before");
        for wrong in ["PORT=x", "PORT=70000", "PDF_CLEANUP_MAX_AGE_HOURS=-1", "LOG_LEVEL=loud"] {
            assert!(set(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_log_is_gone_on_with_or_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs").join("app.log");
        for said in ["one\n", "two\n"] {
            let (_, named) = set(&format!("LOG_FILE={}\n", path.display())).unwrap();
            std::io::Write::write_all(&mut named.log_file.unwrap(), said.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        let modes =
            [&path, path.parent().unwrap()].map(|made| fs::metadata(made).unwrap().permissions().mode() & 0o777);
        assert_eq!(modes, [0o600, 0o700]);
        let wrong = set(&format!("LOG_FILE={}\n", path.join("below-a-file").display())).unwrap_err().to_string();
        assert!(wrong.contains("LOG_FILE=") && wrong.contains("below-a-file"), "{wrong}");
    }
}
