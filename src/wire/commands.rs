//! How an operator's command reaches a shop: the running one by its inner port, a folder that no process uses, or the cluster that
//! the environment names.

use std::convert::Infallible;
use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use serde_json::Value;
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::adapters::sql::sqlite::SqliteStore;
use crate::adapters::tls::Trust;
use crate::app::operator::{self, Command, CommandError};
use crate::faces::tokens::TokenKeys;
use crate::kit::http::auth;
use crate::kit::http::body;
use crate::kit::http::problem::{Kind, Problem, method_not_allowed};
use crate::kit::process::Failure;
use crate::kit::process::config;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::platform::tasks::AnyTasks;
use crate::wire::config::{Config, EmbeddedConfig};
use crate::wire::folder::{self, ShopFacts};
use crate::wire::servers::Servers;
use crate::wire::{call, cluster, operators, provider, shop};
use crate::workers::relay::{self, Relay};

/// A server that is away for longer is not waited for: the operator wants to know why.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(15);
/// Bytes of one command: the largest has a seating plan in it.
const COMMAND_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The running shop's route for commands, on its inner port, for callers that can read the folder's secret.
#[derive(Clone)]
pub struct Commands {
    secret: Arc<str>,
    needs: Arc<OnceLock<operator::Needs>>,
}

impl Commands {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { secret: folder::random_hex(16)?.into(), needs: Arc::default() })
    }

    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// However much of it is right, the answer takes as long.
    fn is_secret(&self, given: &str) -> bool {
        given.as_bytes().ct_eq(self.secret.as_bytes()).into()
    }

    pub fn serve(&self, needs: operator::Needs) {
        // Set once: a process has one shop.
        let _ = self.needs.set(needs);
    }

    pub fn routes(&self, cfg: &mut ServiceConfig) {
        let commands = web::resource("/commands").route(web::post().to(take_command));
        cfg.app_data(web::Data::new(self.clone())).service(commands.default_service(web::to(method_not_allowed)));
    }
}

async fn take_command(
    req: HttpRequest,
    payload: web::Payload,
    commands: web::Data<Commands>,
) -> Result<HttpResponse, Problem> {
    if !commands.is_secret(auth::bearer(&req)?) {
        return Err(Problem::new(Kind::UNAUTHORIZED, "the secret is in the shop's folder"));
    }
    let command: Command = body::json(&req, &mut payload.into_inner(), COMMAND_BYTES_MAX).await?;
    let needs = commands.needs.get().ok_or_else(|| Problem::new(Kind::UNAVAILABLE, "the shop is still starting"))?;
    match operator::carry_out(needs, operators::checked(command)?).await {
        Ok(answer) => Ok(HttpResponse::Ok().json(answer)),
        Err(CommandError::Refused(why)) => Err(Problem::new(Kind::INVALID, why)),
        Err(CommandError::Fault(fault)) => Err(Problem::new(Kind::UNAVAILABLE, fault.to_string())),
    }
}

/// Carries out a command and prints its answer. `state` is a shop's folder; without one the cluster is meant.
pub fn run(state: Option<PathBuf>, command: Command, json: bool) -> ExitCode {
    let is_audit = matches!(command, Command::Audit { .. } | Command::CheckJournal);
    match one_shot(answer(state, command)) {
        Ok(answer) => {
            if is_audit {
                println!("{}", operator::audit_in_words(&answer));
            }
            if json {
                println!("{answer}");
            }
            if is_audit && answer["pass"] != true { ExitCode::FAILURE } else { ExitCode::SUCCESS }
        }
        Err(error) => failed(&error),
    }
}

/// Removes what is over, as this command's own configuration says, or only counts it.
pub fn tend(state: Option<PathBuf>, dry_run: bool) -> ExitCode {
    match config::load::<Config>(None) {
        Ok(config) => run(state, Command::Tend { dry_run, settings: config.tender }, true),
        Err(error) => failed(&error),
    }
}

/// Brings a ledger's schema up to date.
pub fn migrate(state: Option<PathBuf>) -> ExitCode {
    let migrated = one_shot(async move {
        match state {
            Some(state) => {
                let _lock = folder::lock(&state)?;
                SqliteStore::open(&state.join("ledger.sqlite"), tasks()).await?.migrate().await?;
            }
            None => {
                let config: Config = config::load(None)?;
                Servers::of(&config)?.mysql(1).await?.migrate().await?;
            }
        }
        Ok(())
    });
    match migrated {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Prints what a socket gateway is given of the keys that the environment names: their public halves.
pub fn public_keys() -> ExitCode {
    let listed = || -> Result<String, Failure> {
        let config: Config = config::load(None)?;
        Ok(TokenKeys::parse(config.token_keys.expose_secret())?.access().listed())
    };
    match listed() {
        Ok(listed) => {
            println!("{listed}");
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

pub fn failed(error: &dyn Display) -> ExitCode {
    eprintln!("miaosha: {error}");
    ExitCode::from(2)
}

/// Unsupervised: a command that waits for one that broke gets a fault.
fn tasks() -> AnyTasks {
    Lifecycle::new().tasks()
}

pub fn one_shot<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

pub async fn answer(state: Option<PathBuf>, command: Command) -> Result<Value, Failure> {
    let command = operators::checked(command)?;
    let Some(state) = state else {
        let config: Config = config::load(None)?;
        // It asks the provider what it has.
        if matches!(command, Command::Audit { .. } | Command::Tend { .. }) {
            provider::check(&config)?;
        }
        let over = CancellationToken::new();
        let (world, _) = tokio::select! {
            connected = cluster::connect(&config, &over, tasks()) => connected?,
            never = give_up(&over) => match never {},
        };
        return Ok(operator::carry_out(&world.needs(), command).await?);
    };
    if !state.is_dir() {
        return Err(format!("there is no shop in {}", state.display()).into());
    }
    match folder::lock(&state) {
        Ok(_lock) => {
            let config: Config = config::load(None)?;
            let embedded = EmbeddedConfig { state, ..config.embedded };
            let world = shop::open(&embedded, &config.stripe, config.payments.sandbox_books, tasks()).await?;
            // Turnstiles in memory are gone with the process that had them.
            operator::restore_all(&world.needs()).await?;
            // And no other process publishes what was committed last.
            Relay::new(world.needs(), relay::Settings::default()).drain().await?;
            Ok(operator::carry_out(&world.needs(), command).await?)
        }
        Err(_) => send(&ShopFacts::read(&state)?, &command).await,
    }
}

async fn send(facts: &ShopFacts, command: &Command) -> Result<Value, Failure> {
    let trust = Trust::new("")?;
    let (status, answer) = call::post(&facts.inner_url, &trust, "/commands", &facts.secret, &object(command)?).await?;
    let answer: Value = serde_json::from_slice(&answer)?;
    if status.is_success() {
        Ok(answer)
    } else {
        Err(answer["detail"].as_str().unwrap_or("the shop refused").to_owned().into())
    }
}

/// A body is an object, also of a command that is nothing but its name.
fn object(command: &Command) -> Result<Value, Failure> {
    Ok(match serde_json::to_value(command)? {
        Value::String(name) => Value::Object([(name, Value::Null)].into_iter().collect()),
        whole => whole,
    })
}

/// Ends what waits for servers, after its time.
async fn give_up(over: &CancellationToken) -> Infallible {
    tokio::time::sleep(CONNECT_WAIT_MAX).await;
    over.cancel();
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_whole_of_it() {
        let commands = Commands { secret: "0123abcd".into(), needs: Arc::default() };
        assert!(commands.is_secret("0123abcd"));
        for near in ["", "0", "0123abc", "0123abcde", "1123abcd", "0123abce", "0123ABCD", " 0123abcd"] {
            assert!(!commands.is_secret(near), "{near}");
        }
    }

    #[test]
    fn every_command_is_sent_as_an_object() {
        for command in
            [Command::Parked, Command::Replay, Command::Operators, Command::Seed { sales: 1, capacity: 2, free: false }]
        {
            let sent = object(&command).expect("a command is JSON").to_string();
            assert!(sent.starts_with('{'), "{sent}");
            let read: Command = body::parse(sent.as_bytes()).expect("what is sent is read");
            assert_eq!(object(&read).expect("a command is JSON").to_string(), sent);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_waits_so_long_for_its_servers() {
        let over = CancellationToken::new();
        let ends_within = async |ms| {
            let given_up = tokio::time::timeout(Duration::from_millis(ms), give_up(&over)).await;
            given_up.is_err() && over.is_cancelled()
        };
        assert!(!ends_within(14_999).await);
        assert!(ends_within(15_000).await);
    }
}
