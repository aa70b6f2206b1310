//! Whatever nginx refuses, it says in the shop's own words; and it says no more than it must.

use miaosha::wire::document;

use super::desync::Scribe;
use super::front::{Answer, Behind, Front, HOP, answers, folder, free, nginx_in, send, sources};
use crate::support::shop::Shop;

#[test]
fn the_very_files_are_accepted() {
    let place = std::fs::read_to_string(sources().join("place.conf")).unwrap();
    let place = ["publisher", "gateway", "sockets"]
        .iter()
        .fold(place, |place, name| place.replace(&format!("server {name}:"), "server 127.0.0.1:"));
    // In clear, and by TLS: one takes the place of the other.
    for doors in ["listen.conf", "listen-tls.conf"] {
        let doors = std::fs::read_to_string(sources().join(doors)).unwrap();
        let place = place.replace("include listen.conf;", &doors);
        let place = ["8080", "8443", "9106", "3049"]
            .iter()
            .fold(place, |place, port| place.replace(&format!("listen {port}"), &format!("listen {}", free())));
        let folder = folder(&place);
        let said = nginx_in(folder.path()).arg("-t").output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{text}");
        assert!(!text.contains("[warn]") && !text.contains("[emerg]"), "{text}");
    }
}

/// One of the shop's, whole.
fn is_problem(what: &str, answer: &Answer) {
    let body = answer.json();
    let kind = document::DOCUMENT.kinds().iter().find(|kind| body["type"] == kind.type_uri());
    let kind = kind.unwrap_or_else(|| panic!("{what}: the shop has no such problem: {body} {}", answer.head));
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(answer.status, kind.status().as_u16(), "{what}");
    assert_eq!(body["status"], answer.status, "{what}");
    assert_eq!(body["title"], kind.title(), "{what}");
    assert!(!body["detail"].as_str().unwrap().is_empty(), "{what}");
    let waits = [429, 503].contains(&answer.status);
    assert_eq!(answer.header("retry-after"), waits.then_some("1"), "{what}");
    assert_eq!(answer.all("x-content-type-options"), ["nosniff"], "{what}");
    assert_eq!(answer.all("cache-control"), ["no-store"], "{what}");
    assert_eq!(answer.header("server"), Some("nginx"), "{what}: no version");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_is_a_problem_of_the_shop() {
    let (mute, away) = (Scribe::new(false).await, free().to_string());
    let behind = Behind { publishers: &[&away], gateways: &[&mute.address], sockets: &away };
    let front = Front::before(behind).await;
    let long = "a".repeat(9_000);
    let heads = [
        ("garbage", "garbage".to_owned(), 400),
        ("another protocol", "\x16\x03\x01\x02".to_owned(), 400),
        ("a version nobody knows", "GET / HTTP/2.1\r\nhost: shop".to_owned(), 400),
        ("no host", "GET / HTTP/1.1".to_owned(), 400),
        ("a long path", format!("GET /{long} HTTP/1.1\r\nhost: shop"), 400),
        ("a long line", format!("GET / HTTP/1.1\r\nhost: shop\r\nx: {long}"), 400),
        ("a long head", format!("GET / HTTP/1.1\r\nhost: shop{}", format!("\r\nx: {}", &long[..7_000]).repeat(5)), 400),
        ("a length that is none", "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: x".to_owned(), 400),
        ("a trace", "TRACE / HTTP/1.1\r\nhost: shop".to_owned(), 405),
        ("a tunnel", "CONNECT shop:443 HTTP/1.1\r\nhost: shop".to_owned(), 400),
        ("a long body", "POST / HTTP/1.1\r\nhost: shop\r\ncontent-length: 999999".to_owned(), 413),
        ("metrics", "GET /metrics HTTP/1.1\r\nhost: shop".to_owned(), 404),
        ("readiness", "GET /readyz HTTP/1.1\r\nhost: shop".to_owned(), 404),
        ("a problem itself", "GET /problems/unavailable HTTP/1.1\r\nhost: shop".to_owned(), 404),
        ("no publisher", "POST /v1/sales/7/attempts HTTP/1.1\r\nhost: shop".to_owned(), 503),
        ("no sockets", "GET /ws HTTP/1.1\r\nhost: shop".to_owned(), 503),
        ("a gateway that says nothing", "GET /v1/sales HTTP/1.1\r\nhost: shop".to_owned(), 503),
        ("a file nobody has", "GET /web/0123456789abcdef/a.js HTTP/1.1\r\nhost: shop".to_owned(), 503),
    ];
    for (what, head, status) in heads {
        let heard = answers(&send(front.address, HOP, format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await);
        assert_eq!(heard.len(), 1, "{what}");
        is_problem(what, &heard[0]);
        assert_eq!(heard[0].status, status, "{what}");
    }
    let inner = answers(&send(front.inner, HOP, b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await);
    assert_eq!(inner[0].status, 200);
}

/// What the services say is passed on as it is, with what they left unsaid about themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_shop_says_is_passed_on() {
    let shop = Shop::start(Vec::new()).await;
    let front = Front::before_one(shop.address()).await;
    let page = front.ask("GET /", "", "").await;
    assert_eq!(page.status, 200);
    let policy = page.all("content-security-policy");
    assert!(policy.len() == 1 && policy[0].contains("script-src 'self'"), "{policy:?}");
    assert_eq!(page.all("x-content-type-options"), ["nosniff"]);
    let list = front.ask("GET /v1/sales", "", "").await;
    assert_eq!(list.status, 200);
    assert_eq!(list.all("x-content-type-options"), ["nosniff"]);
    assert_eq!(list.all("content-security-policy"), ["default-src 'none'; frame-ancestors 'none'"]);
    assert_eq!(list.header("strict-transport-security"), None);
    let over_tls = front.ask("GET /v1/sales", "x-forwarded-proto: https\r\n", "").await;
    assert_eq!(over_tls.header("strict-transport-security"), Some("max-age=31536000"));
    let refused = front.ask("POST /v1/checkouts", "content-type: application/json\r\n", "{}").await;
    let (status, direct) = shop.call(hyper::Method::POST, "/v1/checkouts", "", serde_json::json!({})).await;
    assert_eq!((refused.status, refused.json()["type"].clone()), (status, direct["type"].clone()));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
}

/// Whose request it was is nowhere written down, and neither is what would log a client in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_knows_nobody() {
    let away = free().to_string();
    let front = Front::before_one(&away).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let lines = format!(
        "authorization: Bearer very.secret\r\nx-forwarded-for: 203.0.113.7\r\ncookie: a=secret\r\n\
         traceparent: 00-{trace}-b7ad6b7169203331-01\r\nreferer: http://shop/?token=secret\r\n"
    );
    for _ in 0..200 {
        front
            .ask("POST /v1/sales/7/attempts?attempt=secret&email=ann@example.org", &lines, "{\"answer\":\"secret\"}")
            .await;
    }
    let written = front.lines_of("/v1/sales/7/attempts", 200).await;
    assert_eq!((&written[0]["trace_id"], &written[0]["method"]), (&trace.into(), &"POST".into()));
    assert!(written.iter().any(|line| line["status"] == 503 && line["upstream_status"] == "502"), "{}", written[0]);
    let log = front.log();
    for word in ["secret", "203.0.113.7", "127.0.0.1,", "ann@example.org", "client:"] {
        assert!(!log.contains(word), "{word} is in the log");
    }
}
