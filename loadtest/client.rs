//! One kept-alive HTTP/1.1 connection, opened again when it breaks.

use std::net::Ipv4Addr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long an answer may take before the connection is given up.
const ANSWER_WAIT_MAX: Duration = Duration::from_secs(30);

pub struct Client {
    /// `127.0.0.1:8080`.
    authority: String,
    /// Whether anything of the last request may have left.
    sent: bool,
    sender: Option<SendRequest<Full<Bytes>>>,
    on_behalf_of: Option<Ipv4Addr>,
    /// Of the next requests; without one each has a key of its own.
    key: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after_s: Option<u64>,
    pub body: Bytes,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }
}

/// `http://host:port` -> `host:port`. Only loopback addresses are a target.
pub fn authority(url: &str) -> Result<String, String> {
    let rest = url.strip_prefix("http://").ok_or_else(|| format!("{url}: only http:// URLs are spoken here"))?;
    let authority = rest.trim_end_matches('/');
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let is_loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    if is_loopback { Ok(authority.to_owned()) } else { Err(format!("{url}: only loopback addresses are a target")) }
}

/// Everybody has one of their own, as far as 10.0.0.0/8 goes.
pub fn address_of(buyer: u64) -> Ipv4Addr {
    Ipv4Addr::from(10 << 24 | (buyer % (1 << 24)) as u32)
}

impl Client {
    pub fn new(authority: &str) -> Self {
        Self { authority: authority.to_owned(), sent: false, sender: None, on_behalf_of: None, key: None }
    }

    /// Whether the last request may have arrived; one that never left may be sent to any other part.
    pub fn was_sent(&self) -> bool {
        self.sent
    }

    /// From where the next requests come, as a balancer in front of nginx would say it.
    pub fn on_behalf_of(&mut self, address: Option<Ipv4Addr>) {
        self.on_behalf_of = address;
    }

    /// The key of the next requests.
    pub fn under(&mut self, key: Option<String>) {
        self.key = key;
    }

    /// Connects before anything is asked.
    pub async fn open(&mut self) -> Result<(), String> {
        self.sender = Some(self.connect().await?);
        Ok(())
    }

    pub async fn get(&mut self, path: &str, token: &str) -> Result<Answer, String> {
        self.send(Method::GET, path, token, Bytes::new()).await
    }

    pub async fn post(&mut self, path: &str, token: &str, body: impl Into<Bytes>) -> Result<Answer, String> {
        self.send(Method::POST, path, token, body.into()).await
    }

    /// An error says only that no answer came; whether the request had an effect is not known.
    pub async fn send(&mut self, method: Method, path: &str, token: &str, body: Bytes) -> Result<Answer, String> {
        match tokio::time::timeout(ANSWER_WAIT_MAX, self.exchange(method, path, token, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.sender = None;
                Err(error)
            }
            Err(_) => {
                self.sender = None;
                Err("no answer in time".to_owned())
            }
        }
    }

    async fn exchange(&mut self, method: Method, path: &str, token: &str, body: Bytes) -> Result<Answer, String> {
        self.sent = false;
        let mut sender = match self.sender.take() {
            Some(sender) if !sender.is_closed() => sender,
            _ => self.connect().await?,
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.authority)
            .header("content-type", "application/json")
            .header("idempotency-key", self.key.clone().unwrap_or_else(|| format!("{:032x}", fastrand::u128(..))));
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(address) = self.on_behalf_of {
            request = request.header("x-forwarded-for", address.to_string());
        }
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        sender.ready().await.map_err(|error| error.to_string())?;
        self.sent = true;
        let response = sender.try_send_request(request).await.map_err(|mut error| {
            self.sent = error.take_message().is_none();
            error.into_error().to_string()
        })?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        self.sender = Some(sender);
        Ok(Answer { status, retry_after_s: retry_after, body })
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, String> {
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(sender)
    }
}
