//! nginx in a folder of its own, and a client that speaks to it in bytes.

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::people::Role;
use miaosha::domain::shared::id::SaleId;
use miaosha::domain::shared::locale::Locale;
use miaosha::faces::account::passwords::hash_now;
use miaosha::ports::people::accounts::Accounts;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

pub use crate::support::fleet::free;
use crate::support::fleet::{self, CONSUMER, GATEWAY, Offer, PAYMENT_CONSUMER, PUBLISHER, Part};
use crate::support::servers::{tls, unique_name};

/// For what happens in its own time.
const TRIES_MAX: u32 = 600;
const TRY_AGAIN: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(30);
/// Who is believed when it says for whom it comes, and who is not.
pub const HOP: Ipv4Addr = Ipv4Addr::LOCALHOST;
pub const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

pub struct Front {
    folder: TempDir,
    process: Child,
    pub address: SocketAddr,
    pub inner: SocketAddr,
}

impl Drop for Front {
    fn drop(&mut self) {
        let _ = self.nginx().args(["-s", "stop"]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

/// The services behind it: `host:port` of each.
pub struct Behind<'a> {
    pub publishers: &'a [&'a str],
    pub gateways: &'a [&'a str],
    pub sockets: &'a str,
}

pub fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("nginx")
}

/// A folder with the files of every place, and this place's own.
pub fn folder(place: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let conf = folder.path().join("conf");
    std::fs::create_dir(&conf).unwrap();
    for file in std::fs::read_dir(sources()).unwrap().map(|file| file.unwrap().path()) {
        let name = file.file_name().unwrap();
        if name != "place.conf" && file.extension().is_some_and(|kind| kind == "conf") {
            symlink(&file, conf.join(name)).unwrap();
        }
    }
    std::fs::write(conf.join("place.conf"), place).unwrap();
    if place.contains(" ssl ") {
        certify(&conf);
    }
    folder
}

/// A certificate and its key, where `listen-tls.conf` looks for them.
fn certify(conf: &Path) {
    let (from, to) = (tls().folder, conf.join("tls"));
    std::fs::create_dir(&to).unwrap();
    for (have, wanted) in [("server.pem", "fullchain.pem"), ("server.key", "privkey.pem")] {
        std::fs::copy(from.join(have), to.join(wanted)).unwrap();
    }
}

pub fn nginx_in(folder: &Path) -> Command {
    // Workers of another user could not write in this folder.
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    let options = if is_root { "user root; daemon off;" } else { "daemon off;" };
    let mut command = Command::new("nginx");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("conf/nginx.conf")).args(["-g", options]);
    command
}

impl Front {
    pub async fn before(behind: Behind<'_>) -> Self {
        let address = free();
        Self::with_doors(behind, address, &format!("server {{ listen {address}; include shop.conf; }}")).await
    }

    /// With the very file of those who speak TLS, and another address for whoever comes in clear.
    pub async fn by_tls(at: &str) -> (Self, SocketAddr) {
        let (address, clear) = (free(), free());
        let doors = std::fs::read_to_string(sources().join("listen-tls.conf")).unwrap();
        let doors = [("listen 8443", address), ("listen 8080", clear)].iter().fold(doors, |doors, (listen, at)| {
            assert_eq!(doors.matches(listen).count(), 1, "{listen}");
            doors.replace(listen, &format!("listen {at}"))
        });
        let behind = Behind { publishers: &[at], gateways: &[at], sockets: at };
        (Self::with_doors(behind, address, &doors).await, clear)
    }

    async fn with_doors(behind: Behind<'_>, address: SocketAddr, doors: &str) -> Self {
        let inner = free();
        let servers =
            |all: &[&str]| all.iter().map(|at| format!("server {at} max_fails=1 fail_timeout=5s;")).collect::<String>();
        let place = format!(
            "upstream publishers {{ zone publishers 128k; {} include kept.conf; }}\n\
             upstream gateways {{ zone gateways 128k; {} include kept.conf; }}\n\
             upstream sockets {{ zone sockets 128k; server {}; }}\n\
             set_real_ip_from {HOP};\n\
             {doors}\n\
             server {{ listen {inner}; include inner.conf; }}\n",
            servers(behind.publishers),
            servers(behind.gateways),
            behind.sockets
        );
        let folder = folder(&place);
        let log = folder.path().join("log");
        // Two writers, and neither writes over the other.
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = nginx_in(folder.path());
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log);
        let process = command.spawn().expect("nginx is installed: see deploy/local/install.sh");
        let front = Self { folder, process, address, inner };
        for _ in 0..TRIES_MAX {
            if TcpStream::connect(front.address).await.is_ok() {
                return front;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("nginx does not start: {}", front.log());
    }

    /// One service for everything.
    pub async fn before_one(at: &str) -> Self {
        Self::before(Behind { publishers: &[at], gateways: &[at], sockets: at }).await
    }

    fn nginx(&self) -> Command {
        nginx_in(self.folder.path())
    }

    pub fn reload(&self) {
        assert!(self.nginx().args(["-s", "reload"]).stderr(Stdio::null()).status().unwrap().success());
    }

    /// Once so many workers that are about to go are there: the reload has happened.
    pub async fn has_reloaded(&self) {
        for _ in 0..TRIES_MAX {
            if self.log().contains("gracefully shutting down") {
                return;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("no worker goes: {}", self.log());
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// The access log's lines, once there is one of this path.
    pub async fn lines_of(&self, path: &str, count: usize) -> Vec<Value> {
        for _ in 0..TRIES_MAX {
            let log = self.log();
            let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let lines: Vec<_> = lines.filter(|line| line["path"] == path).collect();
            if lines.len() >= count {
                return lines;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("nothing is written of {path}: {}", self.log());
    }

    /// One request with these lines of its head, for one answer.
    pub async fn ask(&self, first: &str, lines: &str, body: &str) -> Answer {
        self.ask_from(HOP, first, lines, body).await
    }

    pub async fn ask_from(&self, source: Ipv4Addr, first: &str, lines: &str, body: &str) -> Answer {
        let length = if body.is_empty() { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head = format!("{first} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{lines}{length}\r\n");
        let mut answers = answers(&send(self.address, source, format!("{head}{body}").as_bytes()).await);
        assert_eq!(answers.len(), 1, "{first}: one answer");
        answers.pop().unwrap()
    }
}

/// One service of each kind with a sale to be had, and nginx in front of them.
pub struct Fleet {
    pub front: Front,
    pub sale: SaleId,
    store: MysqlStore,
    _parts: [Part; 4],
    _folder: TempDir,
}

impl Fleet {
    /// On these servers.
    pub async fn open(redis_url: &str, rabbit_url: &str, offer: Offer) -> Self {
        let namespace = unique_name();
        let (mysql_url, store) = fleet::database().await;
        let sale = fleet::sale(&store, redis_url, &namespace, offer).await;
        let folder = TempDir::new().unwrap();
        let (mut environment, _) = fleet::environment(&namespace, folder.path());
        environment.extend([
            ("MIAOSHA__REDIS__URL", redis_url.to_owned()),
            ("MIAOSHA__RABBIT__URL", rabbit_url.to_owned()),
            ("MIAOSHA__MYSQL__URL", mysql_url),
            ("MIAOSHA__GATEWAY__TRUSTED_HOPS", "1".to_owned()),
        ]);
        let parts = [PUBLISHER, GATEWAY, CONSUMER, PAYMENT_CONSUMER].map(|program| Part::start(program, &environment));
        for part in &parts {
            part.comes_to_be_ready().await;
        }
        let [publisher, gateway] = [&parts[0], &parts[1]].map(|part| part.http.to_string());
        let behind = Behind { publishers: &[&publisher], gateways: &[&gateway], sockets: &gateway };
        Self { front: Front::before(behind).await, sale, store, _parts: parts, _folder: folder }
    }

    /// An account, of which the fleet need write to nobody.
    pub async fn person(&self, name: &str, password: &str) {
        let (email, hash) = (format!("{name}@example.org"), hash_now(password));
        let made = self.store.create_account(name, &email, &hash, Role::Shopper, Locale::En, None).await.unwrap();
        assert!(made.is_some(), "{email} is taken");
    }
}

/// Sends these bytes, and reads until the other side ends.
pub async fn send(to: SocketAddr, source: Ipv4Addr, bytes: &[u8]) -> Vec<u8> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((source, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    // A server that refuses a request need not read all of it.
    let _ = stream.write_all(bytes).await;
    let mut heard = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("the connection ends");
    heard
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// All values of this header.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).collect()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).first().copied()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// One after the other, each as long as it says.
pub fn answers(mut bytes: &[u8]) -> Vec<Answer> {
    let mut all = Vec::new();
    while let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        bytes = &bytes[end + 4..];
        let length = answer.header("content-length").map(|length| length.parse().unwrap());
        let length = length.unwrap_or(bytes.len()).min(bytes.len());
        answer.body = bytes[..length].to_vec();
        bytes = &bytes[length..];
        all.push(answer);
    }
    all
}
