//! Requests that two readers could read differently: nginx refuses them, or hands on one request that has one reading.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::front::{Behind, Front, HOP, answers, send};

/// A service that writes down every request that reaches it, read as RFC 9112 has it, and answers; or, told so, ends the
/// connection instead of an answer.
pub struct Scribe {
    pub address: String,
    seen: Arc<Mutex<Vec<(String, String)>>>,
}

impl Scribe {
    pub async fn new(answers: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<_>>> = Arc::default();
        let write = seen.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(note(stream, write.clone(), answers));
            }
        });
        Self { address, seen }
    }

    /// Heads and bodies so far.
    pub fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

async fn note(mut stream: TcpStream, seen: Arc<Mutex<Vec<(String, String)>>>, answers: bool) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        assert!(!head.contains("transfer-encoding"), "a length, never chunks: {head}");
        let lengths: Vec<usize> =
            values(&head, "content-length").iter().map(|length| length.parse().unwrap()).collect();
        assert!(lengths.len() <= 1, "{head}");
        let length = lengths.first().copied().unwrap_or(0);
        while bytes.len() < end + 4 + length {
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
        bytes.drain(..end + 4 + length);
        seen.lock().unwrap().push((head, body));
        if !answers {
            return;
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await;
    }
}

/// In a head that was made small.
pub fn values<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
}

const REFUSED: &[(&str, &str)] = &[
    ("a length and chunks", "content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("chunks and a length", "transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
    ("two lengths", "content-length: 0\r\ncontent-length: 44\r\n\r\n"),
    ("a list of lengths", "content-length: 0, 44\r\n\r\n"),
    ("a signed length", "content-length: +44\r\n\r\n"),
    ("a length that is none", "content-length: 0x2c\r\n\r\n"),
    ("two codings", "transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ("a coding twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a coding nobody knows", "transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("a space before the colon", "transfer-encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("a broken chunk", "transfer-encoding: chunked\r\n\r\nzz\r\n\r\n"),
    ("a name of zeros", "x\0y: 1\r\n\r\n"),
    ("a return in a value", "x: 1\rtransfer-encoding: chunked\r\n\r\n"),
];
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: shop\r\n\r\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_two_readings_reaches_nobody() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    for (what, rest) in REFUSED {
        // What follows would be the rest of a body, or a smuggled request.
        let bytes = format!("POST /v1/checkouts HTTP/1.1\r\nhost: shop\r\n{rest}{HIDDEN}");
        let heard = answers(&send(front.address, HOP, bytes.as_bytes()).await);
        assert_eq!(heard.len(), 1, "{what}: one answer, and the end");
        assert!((400..=501).contains(&heard[0].status), "{what}: {}", heard[0].status);
        assert_eq!(heard[0].header("content-type"), Some("application/problem+json"), "{what}");
        assert_eq!(scribe.seen(), [], "{what}");
    }
}

/// Whole, as one request, with a length, whatever it came in; and nothing of the sender's about the connection itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_one_reading_arrives_once() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let chunks = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let lines = "transfer-encoding: chunked\r\nx_forwarded_for: 1.2.3.4\r\nte: trailers\r\nkeep-alive: 5\r\n\
                 upgrade: h2c\r\nhttp2-settings: AAAA\r\nx-real-ip: 1.2.3.4\r\nforwarded: for=1.2.3.4\r\n";
    let bytes = format!(
        "POST /v1/checkouts HTTP/1.1\r\nhost: shop\r\nconnection: close, x-forwarded-for\r\n{lines}\r\n{chunks}"
    );
    let heard = answers(&send(front.address, HOP, bytes.as_bytes()).await);
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].status, 200);
    let seen = scribe.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let (head, body) = &seen[0];
    assert_eq!(body, HIDDEN, "a body, and no request");
    for gone in ["connection", "upgrade", "te", "keep-alive", "x_forwarded_for", "x-real-ip", "forwarded"] {
        assert_eq!(values(head, gone), [] as [&str; 0], "{gone}: {head}");
    }
    assert_eq!(values(head, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(head, "host"), ["shop"]);
}

/// Only `/ws` becomes a tunnel, and only for a WebSocket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_else_becomes_a_tunnel() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let asks = [("GET /ws", "h2c", 0), ("GET /v1/sales", "websocket", 0), ("GET /ws", "WebSocket", 1)];
    for (first, upgrade, count) in asks {
        scribe.forget();
        let lines = format!("upgrade: {upgrade}\r\n");
        assert_eq!(front.ask(first, &lines, "").await.status, 200);
        let (head, _) = scribe.seen().pop().unwrap();
        assert_eq!(values(&head, "upgrade").len(), count, "{first} {upgrade}");
        assert_eq!(values(&head, "connection").len(), count, "{first} {upgrade}");
    }
    scribe.forget();
    front.ask("GET /web/0123456789abcdef/shop.js", "accept-encoding: br, gzip;q=0.5\r\n", "").await;
    assert_eq!(values(&scribe.seen().pop().unwrap().0, "accept-encoding"), ["gzip"], "one name for each form");
    scribe.forget();
    front.ask("GET /ws", "", "a body that no socket has").await;
    assert_eq!(scribe.seen().pop().unwrap().1, "");
}

/// The outcome of an attempt that was sent and not answered is unknown: the buyer sends it again, and not we. What only reads is
/// tried elsewhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_happened_is_not_sent_again() {
    let (one, other) = (Scribe::new(false).await, Scribe::new(false).await);
    let both = [one.address.as_str(), other.address.as_str()];
    for (first, tries) in [("POST /v1/sales/7/attempts", 1), ("POST /v1/checkouts", 1), ("GET /v1/sales", 2)] {
        // One that remembers nothing of the requests before.
        let front = Front::before(Behind { publishers: &both, gateways: &both, sockets: &one.address }).await;
        one.forget();
        other.forget();
        let body = if first.starts_with("POST") { "{}" } else { "" };
        let answer = front.ask(first, "", body).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(one.seen().len() + other.seen().len(), tries, "{first}");
    }
}

/// One that is not there is passed over without the client's hearing of it, also for what is sent once only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_away_is_passed_over() {
    let there = Scribe::new(true).await;
    let away = super::front::free().to_string();
    let both = [away.as_str(), there.address.as_str()];
    let front = Front::before(Behind { publishers: &both, gateways: &both, sockets: &there.address }).await;
    for _ in 0..6 {
        assert_eq!(front.ask("POST /v1/sales/7/attempts", "", "{}").await.status, 200);
    }
    assert_eq!(there.seen().len(), 6);
}
