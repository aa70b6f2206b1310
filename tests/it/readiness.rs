//! The fleet's real binaries: each says that it is not ready, and names the part, while a part that it needs is away; and stays
//! ready while others miss theirs.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::mysql::MysqlStore;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::proxy::Proxy;
use crate::support::servers::{mysql_url, rabbit_url, unique_name};
use crate::turnstile::server::Server as Redis;

/// For what happens in its own time.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process of the fleet, and where its probes are.
struct Part {
    name: &'static str,
    inner: SocketAddr,
    process: Child,
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Part {
    fn start(name: &'static str, program: &str, environment: &[(&str, String)]) -> Self {
        let inner = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let mut command = Command::new(program);
        command.env("MIAOSHA__PROCESS__INNER_LISTEN", inner.to_string()).envs(environment.iter().cloned());
        command.env("MIAOSHA__HTTP__LISTEN", "127.0.0.1:0").stdout(Stdio::null()).stderr(Stdio::null());
        Self { name, inner, process: command.spawn().unwrap() }
    }

    /// What `/readyz` says: its status and the problems. `None` while nobody listens.
    async fn says(&self) -> Option<(u16, Vec<String>)> {
        let mut stream = TcpStream::connect(self.inner).await.ok()?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await.ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body: Value = serde_json::from_str(body).ok()?;
        let problems = body["problems"].as_array()?.iter().map(|problem| problem.as_str().unwrap().to_owned());
        Some((status, problems.collect()))
    }

    async fn is_ready(&self) -> bool {
        self.says().await == Some((200, Vec::new()))
    }

    async fn misses(&self, part: &str) -> bool {
        matches!(self.says().await, Some((503, problems)) if problems.iter().any(|problem| problem == part))
    }

    async fn comes_to(&self, what: &str, seen: impl AsyncFn(&Self) -> bool) {
        let wait = async {
            while !seen(self).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{} did not come to {what}: {:?}", self.name, self.says().await);
        }
    }

    async fn comes_to_miss(&self, part: &str) {
        self.comes_to(&format!("miss the {part}"), async |this| this.misses(part).await).await;
    }
}

async fn all_are_ready(parts: &[Part]) {
    for part in parts {
        part.comes_to("be ready", async |this| this.is_ready().await).await;
    }
}

/// `scheme://user:password@host:port/rest`, its server reached by way of a proxy.
async fn by_proxy(url: &str) -> (String, Proxy) {
    let (before, rest) = url.rsplit_once('@').unwrap();
    let (server, path) = rest.split_once('/').unwrap();
    let proxy = Proxy::to(server.to_owned()).await;
    (format!("{before}@127.0.0.1:{}/{path}", proxy.port), proxy)
}

async fn database() -> String {
    let (url, name) = (mysql_url(), unique_name());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    MysqlStore::connect(&url, 1).await.unwrap().migrate().await.unwrap();
    url
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_binary_misses_what_it_needs_and_nothing_else() {
    let mut redis = Redis::start().await;
    let ((rabbit, broker), (mysql, ledger)) = (by_proxy(&rabbit_url()).await, by_proxy(&database().await).await);
    let folder = tempfile::tempdir().unwrap();
    let environment = [
        ("MIAOSHA__NAMESPACE", unique_name()),
        ("MIAOSHA__TOKEN_KEYS", format!("access:a1:{},checkout:c1:{}", "a".repeat(64), "c".repeat(64))),
        ("MIAOSHA__RECEIPT_KEYS", format!("r1:{}", "e".repeat(64))),
        ("MIAOSHA__REDIS__URL", redis.url()),
        ("MIAOSHA__RABBIT__URL", rabbit),
        ("MIAOSHA__MYSQL__URL", mysql),
        ("MIAOSHA__ARCHIVE__FOLDER", folder.path().join("archive").display().to_string()),
    ];
    let fleet = [
        Part::start("publisher", env!("CARGO_BIN_EXE_publisher"), &environment),
        Part::start("gateway", env!("CARGO_BIN_EXE_gateway"), &environment),
        Part::start("consumer", env!("CARGO_BIN_EXE_consumer"), &environment),
        Part::start("payment-consumer", env!("CARGO_BIN_EXE_payment-consumer"), &environment),
    ];
    all_are_ready(&fleet).await;
    let [publisher, gateway, consumer, payments] = &fleet;

    redis.kill();
    for part in [consumer, payments] {
        part.comes_to_miss("turnstile").await;
    }
    assert!(gateway.is_ready().await && publisher.is_ready().await, "neither asks the turnstile");
    redis.start_again().await;
    all_are_ready(&fleet).await;

    broker.close();
    for part in [publisher, consumer, payments] {
        part.comes_to_miss("broker").await;
    }
    assert!(gateway.is_ready().await, "people still log in, look and pay");
    broker.open();
    all_are_ready(&fleet).await;

    ledger.close();
    for part in [gateway, consumer, payments] {
        part.comes_to_miss("ledger").await;
    }
    ledger.open();
    all_are_ready(&fleet).await;
}
