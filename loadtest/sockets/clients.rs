//! One process of clients: it connects, says hello, answers heartbeats, and remembers when it was told what.
//!
//! A client is as small as its server's side: nothing is kept of it but a task while nothing comes.

use std::io::Write;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use miaosha::adapters::system::SystemClock;
use miaosha::domain::id::BuyerId;
use miaosha::http::auth::TokenKeys;
use miaosha::ports::accounts::Role;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::Semaphore;

use super::{Options, TOKEN_MS};
use crate::client::address_of;

/// How long everybody may take to connect.
const CONNECT_S_MAX: u64 = 600;
const KEYS: &str = "MIAOSHA__TOKEN_KEYS";

/// Seen from the process that started it.
pub struct Clients {
    _child: Child,
    stdin: ChildStdin,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
}

impl Clients {
    pub fn start(
        gateway: &str,
        first: u64,
        count: usize,
        source: &str,
        sale: u64,
        keys: &str,
        options: &Options,
    ) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let (first, count, sale) = (first.to_string(), count.to_string(), sale.to_string());
        let words = [gateway.to_owned(), first, count, source.to_owned(), sale, options.front.to_string()];
        let mut child = Command::new(own)
            .args(["sockets", "--opening", &options.opening.to_string(), "--clients"])
            .args(words)
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

    pub async fn connected(&mut self) -> Result<usize, String> {
        self.line().await?["connected"].as_u64().map(|count| count as usize).ok_or("no count".into())
    }

    /// What it was told, once it was told everything, or after this time.
    pub async fn report(&mut self, within: Duration) -> Result<Value, String> {
        let ask = format!("{}\n", within.as_millis());
        self.stdin.write_all(ask.as_bytes()).await.map_err(|error| error.to_string())?;
        self.line().await
    }

    async fn line(&mut self) -> Result<Value, String> {
        let line = self.lines.next_line().await.map_err(|error| error.to_string())?;
        serde_json::from_str(&line.ok_or("a process of clients ended")?).map_err(|error| error.to_string())
    }
}

#[derive(Default)]
struct Seen {
    ready: AtomicU64,
    closed: AtomicU64,
    paused: Mutex<Vec<i64>>,
    statuses: Mutex<Vec<(u64, i64)>>,
}

/// The whole of such a process.
pub async fn be_clients(words: &[String], opening: usize) -> Result<bool, String> {
    let [gateway, first, count, source, sale, front] = words else { return Err("six words".into()) };
    let parse = |word: &str| word.parse::<u64>().map_err(|error| error.to_string());
    let (first, count, sale) = (parse(first)?, parse(count)?, parse(sale)?);
    let gateway: SocketAddr = gateway.parse().map_err(|_| "not an address")?;
    let source: SocketAddr = format!("{source}:0").parse().map_err(|_| "not an address")?;
    let keys = std::env::var(KEYS).map_err(|error| error.to_string())?;
    let keys = TokenKeys::parse(&keys).map_err(|error| error.to_string())?;
    let seen = Arc::new(Seen::default());
    let turns = Arc::new(Semaphore::new(opening));
    for buyer in first..first + count {
        let turn = turns.clone().acquire_owned().await.map_err(|error| error.to_string())?;
        let token = keys.sign_access(BuyerId(buyer), Role::Shopper, SystemClock::machine_now(), TOKEN_MS);
        let seen = seen.clone();
        let forwarded =
            if front == "true" { format!("x-forwarded-for: {}\r\n", address_of(buyer)) } else { String::new() };
        tokio::spawn(async move {
            let opened = open(gateway, source, &forwarded, &token, sale).await;
            drop((turn, token));
            if let Ok(stream) = opened {
                let _ended = listen(stream, buyer, &seen).await;
            }
            seen.closed.fetch_add(1, Ordering::Relaxed);
        });
    }
    let all = || seen.ready.load(Ordering::Relaxed) + seen.closed.load(Ordering::Relaxed) >= count;
    wait_for(Duration::from_secs(CONNECT_S_MAX), all).await;
    say(&json!({ "connected": seen.ready.load(Ordering::Relaxed) }))?;
    let asked = tokio::task::spawn_blocking(|| std::io::stdin().lines().next()).await;
    let Ok(Some(Ok(within))) = asked else { return Ok(false) };
    let told = || seen.paused.lock().expect("no client panics").len() as u64 >= count;
    wait_for(Duration::from_millis(parse(&within)?), told).await;
    let (paused, statuses) = (seen.paused.lock(), seen.statuses.lock());
    let (paused, statuses) = (paused.expect("no client panics"), statuses.expect("no client panics"));
    say(&json!({ "paused": *paused, "statuses": *statuses, "closed": seen.closed.load(Ordering::Relaxed) }))?;
    Ok(true)
}

fn say(word: &Value) -> Result<(), String> {
    let mut out = std::io::stdout();
    writeln!(out, "{word}").and_then(|()| out.flush()).map_err(|error| error.to_string())
}

async fn wait_for(within: Duration, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(within, wait).await;
}

async fn open(
    gateway: SocketAddr,
    source: SocketAddr,
    forwarded: &str,
    token: &str,
    sale: u64,
) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(source)?;
    let mut stream = socket.connect(gateway).await?;
    stream.set_nodelay(true)?;
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {gateway}\r\n{forwarded}upgrade: websocket\r\nconnection: Upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let hello = format!(r#"{{"type":"hello","token":"{token}","sales":[{sale}]}}"#);
    stream.write_all(&frame(0x81, hello.as_bytes())).await?;
    Ok(stream)
}

/// Masked with zeros.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match u8::try_from(payload.len()) {
        Ok(length @ 0..=125) => bytes.push(0x80 | length),
        _ => {
            bytes.push(0x80 | 126);
            bytes.extend((payload.len() as u16).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

async fn listen(stream: TcpStream, buyer: u64, seen: &Seen) -> std::io::Result<()> {
    let mut rest = Vec::new();
    loop {
        stream.readable().await?;
        let answer = match take(&stream, &mut rest, buyer, seen) {
            Ok(answer) => answer,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        };
        if !answer.is_empty() {
            stream.writable().await?;
            stream.try_write(&answer)?;
        }
    }
}

/// Reads what is there; the pongs to be sent.
fn take(stream: &TcpStream, rest: &mut Vec<u8>, buyer: u64, seen: &Seen) -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; 4_096];
    let count = stream.try_read(&mut bytes)?;
    if count == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    rest.extend_from_slice(&bytes[..count]);
    let mut answer = Vec::new();
    while let Some((first, payload, length)) = first_frame(rest) {
        match first & 0x0f {
            1 => hear(payload, buyer, seen),
            8 => return Err(std::io::ErrorKind::ConnectionAborted.into()),
            9 => answer.extend(frame(0x8a, payload)),
            _ => {}
        }
        rest.drain(..length);
    }
    if rest.is_empty() {
        *rest = Vec::new();
    }
    Ok(answer)
}

fn first_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (length, head) = match *bytes.get(1)? {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        length => (usize::from(length), 2),
    };
    Some((bytes[0], bytes.get(head..head + length)?, head + length))
}

fn hear(payload: &[u8], buyer: u64, seen: &Seen) {
    let Ok(word) = serde_json::from_slice::<Value>(payload) else { return };
    let now = SystemClock::machine_now().0;
    match (word["type"].as_str(), word["status"].as_str(), word["state"].as_str()) {
        (Some("status"), Some("none"), _) => {
            seen.ready.fetch_add(1, Ordering::Relaxed);
        }
        (Some("status"), ..) => seen.statuses.lock().expect("no client panics").push((buyer, now)),
        (Some("sale"), _, Some("paused")) => seen.paused.lock().expect("no client panics").push(now),
        _ => {}
    }
}
