//! Who does not prove who they are is refused, with the part and the reason, and without the password.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::rabbit::RabbitBroker;
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::adapters::tls::{Endpoint, Trust};
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::Fault;
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::{at, rabbit_at, try_all};
use crate::support::servers::{Tls, mysql_url, rabbit_url, redis_url, tls};

const PARTS: [&str; 3] = ["turnstile", "broker", "ledger"];
const PATIENCE: Duration = Duration::from_secs(60);

fn password(url: &str) -> &str {
    url.split_once("://").unwrap().1.split_once('@').map_or("", |(user, _)| user.split_once(':').unwrap().1)
}

#[track_caller]
fn all_say(faults: [Result<(), Fault>; 3], servers: &Tls, reason: &str) {
    for (fault, part) in faults.into_iter().zip(PARTS) {
        let fault = fault.expect_err(part);
        assert_eq!(fault.part, part);
        // One library says the name of the error, the others its words.
        let said = fault.what.to_lowercase().replace(' ', "");
        assert!(said.contains(reason), "{fault}");
        let password = password(&servers.mysql_url);
        assert!(!password.is_empty() && !fault.to_string().contains(password), "{fault}");
    }
}

#[tokio::test]
async fn an_issuer_nobody_believes() {
    let servers = tls();
    for extra in [String::new(), servers.pem("stranger.pem")] {
        let trust = Trust::new(&extra).unwrap();
        all_say(try_all(|url| Endpoint::new(url, &trust), &servers).await, &servers, "unknownissuer");
    }
    // A bare URL trusts the public issuers.
    all_say(try_all(|url| url.into(), &servers).await, &servers, "unknownissuer");
}

#[tokio::test]
async fn a_name_that_is_not_the_servers() {
    let servers = tls();
    let by_address = |url: &str| url.replace("localhost", "127.0.0.1");
    let faults = try_all(|url| at(&by_address(url)), &servers).await;
    all_say(faults, &servers, "notvalidforname");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls() {
    let plain = Tls {
        folder: tls().folder,
        redis_url: redis_url().replace("redis-cluster://", "rediss-cluster://"),
        rabbit_url: rabbit_url().replace("amqp://", "amqps://"),
        mysql_url: format!("{}?ssl-mode=verify_identity", mysql_url()),
    };
    all_say(try_all(at, &plain).await, &plain, "");
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn spawn(command: &mut Command) -> Process {
    Process(command.stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::piped()).spawn().unwrap())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn listens(port: u16) -> TcpStream {
    let seen = async {
        loop {
            match TcpStream::connect(("127.0.0.1", port)).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("it listens")
}

/// A database listens before it has begun to serve, and is the first to speak.
async fn greets(port: u16) {
    let mut stream = listens(port).await;
    let greeted = tokio::time::timeout(PATIENCE, stream.read(&mut [0; 1])).await;
    assert_eq!(greeted.expect("it speaks").unwrap(), 1);
}

/// Servers whose certificate ended long ago: Redis and MariaDB themselves, and in the broker's place a server with such a one.
#[tokio::test]
async fn a_certificate_that_has_expired() {
    let servers = tls();
    let folder = TempDir::new().unwrap();
    let file = |name: &str| servers.folder.join(name).display().to_string();
    let (certificate, key) = (file("expired.pem"), file("expired.key"));
    let [redis, broker, mysql] = [free_port(), free_port(), free_port()];
    let redis_options =
        ["--port", "0", "--tls-port", &redis.to_string(), "--bind", "127.0.0.1", "--save", ""].map(str::to_owned);
    let redis_tls = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-auth-clients", "no"];
    let _redis = spawn(Command::new("redis-server").args(redis_options).args(redis_tls).current_dir(folder.path()));
    let accept = format!("127.0.0.1:{broker}");
    let _broker =
        spawn(Command::new("openssl").args(["s_server", "-accept", &accept, "-cert", &certificate, "-key", &key]));
    let _mysql = spawn(&mut mariadb(&folder, mysql, &certificate, &key));
    for port in [redis, broker] {
        listens(port).await;
    }
    greets(mysql).await;
    let expired = Tls {
        redis_url: format!("rediss://localhost:{redis}"),
        rabbit_url: format!("amqps://guest:guest@localhost:{broker}/%2f"),
        mysql_url: format!("mysql://ann:secretive@localhost:{mysql}/x?ssl-mode=verify_identity"),
        folder: servers.folder,
    };
    // A machine that is busy has not always answered within the time that a pool waits.
    let is_late = |fault: &Fault| fault.what.contains("timed out");
    let answered = async {
        loop {
            let faults = try_all(at, &expired).await;
            if !faults.iter().any(|tried| tried.as_ref().is_err_and(is_late)) {
                return faults;
            }
        }
    };
    all_say(tokio::time::timeout(PATIENCE, answered).await.expect("they answer"), &expired, "expired");
}

/// A server without a single table: it does not come to look for one.
fn mariadb(folder: &TempDir, port: u16, certificate: &str, key: &str) -> Command {
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let path = format!("{}:/usr/sbin", std::env::var("PATH").unwrap());
    let mut command = Command::new("mariadbd");
    command.env("PATH", path).args(["--no-defaults", "--skip-grant-tables", "--user=root"]);
    command.arg(format!("--datadir={}", data.display())).arg(format!("--tmpdir={}", folder.path().display()));
    command.args([
        "--socket=expired.sock",
        "--pid-file=expired.pid",
        "--bind-address=127.0.0.1",
        "--skip-networking=0",
    ]);
    command.args([format!("--port={port}"), format!("--ssl-cert={certificate}"), format!("--ssl-key={key}")]);
    command
}

/// The ways that a word of the library's might show what it was given.
#[tokio::test]
async fn a_url_is_never_shown() {
    let trust = Trust::new("").unwrap();
    let at = |url: &str| Endpoint::new(url, &trust);
    for rest in ["user:hush@", "user:hush@host:port/x", ":user:hush@host", "//user:hush@", "//user:hush@host:99999/x"] {
        let faults = [
            RedisTurnstile::check(&at(&format!("rediss-cluster:{rest}"))),
            RabbitBroker::check(&at(&format!("amqps:{rest}"))),
            MysqlStore::check(&at(&format!("mysql:{rest}"))),
        ];
        for (fault, part) in faults.into_iter().zip(PARTS) {
            let fault = fault.expect_err(rest);
            assert!(fault.part == part && !fault.to_string().contains("hush"), "{fault}");
        }
    }
    let fault = RabbitBroker::connect(rabbit_at(at("amqps:guest:hush@localhost"), "x"), Lifecycle::new().tasks())
        .await
        .err()
        .unwrap();
    assert!(!fault.to_string().contains("hush"), "{fault}");
}
