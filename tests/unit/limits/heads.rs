//! What is no request is answered by a problem that says what is wrong with it, as far as that is known, and ends its connection.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::{RequestHead, ServerHandle};
use actix_web::{App, web};
use miaosha::kit::http::connections::Connections;
use miaosha::kit::http::last_words::{HEAD_BYTES_MAX, HEADERS_MAX};
use miaosha::kit::http::problem::{self, Kind, Problem};
use miaosha::kit::http::server::{self, ServerSettings};
use miaosha::kit::socket::lean::{self, LeanSettings};
use miaosha::kit::socket::{Socket, Welcome};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const GOOD: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
/// Nobody is so slow; who waits for longer waits for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// And the field that is to blame.
const MALFORMED: [(&str, &str, &str); 24] = [
    ("one word", "HELLO\r\n\r\n", "head"),
    ("no version", "GET /\r\n\r\n", "head"),
    ("a space too many", "GET  / HTTP/1.1\r\nhost: x\r\n\r\n", "head"),
    ("a space before it", " GET / HTTP/1.1\r\nhost: x\r\n\r\n", "head"),
    ("no method of letters", "G{T / HTTP/1.1\r\nhost: x\r\n\r\n", "head"),
    ("another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01", "head"),
    ("a later version", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "version"),
    ("a version of the future", "GET / HTTP/9.9\r\nhost: x\r\n\r\n", "version"),
    ("a slip of the pen", "GET / HTP/1.1\r\nhost: x\r\n\r\n", "version"),
    ("a control character in the path", "GET /\x7f HTTP/1.1\r\nhost: x\r\n\r\n", "head"),
    ("a path that is not escaped", "GET /<a> HTTP/1.1\r\nhost: x\r\n\r\n", "path"),
    ("a line without a colon", "GET / HTTP/1.1\r\nhost: x\r\nnonsense\r\n\r\n", "head"),
    ("a space before the colon", "GET / HTTP/1.1\r\nhost : x\r\n\r\n", "head"),
    ("a folded line", "GET / HTTP/1.1\r\nhost: x\r\na: b\r\n c\r\n\r\n", "head"),
    ("a control character", "GET / HTTP/1.1\r\nhost: x\r\na: \x00\r\n\r\n", "head"),
    ("a lone return", "GET / HTTP/1.1\rhost: x\r\n\r\n", "head"),
    ("no host", "GET / HTTP/1.1\r\n\r\n", "head"),
    ("two hosts", "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", "head"),
    ("two lengths", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx", "head"),
    ("a length with a sign", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: +1\r\n\r\nx", "head"),
    (
        "a length and chunks",
        "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "head",
    ),
    ("another coding", "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "head"),
    ("chunks of an old version", "POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "head"),
    ("an old version's body without a length", "POST / HTTP/1.0\r\nhost: x\r\n\r\n", "head"),
];

fn serve(settings: ServerSettings) -> (SocketAddr, ServerHandle) {
    let settings = ServerSettings { workers: 1, ..settings };
    let app = || App::new().default_service(web::to(async || "fine"));
    let (address, server) = server::bind(&settings, 1_000, Connections::default(), app).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}

/// All that comes until the connection ends; what is sent last may be in vain.
async fn heard(address: SocketAddr, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    for piece in pieces {
        if stream.write_all(piece).await.is_err() {
            break;
        }
    }
    let mut heard = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("silence");
    String::from_utf8(heard).unwrap()
}

/// It is the last answer, and whole.
fn is_problem(what: &str, answer: &str, kind: Kind, field: &str) {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{what}: {answer:?}"));
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some(&*format!("HTTP/1.1 {}", kind.status())), "{what}");
    let header = |name: &str| head.split("\r\n").find_map(|line| line.strip_prefix(&format!("{name}: ")[..]));
    assert_eq!(header("content-type"), Some(problem::CONTENT_TYPE), "{what}");
    assert_eq!(header("content-length"), Some(&*body.len().to_string()), "{what}");
    assert_eq!(header("connection"), Some("close"), "{what}");
    assert_eq!((header("cache-control"), header("x-content-type-options")), (Some("no-store"), Some("nosniff")));
    assert!(header("date").is_some_and(|date| date.ends_with(" GMT")), "{what}: {head}");
    let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{what}: {error}: {body}"));
    assert_eq!((&body["type"], &body["field"]), (&kind.type_uri().into(), &field.into()), "{what}: {body}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{what}: {body}");
}

#[actix_web::test]
async fn what_is_no_request_is_answered_by_a_problem() {
    let (address, handle) = serve(ServerSettings::default());
    for (what, head, field) in MALFORMED {
        is_problem(what, &heard(address, &[head.as_bytes()]).await, Kind::INVALID, field);
    }
    handle.stop(false).await;
}

/// Behind answers of ours, in the same write or in a later one, and behind a body that nobody spoke of.
#[actix_web::test]
async fn it_is_answered_in_its_turn() {
    let (address, handle) = serve(ServerSettings::default());
    let body = "POST / HTTP/1.1\r\nhost: x\r\n\r\n{\"a\":1}";
    for pieces in [vec![GOOD, "HELLO\r\n\r\n"], vec![GOOD, GOOD, "{"], vec![body], vec![GOOD, body]] {
        let pieces_of_bytes: Vec<&[u8]> = pieces.iter().map(|piece| piece.as_bytes()).collect();
        for text in [heard(address, &pieces_of_bytes).await, heard(address, &[pieces.concat().as_bytes()]).await] {
            let answers: Vec<&str> = text.split_inclusive("fine").collect();
            let (last, before) = answers.split_last().unwrap();
            let requests = pieces.concat().matches("host: x").count();
            assert_eq!(before.len(), requests, "{pieces:?}: {text}");
            assert!(before.iter().all(|answer| answer.starts_with("HTTP/1.1 200 OK\r\n")), "{pieces:?}: {text}");
            is_problem("the last", last, Kind::INVALID, "head");
        }
    }
    handle.stop(false).await;
}

/// What follows is read and thrown away, or the answer would be lost with it.
#[actix_web::test]
async fn a_head_has_its_length() {
    let (address, handle) = serve(ServerSettings::default());
    let begin = "GET / HTTP/1.1\r\nconnection: close\r\nhost: x\r\n";
    let headers = |count: usize| format!("{begin}{}\r\n", "a: b\r\n".repeat(count - 2));
    let answer = heard(address, &[headers(HEADERS_MAX).as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let answer = heard(address, &[headers(HEADERS_MAX + 1).as_bytes()]).await;
    is_problem("a header too many", &answer, Kind::HEAD_TOO_LARGE, "head");

    let long = |bytes: usize| format!("{begin}a: {}", "x".repeat(bytes - begin.len() - 3));
    let answer = heard(address, &[long(HEAD_BYTES_MAX - 4).as_bytes(), b"\r\n\r\n"]).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let answer = heard(address, &[long(HEAD_BYTES_MAX).as_bytes()]).await;
    is_problem("no end in sight", &answer, Kind::HEAD_TOO_LARGE, "head");
    let answer = heard(address, &[long(3 * HEAD_BYTES_MAX).as_bytes()]).await;
    is_problem("and many more", &answer, Kind::HEAD_TOO_LARGE, "head");
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_head_that_does_not_come_is_told_so() {
    // Longer than the library's clock, which it looks at twice a second, may be late.
    let (address, handle) = serve(ServerSettings { head_ms_max: 1_000, ..ServerSettings::default() });
    is_problem("half of it", &heard(address, &[&GOOD.as_bytes()[..20]]).await, Kind::REQUEST_TIMEOUT, "head");
    is_problem("nothing", &heard(address, &[]).await, Kind::REQUEST_TIMEOUT, "head");
    handle.stop(false).await;
}

#[derive(Clone)]
pub struct Nobody;

impl Welcome for Nobody {
    type Guest = ();

    const PROTOCOL: &'static str = "none";

    fn welcome(&self, _head: &RequestHead) -> Result<(), Problem> {
        Err(Problem::field("origin", Kind::INVALID, "nobody is welcome"))
    }

    fn message_bytes_max(&self) -> usize {
        1_024
    }

    fn start<S: Socket + 'static>(&self, (): (), _socket: S) {}
}

/// Where there is nothing but sockets, too; and whatever is said there of a request is as it was.
#[actix_web::test]
async fn sockets_answer_what_is_no_request() {
    let settings = LeanSettings { workers: 1, ..LeanSettings::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let (address, server) = lean::bind(&settings, listen, Connections::default(), "/", Nobody).unwrap();
    let handle = server.handle();
    tokio::spawn(server);
    for (what, head, field) in MALFORMED {
        is_problem(what, &heard(address, &[head.as_bytes()]).await, Kind::INVALID, field);
    }
    let handshake = "GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
        sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    for (request, field) in [(GOOD, "Upgrade"), (handshake, "origin")] {
        let answer = heard(address, &[request.as_bytes()]).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n") && answer.contains(field), "{answer}");
    }
    handle.stop(false).await;
}
