//! Limits for each address, and how long what is sent may be.

use miaosha::faces::front;
use miaosha::faces::publisher;

use super::desync::Scribe;
use super::front::{Answer, Front, HOP, STRANGER, answers, send};
use crate::support::shop::Shop;

/// So many at once that what is let in meanwhile, at a steady rate, is far less.
const CROWD: usize = 400;

/// Many requests of one client in one breath.
async fn crowd(front: &Front, source: std::net::Ipv4Addr, line: &str, from: impl Fn(usize) -> String) -> Vec<Answer> {
    let mut bytes = String::new();
    for number in 0..CROWD {
        let end = if number + 1 == CROWD { "connection: close\r\n" } else { "" };
        bytes += &format!("{line} HTTP/1.1\r\nhost: shop\r\n{}{end}\r\n", from(number));
    }
    let heard = answers(&send(front.address, source, bytes.as_bytes()).await);
    assert_eq!(heard.len(), CROWD);
    heard
}

fn passed(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.status == 200).count()
}

fn as_if_from(address: &str) -> String {
    format!("x-forwarded-for: {address}\r\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_is_limited_and_another_is_not() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let paths =
        [("POST /v1/sales/7/attempts", 9), ("POST /v1/sessions", 11), ("POST /v1/users", 0), ("GET /v1/sales", 89)];
    // Log-ins count among the calls as well.
    for (line, at_once) in paths {
        let heard = crowd(&front, HOP, line, |_| as_if_from("203.0.113.7")).await;
        let passed = passed(&heard);
        assert!((at_once..CROWD).contains(&passed), "{line}: {passed}");
        let refused = heard.iter().find(|answer| answer.status != 200).unwrap();
        assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
        assert_eq!(refused.json()["type"], "/problems/too_many_requests");
        let other = front.ask(line, &as_if_from("203.0.113.8"), "").await;
        assert_eq!(other.status, 200, "{line}: somebody else is not limited");
    }
    let written = front.lines_of("/v1/sessions", CROWD).await;
    assert!(written.iter().any(|line| line["limited"] == "REJECTED" && line["status"] == 429));
}

/// Whatever hashes a password or sends a mail, however its path is written; and not who only looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_door_of_accounts_is_as_narrow() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let doors = [
        "POST /v1/users",
        "POST /v1/sessions",
        "POST /v1/%73essions",
        "POST /v1/codes",
        "POST /v1/codes/proof",
        "PUT /v1/me/password",
        "PUT /v1/me/email",
        "PUT /v1/me/second-factor",
        "POST /v1/me/second-factor/codes",
        "DELETE /v1/me",
    ];
    for (line, number) in doors.iter().zip(10..) {
        let passed = passed(&crowd(&front, HOP, line, |_| as_if_from(&format!("203.0.113.{number}"))).await);
        assert!((11..90).contains(&passed), "{line}: {passed}");
    }
    for (line, address) in [("GET /v1/me", "203.0.113.9"), ("GET /v1/sessions", "203.0.113.8")] {
        let looks = passed(&crowd(&front, HOP, line, |_| as_if_from(address)).await);
        assert!((101..CROWD).contains(&looks), "{line}: {looks}");
    }
    // All of them together are what one address may.
    let more = passed(&crowd(&front, HOP, "POST /v1/codes/proof", |_| as_if_from("203.0.113.10")).await);
    assert!(more < 90, "{more}");
}

/// A client that may not say where it comes from gains nothing by saying it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_has_one_address_whatever_it_says() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let attempts = "POST /v1/sales/7/attempts";
    let of_its_own = |number: usize| as_if_from(&format!("10.0.{}.{}", number / 256, number % 256));
    assert!(passed(&crowd(&front, STRANGER, attempts, of_its_own).await) < CROWD);
    assert_eq!(passed(&crowd(&front, HOP, attempts, of_its_own).await), CROWD, "a hop of ours speaks for many");
}

/// One customer of IPv6 has 2^64 addresses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_of_ipv6_counts_as_one() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let attempts = "POST /v1/sales/7/attempts";
    let networks: [fn(usize) -> String; 3] = [
        |number| as_if_from(&format!("2001:db8:1:2:{:x}:1:1:1", number + 1)),
        |number| as_if_from(&format!("2001:db8:5::{:x}", number + 1)),
        |number| as_if_from(&format!("::ffff:203.0.113.{}", 1 + number % 2)),
    ];
    for network in networks {
        assert!(passed(&crowd(&front, HOP, attempts, network).await) < CROWD);
    }
    for other in ["2001:db8:1:3::1", "2001:db8:6::1", "::ffff:203.0.113.9"] {
        assert_eq!(front.ask(attempts, &as_if_from(other), "").await.status, 200, "{other}");
    }
}

/// As long as the services themselves allow, and not a byte longer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_as_long_as_the_services_take_them() {
    let scribe = Scribe::new(true).await;
    let front = Front::before_one(&scribe.address).await;
    let (gateway, publisher) = (front::Settings::default(), publisher::Settings::default());
    let paths = [
        ("POST /v1/sales/7/attempts", publisher.body_bytes_max),
        ("POST /v1/checkouts", gateway.body_bytes_max),
        ("POST /v1/admin/sales", gateway.body_bytes_max),
        ("POST /v1/webhooks/stripe", gateway.webhook_bytes_max),
    ];
    for (line, bytes_max) in paths {
        scribe.forget();
        assert_eq!(front.ask(line, "", &"x".repeat(bytes_max)).await.status, 200, "{line}");
        assert_eq!(scribe.seen().pop().unwrap().1.len(), bytes_max, "{line}");
        scribe.forget();
        let refused = front.ask(line, "", &"x".repeat(bytes_max + 1)).await;
        assert_eq!((refused.status, refused.json()["field"].as_str()), (413, Some("body")), "{line}");
        let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", bytes_max + 1, "x".repeat(bytes_max + 1));
        let bytes =
            format!("{line} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(answers(&send(front.address, HOP, bytes.as_bytes()).await)[0].status, 413, "{line} in chunks");
        assert_eq!(scribe.seen(), [], "{line}");
    }
}

/// A real shop behind it: its own limits are not what a client meets first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_hears_of_no_more_than_its_front_lets_through() {
    let shop = Shop::start(vec![("MIAOSHA__GATEWAY__TRUSTED_HOPS", "1".to_owned())]).await;
    let front = Front::before_one(shop.address()).await;
    let body = r#"{"email":"nobody@example.org","password":"not this one"}"#;
    let mut heard = Vec::new();
    for _ in 0..40 {
        let lines = format!("content-type: application/json\r\n{}", as_if_from("203.0.113.7"));
        heard.push(front.ask("POST /v1/sessions", &lines, body).await.status);
    }
    assert!(heard.contains(&401) && heard.contains(&429), "{heard:?}");
    let lines = format!("content-type: application/json\r\n{}", as_if_from("203.0.113.8"));
    let other = r#"{"email":"somebody@example.org","password":"not this one"}"#;
    assert_eq!(front.ask("POST /v1/sessions", &lines, other).await.status, 401);
}
