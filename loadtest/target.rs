//! What is loaded: an embedded shop that this run starts itself, the fleet of a state file, or a URL.

#[path = "kills.rs"]
mod kills;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use miaosha::faces::tokens::TokenKeys;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::client::authority;

/// What a shop of this run is told beside, in its folder: a line for each setting, whenever it is started.
const SHOP_ENV: &str = "shop.env";
/// How long a part may take to be ready again.
const START_WAIT_MAX: Duration = Duration::from_secs(60);

pub struct Target {
    pub publishers: Vec<String>,
    pub gateways: Vec<String>,
    /// Publishers that must know a sale before the rush.
    pub news_at: Vec<String>,
    /// Where sockets are asked for, and the keys as the shop reads them; only of a target that was started with sockets.
    pub sockets: Vec<String>,
    pub key_text: String,
    pub keys: Arc<TokenKeys>,
    world: Running,
}

enum Running {
    Embedded { state: PathBuf, shop: Option<Child>, lean: Option<String>, keep: bool },
    Fleet { state: PathBuf, parts: Vec<Part>, env: Vec<(String, String)> },
    Elsewhere,
}

#[derive(Clone)]
struct Part {
    name: String,
    kind: String,
    port: Option<u64>,
    inner: Option<String>,
    start: Vec<String>,
}

impl Target {
    /// A new shop in a temporary folder, with these settings; `lean` is where it listens for sockets alone.
    pub async fn embedded(lean: Option<String>, settings: &str) -> Result<Self, String> {
        let chance = getrandom::u64().map_err(|error| error.to_string())?;
        let state = std::env::temp_dir().join(format!("miaosha-loadtest-{chance:016x}"));
        std::fs::create_dir(&state).map_err(|error| error.to_string())?;
        std::fs::write(state.join(SHOP_ENV), settings).map_err(|error| error.to_string())?;
        let shop = start_shop(&state, "127.0.0.1:0", lean.as_deref()).await?;
        let facts = shop_facts(&state)?;
        let url = authority(text(&facts, "url")?)?;
        let keys = std::fs::read_to_string(state.join("token.keys")).map_err(|error| error.to_string())?;
        Ok(Self {
            publishers: vec![url.clone()],
            news_at: vec![url.clone()],
            gateways: vec![url],
            sockets: lean.iter().cloned().collect(),
            key_text: keys.trim().to_owned(),
            keys: Arc::new(TokenKeys::parse(keys.trim()).map_err(|error| error.to_string())?),
            world: Running::Embedded { state, shop: Some(shop), lean, keep: false },
        })
    }

    /// The fleet that `make fleet` started in this folder, or its front.
    pub fn fleet(state: &Path, front: bool) -> Result<Self, String> {
        let read = |name: &str| {
            std::fs::read_to_string(state.join(name))
                .map_err(|error| format!("{}: {error}; is a fleet up? (make fleet)", state.join(name).display()))
        };
        let facts: Value = serde_json::from_str(&read("state.json")?).map_err(|error| error.to_string())?;
        let env = env_of(&read("fleet.env")?);
        let keys = env
            .iter()
            .find(|(name, _)| name == "MIAOSHA__TOKEN_KEYS")
            .ok_or("the fleet's environment names no token keys")?;
        let urls = |kind: &str| -> Result<Vec<String>, String> {
            let parts = facts["parts"].as_array().into_iter().flatten().filter(|part| part["kind"] == kind);
            parts.map(|part| authority(text(part, "url")?)).collect()
        };
        let part = |part: &Value| -> Result<Part, String> {
            let start = part["start"].as_array().into_iter().flatten();
            Ok(Part {
                name: text(part, "name")?.to_owned(),
                kind: text(part, "kind")?.to_owned(),
                port: part["port"].as_u64(),
                inner: part["inner_url"].as_str().map(authority).transpose()?,
                start: start.filter_map(|word| word.as_str().map(str::to_owned)).collect(),
            })
        };
        Ok(Self {
            publishers: urls(if front { "nginx" } else { "publisher" })?,
            gateways: urls(if front { "nginx" } else { "gateway" })?,
            news_at: urls("publisher")?,
            sockets: Vec::new(),
            key_text: keys.1.clone(),
            keys: Arc::new(TokenKeys::parse(&keys.1).map_err(|error| error.to_string())?),
            world: Running::Fleet {
                state: state.to_owned(),
                parts: facts["parts"].as_array().into_iter().flatten().map(part).collect::<Result<_, _>>()?,
                env,
            },
        })
    }

    /// A shop that runs already; the keys it signs with are in `MIAOSHA__TOKEN_KEYS`.
    pub fn url(url: &str) -> Result<Self, String> {
        let keys = std::env::var("MIAOSHA__TOKEN_KEYS")
            .map_err(|_| "MIAOSHA__TOKEN_KEYS must hold the keys the shop signs with".to_owned())?;
        Ok(Self {
            publishers: vec![authority(url)?],
            news_at: vec![authority(url)?],
            gateways: vec![authority(url)?],
            sockets: Vec::new(),
            key_text: String::new(),
            keys: Arc::new(TokenKeys::parse(&keys).map_err(|error| error.to_string())?),
            world: Running::Elsewhere,
        })
    }

    /// What `miaosha audit` says of the sales; `None` where it cannot be asked.
    pub async fn audit(&self, sales: &[u64]) -> Result<Option<Value>, String> {
        let Some(mut command) = self.command(&["audit"])? else { return Ok(None) };
        command.arg("--json").arg("--turns");
        for sale in sales {
            command.arg("--sale").arg(sale.to_string());
        }
        let output = command.stdin(Stdio::null()).output().await.map_err(|error| error.to_string())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let last = text.lines().last().unwrap_or_default();
        serde_json::from_str(last).map(Some).map_err(|_| {
            format!("the audit said nothing to be read: {last} {}", String::from_utf8_lossy(&output.stderr))
        })
    }

    /// So many events that cost nothing, by their numbers.
    pub async fn seed(&self, events: usize, stock: u32) -> Result<Vec<u64>, String> {
        let Some(mut command) = self.command(&["seed"])? else {
            return Err("events are made where the shop runs".to_owned());
        };
        command.args([events.to_string(), stock.to_string(), "--free".to_owned()]).stdin(Stdio::null());
        let output = command.output().await.map_err(|error| error.to_string())?;
        let made: Value = serde_json::from_slice(&output.stdout)
            .map_err(|_| format!("no events were made: {}", String::from_utf8_lossy(&output.stderr)))?;
        Ok(made["sales"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect())
    }

    /// An account of this address that logs in with this password.
    pub async fn account(&self, email: &str, password: &str) -> Result<(), String> {
        let Some(mut command) = self.command(&["operator", "add"])? else {
            return Err("accounts are made where the shop runs".to_owned());
        };
        command.args(["--name", "Load", "--email", email]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut adding = command.spawn().map_err(|error| error.to_string())?;
        let mut asks = adding.stdin.take().ok_or("the command takes no password")?;
        asks.write_all(password.as_bytes()).await.map_err(|error| error.to_string())?;
        drop(asks);
        let status = adding.wait().await.map_err(|error| error.to_string())?;
        if status.success() { Ok(()) } else { Err(format!("no account was made: {status}")) }
    }

    /// One of the operator's commands for this world; `None` where it is elsewhere.
    fn command(&self, words: &[&str]) -> Result<Option<Command>, String> {
        let mut command = Command::new(sibling("miaosha")?);
        command.args(words);
        match &self.world {
            Running::Embedded { state, .. } => command.arg("--state").arg(state),
            Running::Fleet { env, .. } => {
                command.args(["--world", "cluster"]).envs(env.iter().map(|(name, value)| (name, value)))
            }
            Running::Elsewhere => return Ok(None),
        };
        Ok(Some(command))
    }

    /// Where a kind's parts take requests and say whether they are ready.
    pub fn places(&self, kind: &str, places: &[String]) -> Vec<(String, Option<String>)> {
        let inner = |number: usize| match &self.world {
            Running::Fleet { parts, .. } => parts.iter().filter(|part| part.kind == kind).nth(number)?.inner.clone(),
            _ => None,
        };
        places.iter().enumerate().map(|(number, place)| (place.clone(), inner(number))).collect()
    }

    /// One of the settings that all parts of the fleet start with.
    pub fn setting(&self, name: &str) -> Option<String> {
        let Running::Fleet { env, .. } = &self.world else { return None };
        env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// The next start of any part is with this value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let Running::Fleet { state, env, .. } = &mut self.world else { return Err("only a fleet is set".to_owned()) };
        let (path, draft) = (state.join("fleet.env"), state.join("fleet.env.new"));
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let begins = format!("{name}=");
        let line = |line: &str| match line.starts_with(&begins) {
            true => format!("{begins}'{value}'\n"),
            false => format!("{line}\n"),
        };
        std::fs::copy(&path, &draft).map_err(|error| error.to_string())?;
        std::fs::write(&draft, text.lines().map(line).collect::<String>()).map_err(|error| error.to_string())?;
        std::fs::rename(&draft, &path).map_err(|error| error.to_string())?;
        env.iter_mut().filter(|(known, _)| known == name).for_each(|(_, known)| value.clone_into(known));
        Ok(())
    }

    /// Ends what this run started.
    pub async fn end(mut self, ok: bool) -> Result<(), String> {
        if let Running::Embedded { state, shop, keep, .. } = &mut self.world {
            if let Some(mut child) = shop.take() {
                stop_softly(&mut child).await;
            }
            if ok && !*keep {
                std::fs::remove_dir_all(&*state).map_err(|error| error.to_string())?;
            } else {
                eprintln!("loadtest: the shop's folder is kept: {}", state.display());
            }
        }
        Ok(())
    }

    pub fn is_elsewhere(&self) -> bool {
        matches!(self.world, Running::Elsewhere)
    }
}

async fn stop_softly(child: &mut Child) {
    if let Some(pid) = child.id() {
        let _ = Command::new("kill").args(["-TERM", &pid.to_string()]).status().await;
    }
    if tokio::time::timeout(START_WAIT_MAX, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

async fn start_shop(state: &Path, listen: &str, lean: Option<&str>) -> Result<Child, String> {
    let facts = state.join("shop.json");
    let _ = std::fs::remove_file(&facts);
    let settings = std::fs::read_to_string(state.join(SHOP_ENV)).map_err(|error| error.to_string())?;
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(state.join("shop.log"))
        .map_err(|error| error.to_string())?;
    let mut child = Command::new(sibling("miaosha")?)
        .args(["serve", "--no-demo", "--inner-listen", "127.0.0.1:0", "--listen", listen, "--state"])
        .arg(state)
        .env("MIAOSHA__PROCESS__FAULTS", "true")
        .envs(env_of(&settings))
        .envs(lean.map(|lean| ("MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN", lean)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())?;
    let ready = async {
        while !facts.exists() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        () = ready => Ok(child),
        status = child.wait() => Err(format!("the shop ended at once: {status:?}; see {}", state.join("shop.log").display())),
        () = tokio::time::sleep(START_WAIT_MAX) => Err("the shop did not start in time".to_owned()),
    }
}

fn shop_facts(state: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(state.join("shop.json")).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// A binary of the project beside this one.
pub fn sibling(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = own.with_file_name(name);
    if path.exists() { Ok(path) } else { Err(format!("{} is not built", path.display())) }
}

pub fn env_of(text: &str) -> Vec<(String, String)> {
    text.lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
        .collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    value[key].as_str().ok_or_else(|| format!("the state file names no {key}"))
}
