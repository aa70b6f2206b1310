//! Clients that were connected by TLS are again, by TLS, when the server or the network is back.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::rabbit::{RabbitBroker, RabbitConfig};
use miaosha::adapters::redis::RedisTurnstile;
use miaosha::adapters::sql::mysql::MysqlStore;
use miaosha::domain::sale::Allotment;
use miaosha::domain::sale::turn::{Chain, Known};
use miaosha::domain::sale::turnstile::Reply;
use miaosha::domain::shared::id::SaleId;
use miaosha::kit::work::lifecycle::Lifecycle;
use miaosha::ports::sale::attempts::Attempts;
use miaosha::ports::sale::turnstile::Turnstile;
use tempfile::TempDir;

use super::{at, rabbit_at};
use crate::contract::attempts::{batch, until};
use crate::contract::turnstile::batch as party;
use crate::support::proxy::by_proxy;
use crate::support::servers::{tls, unique_name};

const SALE: SaleId = SaleId(7);
const KNOWN: Known = Known { generation: 1, revision: 0, chain: Chain(0) };
const ALLOTMENT: Allotment = Allotment { capacity: 10, quantity_max: 4, standby_max: 10 };
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster of one master, by TLS alone; it calls itself by its address, as some do.
struct Redis {
    folder: TempDir,
    ports: [u16; 2],
    process: Child,
}

impl Redis {
    async fn start() -> Self {
        let listeners = [0, 0].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        let folder = tempfile::tempdir().unwrap();
        let redis = Self { process: spawn(&folder, ports), folder, ports };
        redis.wait_for(&["ping"], "PONG").await;
        redis.cli(&["cluster", "addslotsrange", "0", "16383"]);
        redis.wait_for(&["cluster", "info"], "cluster_state:ok").await;
        redis
    }

    fn cli(&self, words: &[&str]) -> String {
        let ca = tls().folder.join("ca.pem");
        let mut command = Command::new("redis-cli");
        command.args(["-h", "localhost", "-p", &self.ports[0].to_string(), "--tls", "--cacert"]).arg(ca).args(words);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    async fn wait_for(&self, words: &[&str], sign: &str) {
        let seen = async {
            while !self.cli(words).contains(sign) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{sign} did not come"));
    }

    fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(folder: &TempDir, [port, bus]: [u16; 2]) -> Child {
    let servers = tls();
    let (port, bus) = (port.to_string(), bus.to_string());
    let file = |name: &str| servers.folder.join(name).display().to_string();
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--port", "0", "--tls-port", &port, "--save", "", "--appendonly", "no"]);
    command.args(["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-announce-ip", "127.0.0.1"]);
    command.args(["--tls-cluster", "yes", "--tls-auth-clients", "no", "--tls-ca-cert-file", &file("ca.pem")]);
    command.args(["--tls-cert-file", &file("server.pem"), "--tls-key-file", &file("server.key")]);
    command.current_dir(folder.path()).stdout(Stdio::null()).spawn().unwrap()
}

/// The cluster tells an address; its certificate has a name only, the one in the URL.
#[tokio::test]
async fn a_redis_master_is_killed_and_comes_back() {
    let mut redis = Redis::start().await;
    let url = format!("rediss-cluster://localhost:{}", redis.ports[0]);
    let turnstile = RedisTurnstile::connect(at(&url), "test").await.unwrap();
    turnstile.open(SALE, 1, ALLOTMENT).await.unwrap();
    assert!(matches!(turnstile.reserve(SALE, KNOWN, &[&party(1, &[(1, 1)])]).await, Ok(Reply::Done(_))));
    redis.kill();
    assert!(turnstile.ping().await.is_err());
    redis.process = spawn(&redis.folder, redis.ports);
    redis.wait_for(&["cluster", "info"], "cluster_state:ok").await;
    until(async || turnstile.ping().await.is_ok() && turnstile.open(SALE, 1, ALLOTMENT).await.is_ok()).await;
    assert!(matches!(turnstile.reserve(SALE, KNOWN, &[&party(1, &[(1, 1)])]).await, Ok(Reply::Done(_))));
}

#[tokio::test]
async fn the_broker_is_cut_off_silent_and_back() {
    let (url, proxy) = by_proxy(&tls().rabbit_url).await;
    let config = rabbit_at(at(&format!("{url}?heartbeat=1")), &unique_name());
    let broker =
        RabbitBroker::connect(RabbitConfig { confirm_ms: 1_000, ..config }, Lifecycle::new().tasks()).await.unwrap();
    broker.submit(batch(1, 1)).await.unwrap();
    proxy.cut();
    until(async || broker.submit(batch(1, 2)).await.is_ok()).await;
    proxy.hole(true);
    until(async || !broker.is_up()).await;
    proxy.cut();
    tokio::time::sleep(Duration::from_secs(1)).await;
    proxy.hole(false);
    until(async || broker.submit(batch(1, 3)).await.is_ok()).await;
}

#[tokio::test]
async fn the_database_is_cut_off_and_back() {
    let (url, proxy) = by_proxy(&tls().mysql_url).await;
    let store = MysqlStore::connect(at(&url), 2).await.unwrap();
    store.ping().await.unwrap();
    proxy.close();
    assert!(store.ping().await.is_err());
    proxy.open();
    until(async || store.ping().await.is_ok()).await;
}
