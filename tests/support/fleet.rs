//! The fleet's real binaries, each a process of its own, as they are deployed.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::sale::{Allotment, Question, QuestionKey, StandbyUntil};
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::money::Money;
use miaosha::faces::tokens::TokenKeys;
use miaosha::ports::sale::catalogue::{Catalogue, NewItem, NewSale};
use miaosha::ports::sale::turnstile::Turnstile;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::servers::{mysql_url, unique_name};

/// For what happens in its own time.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

pub const PUBLISHER: &str = env!("CARGO_BIN_EXE_publisher");
pub const GATEWAY: &str = env!("CARGO_BIN_EXE_gateway");
pub const CONSUMER: &str = env!("CARGO_BIN_EXE_consumer");
pub const PAYMENT_CONSUMER: &str = env!("CARGO_BIN_EXE_payment-consumer");

pub const TOKEN_KEYS: &str = "MIAOSHA__TOKEN_KEYS";
pub const SOCKETS_ONLY: &str = "MIAOSHA__GATEWAY__SOCKETS__ONLY";

/// What a test has an opinion about in its sale.
pub struct Offer {
    pub allotment: Allotment,
    pub hold_ms: i64,
    pub questions: Vec<Question>,
}

/// What every process is told.
pub type Environment = Vec<(&'static str, String)>;

/// A process of the fleet, and where it listens.
pub struct Part {
    pub program: &'static str,
    pub http: SocketAddr,
    inner: SocketAddr,
    pub process: Child,
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Part {
    pub fn start(program: &'static str, environment: &[(&'static str, String)]) -> Self {
        let [http, inner] = [free(), free()];
        let mut command = Command::new(program);
        command.env("RUST_LOG", "error").env("MIAOSHA__HTTP__LISTEN", http.to_string());
        command.env("MIAOSHA__PROCESS__INNER_LISTEN", inner.to_string()).envs(told(program, environment));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { program, http, inner, process: command.spawn().unwrap() }
    }

    /// What `/readyz` says: its status and the problems. `None` while nothing listens.
    async fn says(&self) -> Option<(u16, Vec<String>)> {
        let text = self.asked("/readyz").await.ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let body: Value = serde_json::from_str(body).ok()?;
        let problems = body["problems"].as_array()?.iter().map(|problem| problem.as_str().unwrap().to_owned());
        Some((status, problems.collect()))
    }

    /// The whole answer of the inner server.
    pub async fn inner(&self, path: &str) -> String {
        self.asked(path).await.unwrap()
    }

    async fn asked(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.inner).await?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut text = String::new();
        stream.read_to_string(&mut text).await?;
        Ok(text)
    }

    pub async fn is_ready(&self) -> bool {
        self.says().await == Some((200, Vec::new()))
    }

    pub async fn comes_to_be_ready(&self) {
        self.comes_to("be ready", async |this| this.is_ready().await).await;
    }

    pub async fn comes_to_miss(&self, part: &str) {
        let misses = async |this: &Self| matches!(this.says().await, Some((503, problems)) if problems.iter().any(|problem| problem == part));
        self.comes_to(&format!("miss the {part}"), misses).await;
    }

    async fn comes_to(&self, what: &str, seen: impl AsyncFn(&Self) -> bool) {
        let wait = async {
            while !seen(self).await {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            panic!("{} did not come to {what}: {:?}", self.program, self.says().await);
        }
    }
}

/// A publisher has no business with the keys of other tokens than admissions, and would refuse them; a gateway of sockets alone
/// with none that sign.
pub fn told(program: &str, environment: &[(&'static str, String)]) -> Environment {
    let mut told = environment.to_vec();
    let of_sockets = told.iter().any(|(name, value)| *name == SOCKETS_ONLY && value == "true");
    for (_, keys) in told.iter_mut().filter(|(name, _)| *name == TOKEN_KEYS) {
        if program == PUBLISHER {
            let admissions: Vec<&str> = keys.split(',').filter(|key| key.starts_with("admission:")).collect();
            *keys = admissions.join(",");
        } else if of_sockets && let Ok(all) = TokenKeys::parse(keys) {
            *keys = all.access().listed();
        }
    }
    told
}

pub fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

/// What no test has an opinion about; and the keys of its tokens.
pub fn environment(namespace: &str, folder: &std::path::Path) -> (Environment, TokenKeys) {
    let [a, c, d] = ["a", "c", "d"].map(|digit| digit.repeat(64));
    let keys = format!("access:a1:{a},checkout:c1:{c},admission:d1:{d}");
    let environment = vec![
        ("MIAOSHA__NAMESPACE", namespace.to_owned()),
        (TOKEN_KEYS, keys.clone()),
        ("MIAOSHA__RECEIPT_KEYS", format!("r1:{}", "e".repeat(64))),
        ("MIAOSHA__PAYMENTS__SANDBOX", "true".to_owned()),
        ("MIAOSHA__ARCHIVE__FOLDER", folder.join("archive").display().to_string()),
    ];
    (environment, TokenKeys::parse(&keys).unwrap())
}

/// A ledger of the test's own.
pub async fn database() -> (String, MysqlStore) {
    let (url, name) = (mysql_url(), unique_name());
    let mut conn = MySqlConnection::connect(&url).await.unwrap();
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE `{name}`"))).execute(&mut conn).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let url = format!("{server}/{name}");
    let store = MysqlStore::connect(&url, 2).await.unwrap();
    store.migrate().await.unwrap();
    (url, store)
}

/// A sale that is open, in the ledger and in the turnstile.
pub async fn sale(store: &MysqlStore, redis_url: &str, namespace: &str, offer: Offer) -> SaleId {
    let item = store.create_item(&NewItem { title: "A long bridge".into(), description: String::new() }).await.unwrap();
    let now = SystemClock::machine_now();
    let Offer { allotment, hold_ms, questions } = offer;
    let sale = NewSale {
        item: item.id,
        price: Money { minor: 128_000, currency: "TWD".parse().unwrap() },
        allotment,
        standby_until: StandbyUntil::default(),
        hold_ms,
        opens_at: now.plus_ms(-1_000),
        closes_at: now.plus_ms(3_600_000),
        questions,
        question_key: QuestionKey([7; 32]),
    };
    let sale = store.create_sale(&sale).await.unwrap().unwrap();
    let turnstile = RedisTurnstile::connect(redis_url, namespace).await.unwrap();
    turnstile.open(sale.id, sale.generation, sale.allotment).await.unwrap();
    sale.id
}
