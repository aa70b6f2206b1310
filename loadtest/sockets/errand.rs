//! What one process of clients is sent out for, and how it is spoken to from the process that started it: a line for each word.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The environment's name of the keys: they are not put on a command line, which every user can read.
pub const KEYS: &str = "MIAOSHA__TOKEN_KEYS";

#[derive(Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Manners {
    /// Answers heartbeats, and remembers when it was told what.
    Polite,
    /// Asks and never reads.
    Stubborn,
    /// Sends what no client may send.
    Garbage,
}

#[derive(Clone, Serialize, Deserialize)]
pub struct Errand {
    pub gateway: SocketAddr,
    pub source: Ipv4Addr,
    /// The gateway is a front, which is told from where every buyer comes.
    pub front: bool,
    /// The first buyer, how many, and how far apart their numbers are.
    pub first: u64,
    pub count: u64,
    pub step: u64,
    pub sale: u64,
    /// Connections opened at once.
    pub opening: usize,
    /// Tries of one client after the first that failed.
    pub retries_max: u32,
    pub manners: Manners,
}

/// How often something happened, by what it was.
pub type Tally = BTreeMap<String, u64>;

#[derive(Default, Serialize, Deserialize)]
pub struct Connected {
    pub connected: u64,
    /// Tries that failed and were made again.
    pub retried: u64,
    /// Why tries failed.
    pub failures: Tally,
}

/// What the parent asks for.
#[derive(Serialize, Deserialize)]
pub struct Question {
    /// Until every client was told this state of the sale, or this time is over.
    pub state: Option<String>,
    pub within_ms: u64,
}

/// What was received since the last report.
#[derive(Default, Serialize, Deserialize)]
pub struct Report {
    /// Moments at which a client was told the state.
    pub told: Vec<i64>,
    /// Buyer and moment of each status that was told.
    pub statuses: Vec<(u64, i64)>,
    /// Of each buyer that has one, the reservation and version that was told last.
    pub last: Vec<(u64, String, u64)>,
    /// Why sockets ended, since the beginning.
    pub closed: Tally,
}

/// A process of clients, seen from the process that started it.
pub struct Clients {
    _child: Child,
    stdin: ChildStdin,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
}

impl Clients {
    pub fn start(errand: &Errand, keys: &str) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let errand = serde_json::to_string(errand).map_err(|error| error.to_string())?;
        let mut child = Command::new(own)
            .args(["sockets", "--errand", &errand])
            .env(KEYS, keys)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let stdin = child.stdin.take().ok_or("a child has its input")?;
        let stdout = child.stdout.take().ok_or("a child has its output")?;
        Ok(Self { _child: child, stdin, lines: BufReader::new(stdout).lines() })
    }

    pub async fn connected(&mut self) -> Result<Connected, String> {
        self.line().await
    }

    pub async fn report(&mut self, state: Option<&str>, within: Duration) -> Result<Report, String> {
        let question = Question { state: state.map(str::to_owned), within_ms: within.as_millis() as u64 };
        let line = serde_json::to_string(&question).map_err(|error| error.to_string())? + "\n";
        self.stdin.write_all(line.as_bytes()).await.map_err(|error| error.to_string())?;
        self.line().await
    }

    async fn line<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let line = self.lines.next_line().await.map_err(|error| error.to_string())?;
        serde_json::from_str(&line.ok_or("a process of clients ended")?).map_err(|error| error.to_string())
    }
}

pub fn add(all: &mut Tally, more: &Tally) {
    for (what, count) in more {
        *all.entry(what.clone()).or_default() += count;
    }
}
