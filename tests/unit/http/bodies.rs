//! Strict bodies, limits, and the problems they end in.

use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::HeaderMap;
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, Responder, ResponseError, test as call, web};
use futures_util::{Stream, StreamExt, stream};
use miaosha::kit::http::body;
use miaosha::kit::http::limits;
use miaosha::kit::http::problem::{self, Kind, Problem};
use miaosha::ports::Fault;
use miaosha::wire::document;
use proptest::prelude::*;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    quantity: u8,
    note: Option<String>,
    #[serde(default)]
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    title: String,
}

fn blamed(bytes: &[u8]) -> (Kind, String) {
    let problem = body::parse::<Order>(bytes).unwrap_err();
    (problem.kind, problem.field.unwrap().into_owned())
}

#[test]
fn a_body_that_does_not_fit_names_the_field() {
    let good = br#" {"quantity":2,"note":null,"lines":[{"title":"a\u00e9"}]} "#;
    assert_eq!(body::parse::<Order>(good).unwrap().lines[0].title, "aé");
    let cases: [(&[u8], &str); 24] = [
        (b"", "body"),
        (b"  \n", "body"),
        (b"{", "body"),
        (b"{\"quantity\":1}}", "body"),
        (br#"{"quantity":1} x"#, "body"),
        (b"[1]", "body"),
        (b"[1,null,[]]", "body"),
        (b"null", "body"),
        (b"\"quantity\"", "body"),
        (b"\xff\xfe{}", "body"),
        (b"{\"quantity\":1,\"note\":\"\xff\"}", "body"),
        (b"{}", "quantity"),
        (br#"{"quantity":"1"}"#, "quantity"),
        (br#"{"quantity":null}"#, "quantity"),
        (br#"{"quantity":-1}"#, "quantity"),
        (br#"{"quantity":256}"#, "quantity"),
        (br#"{"quantity":1.5}"#, "quantity"),
        (br#"{"quantity":1e400}"#, "body"),
        (br#"{"quantity":1,"price":3}"#, "price"),
        (br#"{"quantity":1,"quantity":2}"#, "quantity"),
        (br#"{"quantity":1,"note":[]}"#, "note"),
        (br#"{"quantity":1,"lines":[{"title":"a"},{}]}"#, "lines[1].title"),
        (br#"{"quantity":1,"lines":[{"title":"a"},{"title":7}]}"#, "lines[1].title"),
        (br#"{"quantity":1,"lines":[{"title":"a","x":7}]}"#, "lines[0].x"),
    ];
    for (bytes, field) in cases {
        let shown = String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(blamed(bytes), (Kind::INVALID, field.to_owned()), "{shown}");
    }
    let deep = [b"{\"lines\":".as_slice(), "[".repeat(100_000).as_bytes()].concat();
    assert_eq!(blamed(&deep).0, Kind::INVALID);
}

#[test]
fn texts_and_numbers_have_limits() {
    assert_eq!(limits::text("name", "  Ann ", 3).unwrap(), "Ann");
    for bad in ["", "   ", "Anna", "A\u{0}", "A\nb"] {
        assert_eq!(limits::text("name", bad, 3).unwrap_err().field.as_deref(), Some("name"), "{bad:?}");
    }
    assert_eq!(limits::within("n", 5, 1..=5).unwrap(), 5);
    assert_eq!(limits::within("n", 6, 1..=5).unwrap_err().field.as_deref(), Some("n"));
}

proptest! {
    #[test]
    fn no_bytes_break_the_reading_of_a_body(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Err(problem) = body::parse::<Order>(&bytes) {
            prop_assert_eq!(problem.kind, Kind::INVALID);
            prop_assert!(problem.field.is_some());
        }
    }
}

async fn echo(req: HttpRequest, payload: web::Payload) -> Result<impl Responder, Problem> {
    body::path_number(&req, "id")?;
    let order: Order = body::json(&req, &mut payload.into_inner(), 64).await?;
    Ok(HttpResponse::Ok().body(order.quantity.to_string()))
}

async fn ask(request: call::TestRequest) -> (StatusCode, Value, actix_web::http::header::HeaderMap) {
    let app = call::init_service(
        App::new()
            .service(
                web::resource("/orders/{id}")
                    .route(web::post().to(echo))
                    .default_service(web::to(problem::method_not_allowed)),
            )
            .configure(problem::defaults),
    )
    .await;
    let response = call::call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = call::read_body(response).await;
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null), headers)
}

/// A body of which a piece comes each second.
fn drips(piece: &'static [u8], pieces: usize) -> Payload {
    let pieces = stream::iter(0..pieces).then(move |_| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, PayloadError>(Bytes::from_static(piece))
    });
    Payload::from(Box::pin(pieces) as Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>)
}

async fn read_drips(piece: &'static [u8], pieces: usize) -> (Result<Bytes, Problem>, u128) {
    let begun = tokio::time::Instant::now();
    let read = body::read_any(&HeaderMap::new(), &mut drips(piece, pieces), 1 << 20).await;
    (read, begun.elapsed().as_millis())
}

#[tokio::test(start_paused = true)]
async fn a_body_is_waited_for_so_long() {
    assert_eq!(read_drips(b"x", 9).await.0.unwrap().len(), 9);
    let (read, ms) = read_drips(b"x", 1_000).await;
    let problem = read.unwrap_err();
    assert_eq!((problem.kind, problem.field.as_deref(), ms), (Kind::REQUEST_TIMEOUT, Some("body"), 10_000));
    let connection = problem.error_response().head().connection_type();
    assert_eq!(connection, ConnectionType::Close, "the rest of it is not read");
    // One that never begins is waited for as long.
    let never = Payload::from(Box::pin(stream::pending()) as Pin<Box<dyn Stream<Item = Result<Bytes, PayloadError>>>>);
    let begun = tokio::time::Instant::now();
    let read = body::read_any(&HeaderMap::new(), &mut { never }, 64).await;
    assert_eq!((read.unwrap_err().kind, begun.elapsed().as_millis()), (Kind::REQUEST_TIMEOUT, 10_000));
}

/// At 16 KiB a second, with ten seconds to begin with.
#[tokio::test(start_paused = true)]
async fn a_long_body_has_longer() {
    static PIECE: [u8; 16 * 1024] = [b'x'; 16 * 1024];
    assert_eq!(read_drips(&PIECE, 30).await.0.unwrap().len(), 30 * PIECE.len());
    let (read, ms) = read_drips(&PIECE[..8 * 1024], 30).await;
    // Each second of it buys half a second more.
    assert_eq!((read.unwrap_err().kind, ms / 1_000), (Kind::REQUEST_TIMEOUT, 19));
}

#[test]
fn an_answer_quotes_little() {
    let long = "x".repeat(30_000);
    for body in [
        format!(r#"{{"{long}":1}}"#),
        format!(r#"{{"quantity":"{long}"}}"#),
        format!(r#"{{"quantity":"{}"}}"#, r#"\""#.repeat(10_000)),
    ] {
        let problem = body::parse::<Order>(body.as_bytes()).unwrap_err();
        assert!(problem.detail.chars().count() < 300, "{}", problem.detail);
        assert!(problem.field.unwrap().chars().count() <= 65);
        assert!(problem.detail.contains("expected"), "what would have been right is said: {}", problem.detail);
    }
    let (fits, long) = ("y".repeat(64), "y".repeat(65));
    let blamed = |name: &str| body::parse::<Order>(format!(r#"{{"{name}":1}}"#).as_bytes()).unwrap_err();
    assert_eq!(blamed(&fits).field.as_deref(), Some(fits.as_str()));
    assert_eq!(blamed(&long).field.as_deref(), Some(format!("{fits}…").as_str()));
}

fn post(path: &str) -> call::TestRequest {
    call::TestRequest::post().uri(path).insert_header(("content-type", "application/json; charset=utf-8"))
}

#[actix_web::test]
async fn every_refusal_is_a_problem() {
    let (status, said, _) = ask(post("/orders/7").set_payload(r#"{"quantity":3}"#)).await;
    assert_eq!((status, said), (StatusCode::OK, json!(3)));

    let long = format!(r#"{{"quantity":3,"note":"{}"}}"#, "x".repeat(100));
    let html = call::TestRequest::post().uri("/orders/7").insert_header(("content-type", "text/html"));
    let cases = [
        (post("/nowhere"), 404, "not_found", None),
        (call::TestRequest::get().uri("/orders/7"), 405, "method_not_allowed", None),
        (post("/orders/x").set_payload("{}"), 400, "invalid", Some("id")),
        (post("/orders/-1").set_payload("{}"), 400, "invalid", Some("id")),
        (post("/orders/18446744073709551616").set_payload("{}"), 400, "invalid", Some("id")),
        (post("/orders/7").set_payload("{}"), 400, "invalid", Some("quantity")),
        (post("/orders/7").set_payload(long.clone()), 413, "payload_too_large", Some("body")),
        (
            post("/orders/7").set_payload(long).insert_header(("content-length", "9")),
            413,
            "payload_too_large",
            Some("body"),
        ),
        (post("/orders/7").insert_header(("content-length", "9999")), 413, "payload_too_large", Some("body")),
        (post("/orders/7").insert_header(("content-length", "many")), 400, "invalid", Some("Content-Length")),
        (html.set_payload("{}"), 415, "unsupported_media_type", Some("Content-Type")),
        (call::TestRequest::post().uri("/orders/7"), 415, "unsupported_media_type", Some("Content-Type")),
        (
            post("/orders/7").insert_header(("content-encoding", "gzip")),
            415,
            "unsupported_media_type",
            Some("Content-Encoding"),
        ),
    ];
    for (request, status, name, field) in cases {
        let (got, said, headers) = ask(request).await;
        assert_eq!(got.as_u16(), status, "{said}");
        assert_eq!(headers.get("content-type").unwrap(), problem::CONTENT_TYPE);
        assert_eq!(said["type"], format!("/problems/{name}"));
        assert_eq!(said["status"], status);
        assert_eq!(said["field"].as_str(), field, "{said}");
        assert!(said["title"].is_string() && said["detail"].is_string());
    }
}

#[test]
fn kinds_are_told_apart_and_say_when_to_come_again() {
    let kinds = document::DOCUMENT.kinds();
    let mut names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), kinds.len());
    for &kind in kinds {
        let response = actix_web::ResponseError::error_response(&Problem::new(kind, "x"));
        let waits = matches!(kind.status().as_u16(), 429 | 503);
        assert_eq!(response.headers().contains_key("retry-after"), waits, "{kind:?}");
        assert_eq!(response.headers().contains_key("www-authenticate"), kind == Kind::UNAUTHORIZED);
    }
    let problem = Problem::from(Fault::new("ledger", "password=hunter2"));
    assert_eq!(problem.kind, Kind::UNAVAILABLE);
    assert!(!problem.detail.contains("hunter2"));
}
