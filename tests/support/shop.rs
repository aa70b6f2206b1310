//! The shop in one process, as a newcomer starts it, killed and started again; and an HTTP client of it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::codes;

/// Tries of one call, while the shop is only just there.
const TRIES_MAX: u32 = 300;
const TRY_AGAIN: Duration = Duration::from_millis(100);

pub struct Shop {
    folder: TempDir,
    environment: Vec<(&'static str, String)>,
    process: Option<Child>,
    url: String,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shop {
    pub async fn start(environment: Vec<(&'static str, String)>) -> Self {
        let folder = TempDir::new().unwrap();
        let mut shop = Self { folder, environment, process: None, url: String::new() };
        shop.restart().await;
        shop
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.url
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    pub async fn restart(&mut self) {
        self.kill();
        let _ = std::fs::remove_file(self.state().join("shop.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_miaosha"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--inner-listen", "127.0.0.1:0", "--state"]);
        command.arg(self.state()).envs(self.environment.iter().cloned()).env("RUST_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().unwrap());
        for _ in 0..TRIES_MAX {
            if let Ok(text) = std::fs::read_to_string(self.state().join("shop.json")) {
                let facts: Value = serde_json::from_str(&text).unwrap();
                self.url = facts["url"].as_str().unwrap().trim_start_matches("http://").to_owned();
                return;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("the shop does not start");
    }

    /// Tried again while the shop asks for it, as the same request.
    pub async fn call(&self, method: Method, path: &str, token: &str, body: Value) -> (u16, Value) {
        let key = format!("{:016x}", getrandom::u64().unwrap());
        for _ in 0..TRIES_MAX {
            if let Some((status, answer)) = self.once(&method, path, token, &key, &body).await
                && status != 503
            {
                return (status, answer);
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("{method} {path} is not answered");
    }

    /// A plain question with headers of its own; its status.
    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        let stream = TcpStream::connect(&self.url).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(path).header("host", &self.url);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
        response.status().as_u16()
    }

    /// Bytes that it had in memory at the most since it was started, by the system's books.
    pub fn most_memory(&self) -> u64 {
        let process = self.process.as_ref().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1_024
    }

    /// What the inner server says at `/metrics`.
    pub async fn metrics(&self) -> String {
        let facts: Value =
            serde_json::from_str(&std::fs::read_to_string(self.state().join("shop.json")).unwrap()).unwrap();
        let inner = facts["inner_url"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&inner).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get("/metrics").header("host", &inner).body(Full::new(Bytes::new())).unwrap();
        let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    /// A soft stop, waited for; it must end well.
    pub async fn terminate(&mut self) {
        let mut process = self.process.take().unwrap();
        let asked = Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
        assert!(asked.success());
        for _ in 0..TRIES_MAX * 2 {
            if let Some(status) = process.try_wait().unwrap() {
                assert!(status.success(), "{status}");
                return;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        process.kill().unwrap();
        panic!("the shop does not end");
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Value {
        let (status, answer) = self.call(Method::POST, path, token, body).await;
        assert!((200..300).contains(&status), "POST {path}: {status} {answer}");
        answer
    }

    /// An account, as whoever reads the mail has it: who they are, and a token.
    pub async fn sign_up(&self, user: Value) -> Value {
        let sent = self.post("/v1/users", "", user).await;
        let code = codes::in_folder(&self.state(), &sent).await;
        self.post("/v1/codes/proof", "", serde_json::json!({ "ticket": sent["ticket"], "code": code })).await
    }

    /// What the button of a sale is pressed with.
    pub async fn admission(&self, sale: u64, token: &str) -> String {
        let admitted = self.post(&format!("/v1/sales/{sale}/admission"), token, serde_json::json!({})).await;
        admitted["admission"].as_str().unwrap().to_owned()
    }

    async fn once(&self, method: &Method, path: &str, token: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
        let stream = TcpStream::connect(&self.url).await.ok()?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", &self.url);
        let request = request.header("content-type", "application/json").header("idempotency-key", key);
        let request = request.header("authorization", format!("Bearer {token}"));
        let body = if method == Method::GET { Bytes::new() } else { Bytes::from(body.to_string()) };
        let response = sender.send_request(request.body(Full::new(body)).unwrap()).await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}
