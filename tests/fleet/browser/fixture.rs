//! A shop, a ChromeDriver, and the browsers of one story. However the story ends, all of it is gone afterwards.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use miaosha::adapters::system::SystemClock;
use miaosha::app::people::totp;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::BuyerId;
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::access::Principal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;

use super::api::Person;
use super::letters::Letters;
use super::window::{Look, Window};
use super::words::Tongue;

/// Browsers are heavy, and wait for most of their time: so many stories at a time.
static TURN: Semaphore = Semaphore::const_new(3);

/// How long anything may take on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// What answers the browsers.
pub trait Site {
    fn url(&self) -> String;

    /// What it mails, where that can be read.
    fn letters(&self) -> Option<Arc<Letters>> {
        None
    }
}

pub struct Fixture<H = Shop> {
    pub shop: H,
    driver: Driver,
    windows: Mutex<Vec<Window>>,
    name: &'static str,
}

/// Tells one story of the shop.
pub async fn story(name: &'static str, tell: impl AsyncFnOnce(&Fixture)) {
    story_of(name, Shop::open, tell).await;
}

pub async fn story_of<H: Site>(name: &'static str, open: impl AsyncFnOnce() -> H, tell: impl AsyncFnOnce(&Fixture<H>)) {
    let _turn = TURN.acquire().await.unwrap();
    let fixture = Fixture { shop: open().await, driver: Driver::start().await, windows: Mutex::default(), name };
    let told = AssertUnwindSafe(tell(&fixture)).catch_unwind().await;
    let windows = std::mem::take(&mut *fixture.windows.lock().unwrap());
    for (number, window) in windows.into_iter().enumerate() {
        if told.is_err() {
            window.show_failure(&format!("failed-{}-{number}", fixture.name)).await;
        }
        window.close().await;
    }
    if let Err(panic) = told {
        std::panic::resume_unwind(panic);
    }
}

impl<H: Site> Fixture<H> {
    /// A browser of its own: nothing of another window's is in it.
    pub async fn window(&self, tongue: Tongue) -> Window {
        self.window_of(tongue, Look::default()).await
    }

    pub async fn window_of(&self, tongue: Tongue, look: Look<'_>) -> Window {
        let window = Window::open(&self.driver.url, &self.shop, tongue, look).await;
        self.windows.lock().unwrap().push(window.clone());
        window
    }
}

/// Pictures of pages; git ignores the folder.
pub fn gallery() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

struct Driver {
    url: String,
    _child: Child,
}

impl Driver {
    async fn start() -> Self {
        let mut child = Command::new("chromedriver")
            .args(["--port=0", "--allowed-ips=127.0.0.1"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("deploy/local/install.sh installs chromium and chromium-driver");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("ChromeDriver says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Self { url: format!("http://127.0.0.1:{port}"), _child: child }
    }
}

/// `miaosha serve`, with its demo or with settings.
pub struct Shop {
    folder: TempDir,
    settings: Settings,
    running: Mutex<Option<Child>>,
    pub letters: Arc<Letters>,
    pub authority: String,
}

/// By the names that the environment has for them. None: the demo's.
pub type Settings = Option<&'static [(&'static str, &'static str)]>;

impl Site for Shop {
    fn url(&self) -> String {
        format!("http://{}", self.authority)
    }

    fn letters(&self) -> Option<Arc<Letters>> {
        Some(self.letters.clone())
    }
}

impl Shop {
    async fn open() -> Self {
        Self::start(None).await
    }

    /// Without a demo, which asks nothing of who comes in.
    pub async fn with(settings: &'static [(&'static str, &'static str)]) -> Self {
        let shop = Self::start(Some(settings)).await;
        shop.add_operator("operator", "owner").await;
        shop
    }

    /// `NAME@miaosha.test`, with the password of everybody here.
    pub async fn add_operator(&self, name: &str, role: &str) {
        let email = format!("{name}@miaosha.test");
        self.operators(&["add", "--name", name, "--email", &email, "--role", role], b"correct horse\n").await;
    }

    /// `miaosha operator`, while the shop runs; what it answered.
    pub async fn operators(&self, words: &[&str], typed: &[u8]) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_miaosha"));
        command.arg("operator").args(words).arg("--state").arg(self.folder.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed).await.unwrap();
        let done = child.wait_with_output().await.unwrap();
        assert!(done.status.success(), "{words:?}");
        serde_json::from_slice(&done.stdout).unwrap()
    }

    async fn start(settings: Settings) -> Self {
        let folder = TempDir::new().unwrap();
        // A demo's operator has the password that is there, in a folder of the shop's own.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        std::fs::write(folder.path().join("operator.password"), "correct horse\n").unwrap();
        let running = serve(folder.path(), "127.0.0.1:0", settings);
        let authority = url_of(folder.path()).await;
        let letters = Letters::of(folder.path().join("mail")).into();
        Self { folder, settings, running: Mutex::new(Some(running)), letters, authority }
    }

    /// `kill -9`.
    pub async fn dies(&self) {
        let mut child = self.running.lock().unwrap().take().unwrap();
        child.kill().await.unwrap();
        std::fs::remove_file(self.folder.path().join("shop.json")).unwrap();
    }

    /// On the same port, from the same folder.
    pub async fn comes_back(&self) {
        let running = serve(self.folder.path(), &self.authority, self.settings);
        *self.running.lock().unwrap() = Some(running);
        assert_eq!(url_of(self.folder.path()).await, self.authority);
    }

    /// Does something to the ledger that none of our processes would.
    pub async fn spoil(&self, sql: &'static str) {
        use sqlx::Connection;
        let mut conn = sqlx::SqliteConnection::connect(&self.ledger()).await.unwrap();
        sqlx::query(sql).execute(&mut conn).await.unwrap();
    }

    /// What this operator's authenticator was told.
    pub async fn secret(&self, email: &str) -> Vec<u8> {
        use sqlx::Connection;
        let mut conn = sqlx::SqliteConnection::connect(&self.ledger()).await.unwrap();
        let sql = "SELECT secret FROM second_factors WHERE account = (SELECT id FROM accounts WHERE email = ?)";
        sqlx::query_scalar(sql).bind(email).fetch_one(&mut conn).await.unwrap()
    }

    /// Logged in by the codes of the authenticator.
    pub async fn owner(&self, email: &str, secret: &[u8]) -> Person {
        let step = totp::step(SystemClock::machine_now());
        let code = totp::code(secret, step);
        Person::log_in_with(&self.authority, email, "correct horse", &code).await
    }

    /// As the shop would have signed it an hour ago.
    pub async fn token_of_long_ago(&self, email: &str) -> String {
        use sqlx::Connection;
        let mut conn = sqlx::SqliteConnection::connect(&self.ledger()).await.unwrap();
        let account = "SELECT id, epoch FROM accounts WHERE email = ?";
        let (id, epoch): (i64, i64) = sqlx::query_as(account).bind(email).fetch_one(&mut conn).await.unwrap();
        let keys = std::fs::read_to_string(self.folder.path().join("token.keys")).unwrap();
        let (buyer, role, now) = (BuyerId(id as u64), Role::Owner, SystemClock::machine_now());
        let proved_at = Some(now.plus_ms(-3_600_000));
        let principal = Principal { buyer, role, epoch: epoch as u64, proved_at, session: None };
        TokenKeys::parse(keys.trim()).unwrap().sign_access_of(principal, now, 3_600_000)
    }

    fn ledger(&self) -> String {
        format!("sqlite://{}", self.folder.path().join("ledger.sqlite").display())
    }

    pub async fn operator(&self) -> Person {
        Person::log_in(&self.authority, "operator@miaosha.test", "correct horse").await
    }

    pub async fn shopper(&self, name: &str) -> Person {
        Person::sign_up(&self.authority, &self.letters, name).await
    }

    /// So many sales of ten units, by the operators' command.
    pub async fn seed(&self, sales: u32) {
        let mut seed = Command::new(env!("CARGO_BIN_EXE_miaosha"));
        seed.args(["seed", &sales.to_string(), "10", "--state"]).arg(self.folder.path()).stdout(Stdio::null());
        assert!(seed.status().await.unwrap().success());
    }

    /// A sale that is open, as the operator made it. It asks what two and two is.
    pub async fn sale(&self, title: &str, offer: Value) -> u64 {
        self.sale_by(&self.operator().await, title, offer).await
    }

    pub async fn sale_by(&self, operator: &Person, title: &str, offer: Value) -> u64 {
        let description = offer["description"].as_str().unwrap_or("For a story.");
        let item = json!({ "title": title, "description": description });
        let item = operator.call("POST", "/v1/admin/items", Some(&item)).await.is(201);
        let now = SystemClock::machine_now().0;
        let mut sale = json!({
            "item_id": item["id"], "price": { "minor": 128_000, "currency": "TWD" }, "capacity": 5, "quantity_max": 4,
            "standby_max": 5, "hold_ms": 600_000, "opens_at": now - 1_000, "closes_at": now + 3_600_000,
            "questions": [{ "prompt": "2 + 2 = ?", "answer": "4" }],
        });
        for (name, value) in offer.as_object().unwrap().iter().filter(|(name, _)| *name != "description") {
            sale[name] = match value.as_i64() {
                Some(after_ms) if name.ends_with("_at") => json!(now + after_ms),
                _ => value.clone(),
            };
        }
        let sale = operator.call("POST", "/v1/admin/sales", Some(&sale)).await.is(201);
        sale["id"].as_u64().unwrap()
    }
}

fn serve(folder: &Path, listen: &str, settings: Settings) -> Child {
    Command::new(env!("CARGO_BIN_EXE_miaosha"))
        .args(["serve", "--listen", listen, "--state"])
        .arg(folder)
        .args(settings.map(|_| "--no-demo"))
        .env("RUST_LOG", "warn")
        // A story's people press more often than anybody may.
        .env("MIAOSHA__GATEWAY__ADMISSION__CALLS_MAX", "1000")
        .env("MIAOSHA__PUBLISHER__PRESSES_PER_S_MAX", "1000")
        // But for one story, its operators have a password and nothing else.
        .env("MIAOSHA__GATEWAY__SECOND_FACTOR", "false")
        .envs(settings.unwrap_or_default().iter().copied())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Waits until the shop says where it is.
async fn url_of(folder: &Path) -> String {
    let facts = async {
        loop {
            if let Ok(text) = std::fs::read_to_string(folder.join("shop.json")) {
                return serde_json::from_str::<Value>(&text).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let facts = tokio::time::timeout(PATIENCE, facts).await.expect("the shop opens");
    facts["url"].as_str().unwrap().trim_start_matches("http://").to_owned()
}
