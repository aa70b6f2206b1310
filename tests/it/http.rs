//! The web kit and the process kit: tokens, strict bodies, problems, probes, configuration, the two stops.

use std::io::Write;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, Responder, test as call, web};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use miaosha::domain::id::{BuyerId, ReservationId};
use miaosha::http::auth::{KeysError, TokenKeys};
use miaosha::http::probes::{self, Readiness};
use miaosha::http::problem::{self, Kind, Problem};
use miaosha::http::{body, limits};
use miaosha::ports::Fault;
use miaosha::ports::accounts::Role;
use miaosha::runtime::config::{Secret, load_with};
use miaosha::runtime::lifecycle::Lifecycle;
use miaosha::runtime::telemetry;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::clock::START;

const ACCESS: &str = "1111111111111111111111111111111111111111111111111111111111111111";
const CHECKOUT: &str = "2222222222222222222222222222222222222222222222222222222222222222";
const OTHER: &str = "3333333333333333333333333333333333333333333333333333333333333333";

fn keys() -> TokenKeys {
    TokenKeys::parse(&format!("access:a1:{ACCESS},checkout:c1:{CHECKOUT}")).unwrap()
}

// -- tokens --

#[test]
fn tokens_say_who_they_were_signed_for() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(u64::MAX), Role::Operator, START, 60_000);
    let principal = keys.verify_access(&token, START).unwrap();
    assert_eq!((principal.buyer, principal.role), (BuyerId(u64::MAX), Role::Operator));

    let token = keys.sign_checkout(ReservationId(7), BuyerId(9), START, 60_000);
    assert_eq!(keys.verify_checkout(&token, START).unwrap(), (ReservationId(7), BuyerId(9)));
}

#[test]
fn a_token_ends_when_its_time_is_over() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(keys.verify_access(&token, START.plus_ms(60_000)).is_ok());
    let problem = keys.verify_access(&token, START.plus_ms(67_000)).unwrap_err();
    assert_eq!(problem.kind, Kind::Unauthorized);
    assert!(problem.detail.contains("expired"), "{problem}");
}

#[test]
fn one_kind_of_token_is_never_another() {
    let keys = keys();
    let access = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let checkout = keys.sign_checkout(ReservationId(7), BuyerId(1), START, 60_000);
    assert_eq!(keys.verify_checkout(&access, START).unwrap_err().kind, Kind::Unauthorized);
    assert_eq!(keys.verify_access(&checkout, START).unwrap_err().kind, Kind::Unauthorized);
}

#[test]
fn keys_can_be_changed_without_a_gap() {
    let before = keys();
    let old = before.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    let after = TokenKeys::parse(&format!("access:a2:{OTHER},access:a1:{ACCESS},checkout:c1:{CHECKOUT}")).unwrap();
    assert!(after.verify_access(&old, START).is_ok());
    let new = after.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    assert!(after.verify_access(&new, START).is_ok());
    let problem = before.verify_access(&new, START).unwrap_err();
    assert!(problem.detail.contains("key is not known"), "{problem}");
}

/// Signed with the right secret by somebody else's code: what matters is what it says, not how its header is written.
fn forge(header: &Header, claims: &Value, secret: &str) -> String {
    let bytes: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&secret[at..at + 2], 16).unwrap()).collect();
    jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(&bytes)).unwrap()
}

fn claims() -> Value {
    json!({"iss": "miaosha", "aud": "access", "sub": "5", "role": "shopper", "exp": START.0 / 1_000 + 60})
}

fn header() -> Header {
    Header { typ: Some("access+jwt".into()), kid: Some("a1".into()), ..Header::new(Algorithm::HS256) }
}

#[test]
fn a_token_of_another_make_with_our_key_is_read_too() {
    let token = forge(&Header { cty: Some("JSON".into()), ..header() }, &claims(), ACCESS);
    assert_eq!(keys().verify_access(&token, START).unwrap().buyer, BuyerId(5));
    let token = forge(&header(), &claims(), ACCESS);
    assert_eq!(keys().verify_access(&token, START).unwrap().buyer, BuyerId(5));
}

#[test]
fn what_is_wrong_with_a_token_is_said() {
    let without = |claim: &str| {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        forge(&header(), &claims, ACCESS)
    };
    let with = |claim: &str, value: Value| {
        let mut claims = claims();
        claims[claim] = value;
        forge(&header(), &claims, ACCESS)
    };
    let typed = |typ: Option<&str>, kid: Option<&str>, alg| {
        let header = Header { typ: typ.map(Into::into), kid: kid.map(Into::into), ..Header::new(alg) };
        forge(&header, &claims(), ACCESS)
    };
    // {"alg":"none","typ":"access+jwt","kid":"a1"}
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiYWNjZXNzK2p3dCIsImtpZCI6ImExIn0";
    let good = forge(&header(), &claims(), ACCESS);
    let (message, _) = good.rsplit_once('.').unwrap();
    let payload = message.split_once('.').unwrap().1;
    let cases = [
        (String::new(), "not a token"),
        ("x".into(), "not a token"),
        ("a.b.c".into(), "not a token"),
        ("....".into(), "not a token"),
        ("x".repeat(10_000), "too long"),
        (format!("{none}.{payload}."), "not signed with HS256"),
        (format!("{message}."), "signature is wrong"),
        (format!("{message}.AAAA"), "signature is wrong"),
        (message.to_owned(), "not a token"),
        (forge(&header(), &claims(), OTHER), "signature is wrong"),
        (typed(Some("access+jwt"), Some("a1"), Algorithm::HS512), "not signed with HS256"),
        (typed(Some("access+jwt"), None, Algorithm::HS256), "does not name its key"),
        (typed(Some("access+jwt"), Some("c1"), Algorithm::HS256), "key is not known"),
        (typed(Some("access+jwt"), Some("zz"), Algorithm::HS256), "key is not known"),
        (typed(Some("JWT"), Some("a1"), Algorithm::HS256), "not an access token"),
        (typed(None, Some("a1"), Algorithm::HS256), "not an access token"),
        (with("iss", json!("somebody")), "claims are missing or wrong"),
        (with("aud", json!("checkout")), "claims are missing or wrong"),
        (with("aud", json!(["access", "checkout"])), "claims are missing or wrong"),
        (with("sub", json!("me")), "claims are missing or wrong"),
        (with("sub", json!(5)), "claims are missing or wrong"),
        (with("role", json!("king")), "claims are missing or wrong"),
        (with("exp", json!("tomorrow")), "claims are missing or wrong"),
        (with("exp", json!(0)), "expired"),
        (with("exp", json!(i64::MIN)), "expired"),
        (without("iss"), "claims are missing or wrong"),
        (without("aud"), "claims are missing or wrong"),
        (without("sub"), "claims are missing or wrong"),
        (without("role"), "claims are missing or wrong"),
        (without("exp"), "claims are missing or wrong"),
    ];
    for (token, why) in cases {
        let problem = keys().verify_access(&token, START).expect_err(&token);
        assert_eq!(problem.kind, Kind::Unauthorized, "{token}");
        assert!(problem.detail.contains(why), "{token}: {problem}, not {why:?}");
    }
}

#[test]
fn no_change_to_a_token_goes_unseen() {
    let keys = keys();
    let token = keys.sign_access(BuyerId(1), Role::Shopper, START, 60_000);
    for at in 0..token.len() {
        for with in [b'A', b'b', b'.', b'_'] {
            let mut changed = token.clone().into_bytes();
            if changed[at] == with {
                continue;
            }
            changed[at] = with;
            let changed = String::from_utf8(changed).unwrap();
            assert!(keys.verify_access(&changed, START).is_err(), "{changed}");
        }
    }
}

#[test]
fn key_lists_that_make_no_sense_are_refused() {
    let parse = |text: String| TokenKeys::parse(&text).unwrap_err();
    assert_eq!(parse(String::new()), KeysError::Form(1));
    assert_eq!(parse(format!("access:a1:{ACCESS}:more")), KeysError::Form(1));
    assert_eq!(parse(format!("admin:a1:{ACCESS}")), KeysError::Kind(1));
    assert_eq!(parse(format!("access::{ACCESS}")), KeysError::Kid(1));
    assert_eq!(parse("access:a1:11".into()), KeysError::Secret(1));
    assert_eq!(parse(format!("access:a1:{}g", &ACCESS[1..])), KeysError::Secret(1));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:c1:{ACCESS}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS},checkout:a1:{CHECKOUT}")), KeysError::Repeated(2));
    assert_eq!(parse(format!("access:a1:{ACCESS}")), KeysError::Missing("checkout"));
    assert!(!format!("{:?}", keys()).contains("1111"));
}

// -- bodies --

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
        assert_eq!(blamed(bytes), (Kind::Invalid, field.to_owned()), "{shown}");
    }
    let deep = [b"{\"lines\":".as_slice(), "[".repeat(100_000).as_bytes()].concat();
    assert_eq!(blamed(&deep).0, Kind::Invalid);
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
            prop_assert_eq!(problem.kind, Kind::Invalid);
            prop_assert!(problem.field.is_some());
        }
    }

    #[test]
    fn no_text_breaks_the_reading_of_a_token(token in "\\PC{0,300}|[A-Za-z0-9_.-]{0,300}") {
        prop_assert_eq!(keys().verify_access(&token, START).unwrap_err().kind, Kind::Unauthorized);
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
    let mut names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Kind::ALL.len());
    for &kind in Kind::ALL {
        let response = actix_web::ResponseError::error_response(&Problem::new(kind, "x"));
        let waits = matches!(kind.status().as_u16(), 429 | 503);
        assert_eq!(response.headers().contains_key("retry-after"), waits, "{kind:?}");
        assert_eq!(response.headers().contains_key("www-authenticate"), kind == Kind::Unauthorized);
    }
    let problem = Problem::from(Fault::new("ledger", "password=hunter2"));
    assert_eq!(problem.kind, Kind::Unavailable);
    assert!(!problem.detail.contains("hunter2"));
}

// -- probes --

#[actix_web::test]
async fn readiness_is_what_every_part_says() {
    let lifecycle = Lifecycle::new();
    let readiness = Readiness::new(lifecycle.soft.clone());
    let broker = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    readiness.watch({
        let broker = broker.clone();
        move || if broker.load(std::sync::atomic::Ordering::SeqCst) { vec![] } else { vec!["broker"] }
    });
    let metrics = telemetry::init_metrics();
    let app = call::init_service(
        App::new().configure(|cfg| probes::routes(cfg, readiness.clone(), metrics)).configure(problem::defaults),
    )
    .await;
    let get = async |path: &str| {
        let response = call::call_service(&app, call::TestRequest::get().uri(path).to_request()).await;
        (response.status().as_u16(), String::from_utf8(call::read_body(response).await.to_vec()).unwrap())
    };
    assert_eq!(get("/livez").await.0, 200);
    let (status, said) = get("/readyz").await;
    assert_eq!((status, said.contains("starting"), said.contains("broker")), (503, true, true));
    readiness.started();
    assert_eq!(get("/readyz").await, (503, r#"{"problems":["broker"],"ready":false}"#.to_owned()));
    broker.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(get("/readyz").await.0, 200);
    lifecycle.soft.cancel();
    assert!(get("/readyz").await.1.contains("stopping"));
    assert_eq!(get("/livez").await.0, 200);

    metrics::counter!("miaosha_kit_test_total").increment(1);
    metrics::histogram!("miaosha_kit_test_seconds").record(0.003);
    let (status, text) = get("/metrics").await;
    assert_eq!(status, 200);
    assert!(text.contains("miaosha_kit_test_total 1"), "{text}");
    assert!(text.contains(r#"miaosha_kit_test_seconds_bucket{le="0.005"} 1"#), "{text}");
}

// -- configuration, stops --

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    process: miaosha::runtime::config::ProcessSettings,
    keys: Secret,
    #[serde(default)]
    publisher: miaosha::services::publisher::Settings,
}

#[test]
fn configuration_is_a_file_with_the_environment_over_it() {
    let mut file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
    writeln!(file, "[process]\ndrain_ms_max = 5\n[publisher]\nbatch_max = 7").unwrap();
    let env = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let given =
        env(&[("MIAOSHA__KEYS", "secret"), ("MIAOSHA__PROCESS__DRAIN_MS_MAX", "6"), ("MIAOSHA_REDIS_URL", "x")]);
    let config: Config = load_with(Some(file.path()), given).unwrap();
    assert_eq!((config.process.drain_ms_max, config.publisher.batch_max), (6, 7));
    assert_eq!(config.keys.expose(), "secret");
    assert!(!format!("{config:?}").contains("secret\""));

    let unknown = env(&[("MIAOSHA__KEYS", "k"), ("MIAOSHA__PROCESS__DRAIN", "6")]);
    assert!(load_with::<Config>(Some(file.path()), unknown).unwrap_err().to_string().contains("drain"));
    assert!(load_with::<Config>(Some(file.path()), env(&[])).unwrap_err().to_string().contains("keys"));
    let missing = std::path::Path::new("/nowhere/at-all.toml");
    assert!(load_with::<Config>(Some(missing), env(&[("MIAOSHA__KEYS", "k")])).is_err());
}

/// Every sample is read by the fleet's own configuration and says what the defaults are: whoever changes one changes both.
#[test]
fn the_samples_say_the_defaults() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/config");
    let described = |config: &miaosha::wire::config::Config| {
        let mut config = config.clone();
        (config.http.listen, config.process.inner_listen) = (([0; 4], 0).into(), ([0; 4], 0).into());
        format!("{config:#?}")
    };
    let defaults = described(&miaosha::wire::config::Config::default());
    for name in ["publisher", "consumer", "payment-consumer", "gateway"] {
        let file = folder.join(format!("{name}.toml"));
        let sample = load_with(Some(&file), []).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(described(&sample), defaults, "{name}");
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(!text.lines().any(|line| line.starts_with("url") || line.starts_with("token_keys")), "{name}");
    }
}

#[tokio::test]
async fn a_drain_waits_for_what_was_begun() {
    let lifecycle = Lifecycle::new();
    let done = std::sync::Arc::new(tokio::sync::Notify::new());
    lifecycle.tracker.spawn({
        let done = done.clone();
        async move { done.notified().await }
    });
    let drain = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move { lifecycle.drain().await }
    });
    lifecycle.soft.cancelled().await;
    assert!(!drain.is_finished());
    done.notify_one();
    assert!(drain.await.unwrap());
}

#[tokio::test]
async fn a_drain_that_takes_too_long_is_cut() {
    let lifecycle = Lifecycle::new();
    lifecycle.tracker.spawn(std::future::pending::<()>());
    let signals = tokio::spawn({
        let lifecycle = lifecycle.clone();
        async move { lifecycle.stop_on_signals(1).await }
    });
    assert!(!lifecycle.drain().await);
    signals.await.unwrap().unwrap();
}
