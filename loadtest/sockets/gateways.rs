//! The processes whose sockets are counted, and what they take of the machine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::{Options, World};
use crate::client::authority;
use crate::target::sibling;

const START_WAIT_MAX: Duration = Duration::from_secs(60);
/// Ticks of `/proc/…/stat` are hundredths of a second.
const TICK_US: u64 = 10_000;

pub struct Gateways {
    /// Where sockets are asked for.
    pub sockets: Vec<String>,
    pub http: String,
    pub publisher: String,
    pub keys: String,
    children: Vec<Child>,
    /// Processes of the fleet's own that carry the sockets.
    others: Vec<u32>,
    folder: Option<PathBuf>,
}

impl Gateways {
    pub async fn start(options: &Options) -> Result<Self, String> {
        match options.world {
            World::Embedded => Self::shop().await,
            World::Cluster => Self::fleet(options).await,
        }
    }

    async fn shop() -> Result<Self, String> {
        let chance = getrandom::u64().map_err(|error| error.to_string())?;
        let folder = std::env::temp_dir().join(format!("miaosha-loadtest-{chance:016x}"));
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let (listen, inner) = (free()?, free()?);
        let mut command = Command::new(sibling("miaosha")?);
        command
            .args(["serve", "--no-demo", "--listen", "127.0.0.1:0", "--inner-listen", &inner, "--state"])
            .arg(&folder);
        let child = spawn(command, &listen, &folder.join("shop.log"))?;
        ready(&inner).await?;
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        let facts: Value = serde_json::from_str(&read("shop.json")?).map_err(|error| error.to_string())?;
        let http = authority(facts["url"].as_str().unwrap_or_default())?;
        let keys = read("token.keys")?.trim().to_owned();
        let (sockets, children) = (vec![listen], vec![child]);
        Ok(Self { sockets, publisher: http.clone(), http, keys, children, others: Vec::new(), folder: Some(folder) })
    }

    async fn fleet(options: &Options) -> Result<Self, String> {
        let read = |name: &str| std::fs::read_to_string(options.fleet.join(name)).map_err(|error| error.to_string());
        let facts: Value = serde_json::from_str(&read("state.json")?).map_err(|error| error.to_string())?;
        let url = |kind: &str| {
            let mut parts = facts["parts"].as_array().into_iter().flatten();
            let part = parts.find(|part| part["kind"] == kind).ok_or(format!("the fleet has no {kind}"))?;
            authority(part["url"].as_str().unwrap_or_default())
        };
        let env: Vec<(String, String)> = read("fleet.env")?
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.trim_matches('\'').to_owned()))
            .collect();
        let keys =
            env.iter().find(|(name, _)| name == "MIAOSHA__TOKEN_KEYS").ok_or("the fleet names no keys")?.1.clone();
        let mut all = Self {
            sockets: Vec::new(),
            http: url(if options.front { "nginx" } else { "gateway" })?,
            publisher: url(if options.front { "nginx" } else { "publisher" })?,
            keys,
            children: Vec::new(),
            others: Vec::new(),
            folder: None,
        };
        if options.front {
            all.sockets.push(all.http.clone());
            all.others = pids_of(&facts, "socket-gateway")?;
            return Ok(all);
        }
        for number in 0..options.gateways {
            let (listen, inner) = (free()?, free()?);
            let mut command = Command::new(sibling("gateway")?);
            command.envs(env.iter().cloned()).env("MIAOSHA__PROCESS__INNER_LISTEN", &inner);
            command.env("MIAOSHA__GATEWAY__SOCKETS__ONLY", "true").env("MIAOSHA__PROCESS__THREADS", "1");
            command.env("MIAOSHA__MYSQL__POOL_MAX", "2").env("MIAOSHA__GATEWAY__SOCKETS__LOOKS_MAX", "2");
            command.env("MIAOSHA__GATEWAY__SOCKETS__LEAN__WORKERS", "1");
            // Small frames: the broker's client keeps two buffers of 32 frames.
            let rabbit = env.iter().find(|(name, _)| name == "MIAOSHA__RABBIT__URL").map(|(_, url)| url.as_str());
            command.env("MIAOSHA__RABBIT__URL", format!("{}?frame_max=16384", rabbit.unwrap_or_default()));
            let log = options.fleet.join(format!("sockets-{number}.log"));
            all.children.push(spawn(command, &listen, &log)?);
            all.sockets.push(listen);
            ready(&inner).await?;
        }
        Ok(all)
    }

    pub fn count(&self) -> usize {
        self.children.len() + self.others.len()
    }

    pub fn resident_bytes(&self) -> u64 {
        self.pids().map(|pid| kilobytes(&read(&format!("/proc/{pid}/status")), "VmRSS:") * 1024).sum()
    }

    pub fn cpu_us(&self) -> u64 {
        self.pids().map(|pid| ticks(&read(&format!("/proc/{pid}/stat"))) * TICK_US).sum()
    }

    fn pids(&self) -> impl Iterator<Item = u32> + '_ {
        self.children.iter().filter_map(Child::id).chain(self.others.iter().copied())
    }

    pub async fn end(&mut self) {
        for child in &mut self.children {
            let _ = child.kill().await;
        }
        if let Some(folder) = &self.folder {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

fn pids_of(facts: &Value, kind: &str) -> Result<Vec<u32>, String> {
    let parts = facts["parts"].as_array().into_iter().flatten().filter(|part| part["kind"] == kind);
    let pids = parts.map(|part| read(part["pid_file"].as_str().unwrap_or_default()).trim().parse());
    pids.collect::<Result<_, _>>().map_err(|_| format!("a {kind} of the fleet has no pid"))
}

/// What the kernel keeps for connections on this machine: buffers, and the slabs among which their structures are.
pub fn kernel_bytes() -> u64 {
    let sockstat = read("/proc/net/sockstat");
    let tcp = sockstat.lines().find(|line| line.starts_with("TCP:")).unwrap_or_default();
    let pages: u64 = tcp.split_once("mem ").and_then(|(_, pages)| pages.trim().parse().ok()).unwrap_or(0);
    pages * 4_096 + kilobytes(&read("/proc/meminfo"), "Slab:") * 1024
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// User's and system's, after the name, which may hold spaces.
fn ticks(stat: &str) -> u64 {
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    after.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok()).sum()
}

fn free() -> Result<String, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(listener.local_addr().map_err(|error| error.to_string())?.to_string())
}

fn spawn(mut command: Command, listen: &str, log: &Path) -> Result<Child, String> {
    let log = std::fs::File::create(log).map_err(|error| error.to_string())?;
    command
        .env("MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN", listen)
        .env("MIAOSHA__GATEWAY__SOCKETS__SOCKETS_MAX", "19000")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| error.to_string())
}

async fn ready(inner: &str) -> Result<(), String> {
    let wait = async {
        loop {
            let mut client = crate::client::Client::new(inner);
            if matches!(client.get("/readyz", "").await, Ok(answer) if answer.status == 200) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(START_WAIT_MAX, wait).await.map_err(|_| "a gateway did not start in time".to_owned())
}
