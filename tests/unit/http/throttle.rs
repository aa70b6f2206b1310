//! Tries, counted in bounded memory; and where a request comes from.

use actix_web::test::TestRequest;
use miaosha::domain::shared::time::Timestamp;
use miaosha::kit::http::address;
use miaosha::kit::http::proxies::Proxies;
use miaosha::kit::http::throttle::{Rate, Throttle};

fn throttle(keys_max: usize) -> Throttle {
    Throttle::new("test", Rate { tries_max: 2, window_ms: 10_000 }, keys_max)
}

#[test]
fn so_many_at_once_and_then_one_each_so_often() {
    let throttle = throttle(9);
    let pass = |key: &str, at_ms| {
        throttle.pass(key, Timestamp(at_ms)).map_err(|problem| {
            assert_eq!(problem.quota.unwrap().tries_max, 2, "what a client is told");
            problem.retry_after_s.unwrap()
        })
    };
    assert_eq!((pass("a", 0), pass("a", 0), pass("a", 0)), (Ok(()), Ok(()), Err(5)));
    assert_eq!(pass("b", 0), Ok(()), "each key is its own");
    assert_eq!((pass("a", 4_999), pass("a", 5_000), pass("a", 5_000)), (Err(1), Ok(()), Err(5)));
    assert_eq!(
        (pass("a", 60_000), pass("a", 60_000), pass("a", 60_000)),
        (Ok(()), Ok(()), Err(5)),
        "no more than that"
    );
}

#[test]
fn what_is_remembered_is_bounded() {
    let throttle = throttle(3);
    let pass = |key: String, at_ms| throttle.pass(&key, Timestamp(at_ms)).is_ok();
    let passed = (0..1_000).filter(|number| pass(number.to_string(), 0)).count();
    assert_eq!((passed, throttle.len()), (3 + 2, 3), "those who found no room share one count");
    assert!(pass("0".into(), 0), "who has a place keeps it");
    assert!(pass("new".into(), 60_000), "what counts no more makes room");
    assert!(throttle.len() <= 3);
}

#[test]
fn only_our_own_proxies_are_believed() {
    let proxies = Proxies::default();
    let by = |peer: &str, hops, forwarded: &[&str]| {
        let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
        for value in forwarded {
            request = request.append_header(("X-Forwarded-For", *value));
        }
        address::network(address::client(request.to_http_request().head(), hops, &proxies))
    };
    let from = |hops, forwarded: &[&str]| by("10.0.0.1:9", hops, forwarded);
    assert_eq!(from(0, &["192.0.2.1"]), "10.0.0.1");
    assert_eq!(from(1, &["192.0.2.1"]), "192.0.2.1");
    assert_eq!(from(1, &["1.1.1.1, 192.0.2.1"]), "192.0.2.1");
    assert_eq!(from(2, &["1.1.1.1, 192.0.2.1", "10.0.0.2"]), "192.0.2.1");
    assert_eq!(from(1, &[]), "10.0.0.1", "somebody who went around the proxy");
    assert_eq!(from(1, &["not an address"]), "10.0.0.1");
    assert_eq!(from(3, &["1.1.1.1"]), "10.0.0.1");
    assert_eq!(from(1, &["2001:db8:1:2:3:4:5:6"]), "2001:db8:1:2::");
    assert_eq!(from(1, &["::ffff:192.0.2.1"]), "192.0.2.1");
    // Who comes from anywhere else is who he is, whatever he writes.
    for peer in ["203.0.113.7:9", "[::ffff:203.0.113.7]:9"] {
        for forwarded in ["192.0.2.1", "10.0.0.1", "1.1.1.1, 192.0.2.2"] {
            assert_eq!(by(peer, 1, &[forwarded]), "203.0.113.7");
        }
    }
    assert_eq!(by("[2001:db8::9]:9", 1, &["192.0.2.1"]), "2001:db8::");
    let nobody = TestRequest::default().append_header(("X-Forwarded-For", "192.0.2.1")).to_http_request();
    assert_eq!(address::client(nobody.head(), 1, &proxies), None);
}

#[test]
fn neighbours_are_counted_as_one() {
    let of = |text: &str| address::neighbourhood(Some(text.parse().unwrap()));
    for address in ["192.0.2.1", "192.0.2.128", "192.0.2.255", "::ffff:192.0.2.200"] {
        assert_eq!(of(address), "192.0.2.0", "{address}");
    }
    assert_eq!([of("192.0.3.1"), of("2001:db8:1:2:3:4:5:6")], ["192.0.3.0", "2001:db8:1:2::"]);
    assert_eq!(address::neighbourhood(None), "unknown");
}
