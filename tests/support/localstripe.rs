//! A third party's emulator of Stripe, as a process of its own on a free port.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

pub struct LocalStripe {
    pub url: String,
    _process: Child,
}

impl LocalStripe {
    /// Installed by `deploy/local/emulators.sh`, into the folder that the environment names.
    pub async fn start() -> Self {
        let folder =
            std::env::var("MIAOSHA_EMULATORS").expect("MIAOSHA_EMULATORS is not set: run the tests by `make test`");
        loop {
            let port = std::net::TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port();
            let mut process = Command::new(format!("{folder}/bin/localstripe"))
                .args(["--from-scratch", "--port", &port.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .kill_on_drop(true)
                .spawn()
                .unwrap();
            while process.try_wait().unwrap().is_none() {
                if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                    return Self { url: format!("http://127.0.0.1:{port}"), _process: process };
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Another process took the port meanwhile.
        }
    }

    /// Where it tells its events to.
    pub async fn tell(&self, url: &str, secret: &str) {
        let body = json!({ "url": url, "secret": secret }).to_string();
        let request = format!(
            "POST /_config/webhooks/shop HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
