//! The binaries under load: each with an environment of its own, on free ports, ended when dropped.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};

use crate::client::Client;
use crate::keys::{TOKEN_KEYS, of_a_publisher};

const READY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Ticks of `/proc/…/stat` in a second, on every Linux there is.
const TICKS_PER_S: f64 = 100.0;

/// Which cores a process may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    All,
    /// The one that the load leaves alone.
    First,
}

pub type Env = Vec<(String, String)>;

pub struct Part {
    pub name: &'static str,
    pub address: SocketAddr,
    inner: SocketAddr,
    child: Child,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub now_kb: u64,
    pub peak_kb: u64,
}

impl Part {
    /// Starts one of the fleet's binaries and waits until it is ready.
    pub async fn start(name: &'static str, env: &Env, more: &[(&str, &str)], cores: Cores) -> Result<Self, String> {
        let (address, inner) = (free_address()?, free_address()?);
        let mut command = command(sibling(name)?, cores);
        command
            .envs(env.iter().map(|(key, value)| (key, value)))
            .env("MIAOSHA__HTTP__LISTEN", address.to_string())
            .env("MIAOSHA__PROCESS__INNER_LISTEN", inner.to_string())
            .envs(more.iter().copied());
        if name == "publisher" {
            let keys = env.iter().find(|(key, _)| key == TOKEN_KEYS).map_or("", |(_, keys)| keys.as_str());
            command.env(TOKEN_KEYS, of_a_publisher(keys));
        }
        Self::launch(name, command, address, inner).await
    }

    pub async fn launch(
        name: &'static str,
        command: Command,
        address: SocketAddr,
        inner: SocketAddr,
    ) -> Result<Self, String> {
        let mut part = Self { name, address, inner, child: spawn(command)? };
        part.await_ready().await?;
        Ok(part)
    }

    /// A process that says nothing of its readiness.
    pub fn adopt(name: &'static str, address: SocketAddr, child: Child) -> Self {
        Self { name, address, inner: address, child }
    }

    async fn await_ready(&mut self) -> Result<(), String> {
        let mut client = Client::new(&self.inner.to_string());
        let ready = async {
            loop {
                if matches!(client.get("/readyz", "").await, Ok(answer) if answer.status == 200) {
                    return Ok(());
                }
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("{} ended by itself: {status}", self.name));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(READY_WAIT_MAX, ready).await.map_err(|_| format!("{} is never ready", self.name))?
    }

    /// What `/metrics` says of one name, summed over its labels.
    pub async fn metric(&self, name: &str) -> Result<f64, String> {
        let answer = Client::new(&self.inner.to_string()).get("/metrics", "").await?;
        let text = String::from_utf8_lossy(&answer.body);
        let values = text
            .lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with('{') || rest.starts_with(' ')));
        Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Asked, says the seconds of processor time that it has used.
    pub fn processor(&self) -> impl Fn() -> f64 + Send + 'static {
        let path = format!("/proc/{}/stat", self.pid());
        move || {
            let stat = std::fs::read_to_string(&path).unwrap_or_default();
            // Field 2 is the name, in brackets; user and system time are fields 14 and 15.
            let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
            let ticks = fields.get(11..13).unwrap_or_default().iter().filter_map(|text| text.parse::<f64>().ok());
            ticks.sum::<f64>() / TICKS_PER_S
        }
    }

    pub fn memory(&self) -> Memory {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let kb = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
        };
        Memory { now_kb: kb("VmRSS:"), peak_kb: kb("VmHWM:") }
    }

    /// Lets it finish what it took.
    pub async fn stop(mut self) -> Result<(), String> {
        let pid = self.pid().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status().await;
        match tokio::time::timeout(READY_WAIT_MAX, self.child.wait()).await {
            Ok(ended) => ended.map(drop).map_err(|error| error.to_string()),
            Err(_) => self.child.kill().await.map_err(|error| error.to_string()),
        }
    }
}

/// `program`, on the cores it may use, if this machine can say so.
pub fn command(program: PathBuf, cores: Cores) -> Command {
    let list = match cores {
        Cores::First => "0".to_owned(),
        Cores::All => format!("0-{}", cores_of_machine().saturating_sub(1)),
    };
    let mut command = if can_pin() { Command::new("taskset") } else { Command::new(&program) };
    if can_pin() {
        command.args(["-c", &list]).arg(program);
    }
    // What is measured is how many presses there can be, not how many one buyer may.
    command.env("MIAOSHA__PUBLISHER__PRESSES_PER_S_MAX", u32::MAX.to_string());
    command
}

pub fn spawn(mut command: Command) -> Result<Child, String> {
    command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("{:?}: {error}", command.as_std().get_program()))
}

/// Moves this process, and so the load, to the last core. What it starts says its own cores.
pub async fn keep_to_last_core() {
    let last = cores_of_machine().saturating_sub(1);
    keep_to(&last.to_string()).await;
}

pub async fn leave_to_all_cores() {
    keep_to(&format!("0-{}", cores_of_machine().saturating_sub(1))).await;
}

async fn keep_to(cores: &str) {
    if can_pin() {
        let own = std::process::id().to_string();
        let _ = Command::new("taskset").args(["-a", "-c", "-p", cores, &own]).stdout(Stdio::null()).status().await;
    }
}

fn can_pin() -> bool {
    cores_of_machine() > 1 && std::path::Path::new("/usr/bin/taskset").exists()
}

fn cores_of_machine() -> usize {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    text.lines().filter(|line| line.starts_with("processor")).count()
}

pub fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}

/// A binary that was built with this one.
pub fn sibling(name: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    Ok(own.with_file_name(name))
}
