//! The processes whose sockets are counted, and what they take of the machine.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};

use super::Transport;
use crate::client::authority;
use crate::keys::{TOKEN_KEYS, of_sockets};
use crate::target::{env_of, sibling};

const START_WAIT_MAX: Duration = Duration::from_secs(60);
/// Ticks of `/proc/…/stat` are hundredths of a second.
const TICK_US: u64 = 10_000;
const LEAN_LISTEN: &str = "MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN";
/// What a process takes that is one of many on a machine: three connections to the database, two of them for looks, and the
/// third so that logouts are always received.
const SMALL: [(&str, &str); 5] = [
    ("MIAOSHA__GATEWAY__SOCKETS__ONLY", "true"),
    ("MIAOSHA__PROCESS__THREADS", "1"),
    ("MIAOSHA__GATEWAY__SOCKETS__LEAN__WORKERS", "1"),
    ("MIAOSHA__MYSQL__POOL_MAX", "3"),
    ("MIAOSHA__GATEWAY__SOCKETS__LOOKS_MAX", "2"),
];

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
    /// An embedded shop, of which one listener is asked.
    pub async fn shop(transport: Transport) -> Result<Self, String> {
        let chance = getrandom::u64().map_err(|error| error.to_string())?;
        let folder = std::env::temp_dir().join(format!("miaosha-loadtest-{chance:016x}"));
        std::fs::create_dir(&folder).map_err(|error| error.to_string())?;
        let (listen, inner) = (free()?, free()?);
        let mut command = Command::new(sibling("miaosha")?);
        command
            .args(["serve", "--no-demo", "--listen", "127.0.0.1:0", "--inner-listen", &inner, "--state"])
            .arg(&folder);
        if transport == Transport::Lean {
            command.env(LEAN_LISTEN, &listen);
        }
        let child = spawn(command, &folder.join("shop.log"))?;
        ready(&inner).await?;
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        let facts: Value = serde_json::from_str(&read("shop.json")?).map_err(|error| error.to_string())?;
        let http = authority(facts["url"].as_str().unwrap_or_default())?;
        let keys = read("token.keys")?.trim().to_owned();
        let sockets = match transport {
            Transport::Lean => vec![listen],
            Transport::Shop => vec![http.clone()],
        };
        let children = vec![child];
        Ok(Self { sockets, publisher: http.clone(), http, keys, children, others: Vec::new(), folder: Some(folder) })
    }

    /// So many gateways that serve sockets and nothing else, on the servers of the fleet in this folder.
    pub async fn fleet(folder: &Path, count: usize) -> Result<Self, String> {
        let fleet = Fleet::read(folder)?;
        let mut all = Self {
            sockets: Vec::new(),
            http: fleet.url("gateway")?,
            publisher: fleet.url("publisher")?,
            keys: fleet.of(TOKEN_KEYS)?,
            children: Vec::new(),
            others: Vec::new(),
            folder: None,
        };
        let rabbit = fleet.of("MIAOSHA__RABBIT__URL")?;
        for number in 0..count {
            let (listen, inner) = (free()?, free()?);
            let mut command = Command::new(sibling("gateway")?);
            command.envs(fleet.env.iter().cloned()).envs(SMALL).env("MIAOSHA__PROCESS__INNER_LISTEN", &inner);
            command.env(TOKEN_KEYS, of_sockets(&all.keys)?);
            command.env("MIAOSHA__RABBIT__URL", small_frames(&rabbit)).env(LEAN_LISTEN, &listen);
            all.children.push(spawn(command, &folder.join(format!("sockets-{number}.log")))?);
            all.sockets.push(listen);
            ready(&inner).await?;
        }
        Ok(all)
    }

    /// The fleet's own socket gateways, asked through its nginx.
    pub fn front(folder: &Path) -> Result<Self, String> {
        let fleet = Fleet::read(folder)?;
        let front = fleet.url("nginx")?;
        Ok(Self {
            sockets: vec![front.clone()],
            http: front.clone(),
            publisher: front,
            keys: fleet.of(TOKEN_KEYS)?,
            children: Vec::new(),
            others: fleet.pids("socket-gateway")?,
            folder: None,
        })
    }

    pub fn count(&self) -> usize {
        self.children.len() + self.others.len()
    }

    /// Without what is read from files: the system gives that back when it pleases.
    pub fn resident_bytes(&self) -> u64 {
        self.pids().map(|pid| kilobytes(&read(&format!("/proc/{pid}/status")), "RssAnon:") * 1024).sum()
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

/// A fleet as its folder describes it.
struct Fleet {
    facts: Value,
    env: Vec<(String, String)>,
}

impl Fleet {
    fn read(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path)
                .map_err(|error| format!("{}: {error}; is a fleet up? (make fleet)", path.display()))
        };
        let facts = serde_json::from_str(&read("state.json")?).map_err(|error| error.to_string())?;
        Ok(Self { facts, env: env_of(&read("fleet.env")?) })
    }

    fn of(&self, name: &str) -> Result<String, String> {
        let found = self.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        found.ok_or(format!("the fleet names no {name}"))
    }

    fn parts<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.facts["parts"].as_array().into_iter().flatten().filter(move |part| part["kind"] == kind)
    }

    fn url(&self, kind: &str) -> Result<String, String> {
        let part = self.parts(kind).next().ok_or(format!("the fleet has no {kind}"))?;
        authority(part["url"].as_str().unwrap_or_default())
    }

    fn pids(&self, kind: &str) -> Result<Vec<u32>, String> {
        let pids = self.parts(kind).map(|part| read(part["pid_file"].as_str().unwrap_or_default()).trim().parse());
        pids.collect::<Result<_, _>>().map_err(|_| format!("a {kind} of the fleet has no pid"))
    }
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

/// Below the ports that systems give to connections: between looking and listening no other process takes it by chance.
pub fn free() -> Result<String, String> {
    for _ in 0..100 {
        let address = format!("127.0.0.1:{}", fastrand::u16(12_000..32_000));
        if TcpListener::bind(&address).is_ok() {
            return Ok(address);
        }
    }
    Err("no free port was found".to_owned())
}

/// The broker's client keeps two buffers of 32 frames for each connection.
fn small_frames(rabbit: &str) -> String {
    format!("{rabbit}{}frame_max=16384", if rabbit.contains('?') { '&' } else { '?' })
}

fn spawn(mut command: Command, log: &Path) -> Result<Child, String> {
    let log = std::fs::File::create(log).map_err(|error| error.to_string())?;
    command
        .env("MIAOSHA__GATEWAY__SOCKETS__SOCKETS_MAX", "19500")
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
