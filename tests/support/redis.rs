//! A Redis server of a test's own, which no other test uses.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use miaosha::adapters::redis::RedisTurnstile;
use tempfile::TempDir;

/// For what happens in its own time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A cluster of one master that keeps nothing on disk but its name and slots.
pub struct Server {
    folder: TempDir,
    ports: [u16; 2],
    process: Child,
}

impl Server {
    pub async fn start() -> Self {
        let listeners = [0, 0].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
        let folder = tempfile::tempdir().unwrap();
        let server = Self { process: spawn(&folder, ports), folder, ports };
        server.wait_for("PING", &["ping"], "PONG").await;
        server.cli(&["cluster", "addslotsrange", "0", "16383"]);
        server.wait_for("its slots", &["cluster", "info"], "cluster_state:ok").await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis-cluster://127.0.0.1:{}", self.ports[0])
    }

    pub async fn turnstile(&self) -> RedisTurnstile {
        RedisTurnstile::connect(&self.url(), "test").await.unwrap()
    }

    pub fn cli(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-p", &self.ports[0].to_string()]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    async fn wait_for(&self, what: &str, words: &[&str], sign: &str) {
        let seen = async {
            while !self.cli(words).contains(sign) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what} did not come"));
    }

    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub async fn start_again(&mut self) {
        self.process = spawn(&self.folder, self.ports);
        self.wait_for("its slots", &["cluster", "info"], "cluster_state:ok").await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(folder: &TempDir, [port, bus]: [u16; 2]) -> Child {
    let (port, bus) = (port.to_string(), bus.to_string());
    let options = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"];
    let cluster = ["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-announce-ip", "127.0.0.1"];
    let mut command = Command::new("redis-server");
    command.args(options).args(cluster).current_dir(folder.path()).stdout(Stdio::null());
    command.spawn().expect("redis-server is installed")
}
