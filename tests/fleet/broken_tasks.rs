//! Every long task of every binary panics once: the process says so, drains, and ends with an exit code of its own, upon which
//! the fleet starts it again. Which tasks there are is asked of the process, and compared with what is known here.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use miaosha::kit::process::TASK_FAILED;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::fleet::{self, CONSUMER, Environment, GATEWAY, PAYMENT_CONSUMER, PUBLISHER, free};
use crate::support::redis::Server as Redis;
use crate::support::servers::{rabbit_url, unique_name};

const LOOK_AGAIN: Duration = Duration::from_millis(30);
const LOOKS_MAX: u32 = 2_000;
/// Processes at a time.
const TOGETHER: usize = 3;

const OF_ALL: [&str; 4] = ["inner_server", "main", "metrics", "signals"];
const OF_A_BROKER: [&str; 3] = ["broker.lane", "broker.link", "broker.teller"];
const OF_PAYMENTS: [&str; 9] = [
    "mail",
    "payments.alarms",
    "payments.measure",
    "payments.news",
    "payments.sweeper",
    "receipts",
    "receipts.press",
    "relay",
    "tender",
];
const OF_A_GATEWAY: [&str; 7] =
    ["gateway", "receipts.press", "sockets.listener", "sockets.wheel", "till.begins", "till.finishes", "told_together"];

struct Running {
    process: Child,
    http: SocketAddr,
    inner: SocketAddr,
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Running {
    fn start(program: &str, arguments: &[&str], environment: &Environment, folder: &Path) -> Self {
        let [http, inner] = [free(), free()];
        let log = folder.join(format!("{}.log", inner.port()));
        let mut command = Command::new(program);
        command.args(arguments).envs(environment.iter().cloned()).env("RUST_LOG", "error");
        if arguments.is_empty() {
            command.env("MIAOSHA__HTTP__LISTEN", http.to_string());
            command.env("MIAOSHA__PROCESS__INNER_LISTEN", inner.to_string());
        } else {
            command.args(["--listen", &http.to_string(), "--inner-listen", &inner.to_string()]);
        }
        command.env("MIAOSHA__PROCESS__FAULTS", "true").env("MIAOSHA__PROCESS__DRAIN_MS_MAX", "5000");
        command.env("MIAOSHA__GATEWAY__SOCKETS__LEAN__LISTEN", "127.0.0.1:0");
        command.env("MIAOSHA__PROCESS__TRACING__OTLP_URL", "http://127.0.0.1:9/v1/traces");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        Self { process: command.spawn().unwrap(), http, inner, log }
    }

    async fn ask(&self, question: &str) -> Option<String> {
        let mut stream = TcpStream::connect(self.inner).await.ok()?;
        let request = format!("{question} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        Some(answer)
    }

    async fn tasks(&self) -> BTreeSet<String> {
        let Some(answer) = self.ask("GET /faults").await else { return BTreeSet::new() };
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        serde_json::from_str(body).unwrap_or_default()
    }

    /// Until all of these run.
    async fn runs(&mut self, wanted: &BTreeSet<String>) {
        let mut socket = None;
        for _ in 0..LOOKS_MAX {
            if self.tasks().await.is_superset(wanted) {
                return;
            }
            // The first socket of a thread starts its wheel.
            if wanted.contains("sockets.wheel") && socket.is_none() {
                socket = self.connect().await;
            }
            assert!(self.process.try_wait().unwrap().is_none(), "it ended at once: {}", self.said());
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        panic!("wanted {wanted:?}, there are {:?}: {}", self.tasks().await, self.said());
    }

    async fn connect(&self) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(self.http).await.ok()?;
        let request = "GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                       sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                       sec-websocket-protocol: miaosha.v1\r\n\r\n";
        stream.write_all(request.as_bytes()).await.ok()?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await.ok()?;
        answer.ends_with(b"101").then_some(stream)
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// One of its tasks panics.
    async fn breaks(mut self, task: &str) {
        let answer = self.ask(&format!("POST /faults/{task}")).await.unwrap();
        // It may be gone before it has answered.
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 204"), "{task}: {answer}");
        for _ in 0..LOOKS_MAX {
            let Some(status) = self.process.try_wait().unwrap() else {
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            };
            let said = self.said();
            assert_eq!(status.code(), Some(i32::from(TASK_FAILED)), "{task}: {said}");
            assert!(said.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{task}: {said}");
            let line = |words: &str| said.lines().any(|line| line.contains(words) && line.contains(&named(task)));
            assert!(line("a task panicked: stopping") && line("ended because a task failed"), "{task}: {said}");
            return;
        }
        panic!("{task} panicked, and the process goes on: {}", self.said());
    }
}

fn named(task: &str) -> String {
    format!(r#""task":"{task}""#)
}

fn wanted(lists: &[&[&str]]) -> BTreeSet<String> {
    let traces = if cfg!(feature = "otlp") { &["traces"][..] } else { &[] };
    lists.iter().copied().chain([traces]).flatten().map(|task| (*task).to_owned()).collect()
}

/// Each in a process of its own; `start` is given a folder.
async fn each_breaks(wanted: BTreeSet<String>, start: impl Fn(&Path) -> Running) {
    let start = &start;
    let all = &wanted;
    stream::iter(&wanted)
        .for_each_concurrent(TOGETHER, |task| async move {
            let folder = TempDir::new().unwrap();
            let mut running = start(folder.path());
            running.runs(all).await;
            assert_eq!(running.tasks().await, *all, "a task is not tried here");
            running.breaks(task).await;
            // Started again, it finds everything in its place.
            let mut again = start(folder.path());
            again.runs(&BTreeSet::from(["main".to_owned()])).await;
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_task_of_the_shop_in_one_process() {
    let own = ["consumer", "ledger.writer", "publisher.news", "queue.writer", "sandbox", "watch"];
    let wanted = wanted(&[&OF_ALL, &OF_PAYMENTS, &OF_A_GATEWAY, &own]);
    each_breaks(wanted, |folder| {
        let state = folder.join("state").display().to_string();
        let arguments = ["serve", "--no-demo", "--state", &state];
        Running::start(env!("CARGO_BIN_EXE_miaosha"), &arguments, &Vec::new(), folder)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_task_of_each_binary_of_the_fleet() {
    let redis = Redis::start().await;
    let folder = TempDir::new().unwrap();
    let (mut environment, _) = fleet::environment(&unique_name(), folder.path());
    environment.extend([
        ("MIAOSHA__REDIS__URL", redis.url()),
        ("MIAOSHA__RABBIT__URL", rabbit_url()),
        ("MIAOSHA__MYSQL__URL", fleet::database().await.0),
    ]);
    let binaries: [(&str, &[&[&str]]); 4] = [
        (PUBLISHER, &[&OF_ALL, &OF_A_BROKER, &["publisher.news"]]),
        (CONSUMER, &[&OF_ALL, &OF_A_BROKER, &["consumer", "sandbox", "watch"]]),
        (PAYMENT_CONSUMER, &[&OF_ALL, &OF_A_BROKER, &OF_PAYMENTS, &["sandbox", "watch"]]),
        (GATEWAY, &[&OF_ALL, &OF_A_BROKER, &OF_A_GATEWAY, &["sandbox", "watch"]]),
    ];
    for (program, tasks) in binaries {
        each_breaks(wanted(tasks), |folder| Running::start(program, &[], &fleet::told(program, &environment), folder))
            .await;
    }
}
