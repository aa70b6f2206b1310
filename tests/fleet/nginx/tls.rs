//! Shoppers come by TLS: what they are told then, and what becomes of those who come in clear.

use std::sync::Arc;

use miaosha::adapters::tls::Trust;
use miaosha::wire::call::post;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, crypto, version};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::desync::{Scribe, values};
use super::front::{Answer, Front, HOP, answers, send};
use crate::support::servers::tls;
use crate::support::shop::Shop;

/// One request of somebody who believes the certificate's issuer, and speaks this version alone.
async fn ask(front: &Front, version: &'static SupportedProtocolVersion, head: &str) -> Answer {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(tls().pem("ca.pem").as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(front.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
    stream.write_all(format!("{head}\r\nhost: localhost\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut heard = Vec::new();
    // Whether the end is said or not, the answer says its length.
    let _ = stream.read_to_end(&mut heard).await;
    let mut answers = answers(&heard);
    assert_eq!(answers.len(), 1, "{head}: one answer");
    answers.pop().unwrap()
}

async fn in_clear(to: std::net::SocketAddr, head: &str, body: &str) -> Answer {
    let head =
        format!("{head} HTTP/1.1\r\nhost: shop:8080\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    let mut answers = answers(&send(to, HOP, format!("{head}{body}").as_bytes()).await);
    assert_eq!(answers.len(), 1, "{head}: one answer");
    answers.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_by_tls_is_told_to_come_by_nothing_else() {
    let shop = Shop::start(Vec::new()).await;
    let (front, _) = Front::by_tls(shop.address()).await;
    for version in [&version::TLS12, &version::TLS13] {
        for path in ["/", "/v1/sales", "/nothing-is-here", "/metrics"] {
            let answer = ask(&front, version, &format!("GET {path} HTTP/1.1")).await;
            assert!([200, 404].contains(&answer.status), "{path}: {}", answer.status);
            assert_eq!(answer.all("strict-transport-security"), ["max-age=31536000"], "{path}");
        }
    }
    let scribe = Scribe::new(true).await;
    let (front, _) = Front::by_tls(&scribe.address).await;
    ask(&front, &version::TLS13, "GET /v1/sales HTTP/1.1").await;
    let (head, _) = scribe.seen().pop().unwrap();
    assert_eq!(values(&head, "x-forwarded-for"), ["127.0.0.1"], "who it is is said as without");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_in_clear_is_sent_on_and_what_is_carried_is_refused() {
    let scribe = Scribe::new(true).await;
    let (front, clear) = Front::by_tls(&scribe.address).await;
    let page = in_clear(clear, "GET /sales/7?from=a%20friend", "").await;
    assert_eq!((page.status, page.header("location")), (301, Some("https://shop/sales/7?from=a%20friend")));
    assert_eq!(page.header("strict-transport-security"), None, "what is said in clear could be anybody's");
    for head in ["POST /v1/sessions", "PUT /v1/me/password", "DELETE /v1/me"] {
        let refused = in_clear(clear, head, "{\"password\":\"known to all now\"}").await;
        assert_eq!((refused.status, refused.header("location")), (404, None), "{head}");
        assert_eq!(refused.json()["type"], "/problems/not_found", "{head}");
    }
    // At the door of those who speak TLS.
    let lost = in_clear(front.address, "GET /", "").await;
    assert_eq!((lost.status, lost.json()["type"].as_str()), (400, Some("/problems/invalid")));
    assert_eq!(scribe.seen(), [], "nothing of it reaches a service");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gates_file_goes_to_who_proves_to_be_the_shop() {
    let shop = Shop::start(Vec::new()).await;
    let (front, _) = Front::by_tls(shop.address()).await;
    let url = format!("https://localhost:{}", front.address.port());
    let body = json!({ "device": "north", "admissions": [] });
    let ask = async |trust: &Trust| post(&url, trust, "/v1/check-ins/merge", "nobody's", &body).await;
    let refused = ask(&Trust::new("").unwrap()).await.expect_err("nobody believes this issuer").to_string();
    assert!(refused.contains("certificate"), "{refused}");
    let (status, _) = ask(&Trust::new(&tls().pem("ca.pem")).unwrap()).await.unwrap();
    assert_eq!(status, 401, "the shop was asked");
}
