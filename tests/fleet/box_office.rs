//! The box office of one process, as a newcomer starts it: by the names of a file `.env`, with events that `seed` makes.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// Looks for what comes a moment later.
const LOOKS_MAX: u32 = 600;
const LOOK_AGAIN: Duration = Duration::from_millis(50);

struct Office {
    folder: TempDir,
    process: Child,
    place: String,
}

impl Drop for Office {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn miaosha(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_miaosha"));
    command.current_dir(folder).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

impl Office {
    async fn open() -> Self {
        let folder = TempDir::new().unwrap();
        let place = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let text = format!(
            "# ours\nPORT={}\nPDF_OUTPUT_DIR=\"tickets\"\nLOG_LEVEL=info\nLOG_FILE=logs/app.log\nREDIS_URL=redis://nowhere\n",
            place.port()
        );
        std::fs::write(folder.path().join(".env"), text).unwrap();
        let mut serve = miaosha(folder.path());
        serve
            .args(["serve", "--box-office", "--listen", "127.0.0.1:0", "--state", "state"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = serve.spawn().unwrap();
        let office = Self { folder, process, place: place.to_string() };
        office.becomes(|office| office.folder.path().join("state/shop.json").exists().then_some(())).await;
        office
    }

    async fn becomes<T>(&self, look: impl Fn(&Self) -> Option<T>) -> T {
        for _ in 0..LOOKS_MAX {
            if let Some(seen) = look(self) {
                return seen;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        panic!("it never is so");
    }

    async fn has_left(&self, event: u64, left: u64) {
        for _ in 0..LOOKS_MAX {
            let (_, told) = self.json(Method::GET, &format!("/events/{event}")).await;
            if told["data"]["remaining"] == left {
                return;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        panic!("it never has {left} left");
    }

    fn seed(&self, words: &[&str]) -> Vec<u64> {
        let output = miaosha(self.folder.path()).arg("seed").args(words).args(["--state", "state"]).output().unwrap();
        let made: Value = serde_json::from_slice(&output.stdout).unwrap();
        made["sales"].as_array().unwrap().iter().map(|id| id.as_u64().unwrap()).collect()
    }

    async fn call(&self, method: Method, path: &str) -> (u16, Bytes) {
        let stream = TcpStream::connect(&self.place).await.unwrap();
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).header("host", &self.place);
        let answer = sender.send_request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.into_body().collect().await.unwrap().to_bytes())
    }

    async fn json(&self, method: Method, path: &str) -> (u16, Value) {
        let (status, body) = self.call(method, path).await;
        (status, serde_json::from_slice(&body).unwrap())
    }

    fn kept(&self) -> Option<PathBuf> {
        let mut unread = vec![self.folder.path().join("tickets")];
        while let Some(path) = unread.pop() {
            match path.read_dir() {
                Ok(entries) => unread.extend(entries.map(|entry| entry.unwrap().path())),
                Err(_) => return path.extension().is_some_and(|ending| ending == "pdf").then_some(path),
            }
        }
        None
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_sells_tickets_in_two_commands() {
    let office = Office::open().await;
    let events = office.seed(&["2", "3", "--free"]);
    assert_eq!(events.len(), 2);
    let (status, health) = office.json(Method::GET, "/health").await;
    assert_eq!((status, &health["data"]["fallback"]["active"]), (200, &Value::Bool(false)), "{health}");
    let path = format!("/buy/{}", events[0]);
    let (status, bought) = office.json(Method::POST, &path).await;
    let sold_at = Instant::now();
    assert_eq!((status, &bought["data"]["ticket"]), (200, &format!("ticket-{}-1", events[0]).into()), "{bought}");
    // Printed by itself, into the folder that was named.
    office.becomes(Office::kept).await;
    println!("the first ticket was printed within {} ms", sold_at.elapsed().as_millis());
    let (status, pdf) = office.call(Method::GET, bought["data"]["url"].as_str().unwrap()).await;
    assert!(status == 200 && pdf.starts_with(b"%PDF-"), "{status}");
    for left in [1, 0] {
        assert_eq!(office.json(Method::POST, &path).await.0, 200);
        // What is told is a moment old.
        office.has_left(events[0], left).await;
    }
    let (status, refused) = office.json(Method::POST, &path).await;
    assert_eq!((status, &refused["error"]), (409, &Value::Bool(true)), "{refused}");
    assert_eq!(office.json(Method::POST, "/buy/1000000").await.0, 404);
    assert_eq!(office.json(Method::POST, "/admin/seed-fallback").await.0, 401);
    let (_, told) = office.json(Method::GET, "/metrics").await;
    assert_eq!(told["fallbackActivations"], 0);
    let log = std::fs::read_to_string(office.folder.path().join("logs/app.log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let says = |text: &str| lines.iter().any(|line| line["message"].as_str().is_some_and(|said| said.contains(text)));
    assert!(says("starting") && says("REDIS_URL") && !log.contains("nowhere"), "{log}");
}
