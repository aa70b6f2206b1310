//! One press, followed through every process of the fleet, to the socket of the buyer who pressed and of the one it went to afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::handshake;
use hyper_util::rt::TokioIo;
use miaosha::adapters::system::SystemClock;
use miaosha::domain::people::Role;
use miaosha::domain::sale::Allotment;
use miaosha::domain::shared::id::{BuyerId, SaleId};
use miaosha::faces::tokens::TokenKeys;
use miaosha::faces::tokens::admission::SaleAdmission;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::support::collector::{Collector, Seen, terminate};
use crate::support::fleet::{self, CONSUMER, GATEWAY, Offer, PAYMENT_CONSUMER, PUBLISHER, Part};
use crate::support::servers::{rabbit_url, redis_url, unique_name};
use crate::support::socket::{Client, knock};

const HOLD_MS: i64 = 2_000;
const TRIES_MAX: u32 = 300;
const TRY_AGAIN: Duration = Duration::from_millis(100);

struct Fleet {
    keys: TokenKeys,
    sale: SaleId,
    collector: Collector,
    publisher: Part,
    gateway: Part,
    others: [Part; 2],
}

impl Fleet {
    async fn start() -> Self {
        let collector = Collector::start();
        let (namespace, (url, store)) = (unique_name(), fleet::database().await);
        // One unit, and a place to wait for it.
        let allotment = Allotment { capacity: 1, quantity_max: 1, standby_max: 5 };
        let offer = Offer { allotment, hold_ms: HOLD_MS, questions: Vec::new() };
        let sale = fleet::sale(&store, &redis_url(), &namespace, offer).await;
        let (mut environment, keys) = fleet::environment(&namespace, &std::env::temp_dir().join(&namespace));
        environment.extend([
            ("MIAOSHA__REDIS__URL", redis_url()),
            ("MIAOSHA__RABBIT__URL", rabbit_url()),
            ("MIAOSHA__MYSQL__URL", url),
            ("MIAOSHA__PROCESS__TRACING__OTLP_URL", collector.url()),
            ("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "0".to_owned()),
            ("MIAOSHA__PROCESS__TRACING__ASKED_PER_S_MAX", "100000".to_owned()),
            // The sweeper finds what an alarm is about to give on; here the alarm is to be seen.
            ("MIAOSHA__PAYMENTS__SWEEP_MS", "600000".to_owned()),
            // Longer than the test: what comes, comes at the end.
            ("MIAOSHA__PROCESS__TRACING__GATHER_MS", "600000".to_owned()),
        ]);
        Self {
            keys,
            sale,
            collector,
            publisher: Part::start(PUBLISHER, &environment),
            gateway: Part::start(GATEWAY, &environment),
            others: [CONSUMER, PAYMENT_CONSUMER].map(|program| Part::start(program, &environment)),
        }
    }

    fn token(&self, buyer: u64) -> String {
        self.keys.sign_access(BuyerId(buyer), Role::Shopper, SystemClock::machine_now(), 3_600_000)
    }

    fn admission(&self, buyer: u64) -> String {
        let now = SystemClock::machine_now();
        self.keys.sign_admission(&SaleAdmission::new(BuyerId(buyer), self.sale, 0, now, now.plus_ms(3_600_000)))
    }

    /// Until the publisher knows the sale: it refuses a wish for nothing.
    async fn ready(&self) {
        for _ in 0..TRIES_MAX {
            if matches!(self.press(9, "", r#"{"quantity":0}"#).await, Some(400 | 422)) {
                return;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        panic!("the publisher does not hear of the sale: {:?}", self.press(9, "", r#"{"quantity":0}"#).await);
    }

    async fn press(&self, buyer: u64, traceparent: &str, wish: &'static str) -> Option<u16> {
        let stream = TcpStream::connect(self.publisher.http).await.ok()?;
        let (mut sender, connection) = handshake(TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        let request = Request::post(format!("/v1/sales/{}/attempts", self.sale)).header("host", "shop");
        let request = request.header("content-type", "application/json").header("traceparent", traceparent);
        let request = request.header("authorization", format!("Bearer {}", self.admission(buyer)));
        let response = sender.send_request(request.body(Full::new(Bytes::from(wish))).unwrap()).await.ok()?;
        let status = response.status().as_u16();
        response.into_body().collect().await.ok()?;
        Some(status)
    }

    /// A socket that has been told that there is nothing yet.
    async fn socket(&self, buyer: u64) -> Client {
        for _ in 0..TRIES_MAX {
            if TcpStream::connect(self.gateway.http).await.is_ok() {
                break;
            }
            tokio::time::sleep(TRY_AGAIN).await;
        }
        let request = format!("ws://{}/ws", self.gateway.http).into_client_request().unwrap();
        let (mut client, _) = knock(self.gateway.http, request).await.unwrap();
        client.say(json!({ "type": "hello", "token": self.token(buyer), "sales": [self.sale] })).await;
        assert_eq!(client.status().await["status"], "none");
        client
    }

    /// Everybody ends, and with it everything is exported.
    async fn end(mut self) -> Vec<Seen> {
        for part in [&mut self.publisher, &mut self.gateway].into_iter().chain(&mut self.others) {
            terminate(&mut part.process).await;
        }
        self.collector.spans()
    }
}

async fn comes_to(client: &mut Client, status: &str) -> Value {
    loop {
        let word = client.status().await;
        if word["status"] == status {
            return word;
        }
    }
}

/// Who, what, and after which of the same trace.
fn steps(spans: &[Seen]) -> BTreeMap<(String, String, String), usize> {
    let names: BTreeMap<&str, String> =
        spans.iter().map(|span| (span.id.as_str(), format!("{}: {}", span.service, span.name))).collect();
    let mut steps = BTreeMap::new();
    for span in spans {
        let parent = names.get(span.parent.as_str()).cloned().unwrap_or_else(|| span.parent.clone());
        *steps.entry((span.service.clone(), span.name.clone(), parent)).or_default() += 1;
    }
    steps
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_press_is_one_trace_from_the_click_to_the_socket() {
    let fleet = Fleet::start().await;
    let (mut first, mut second) = (fleet.socket(1).await, fleet.socket(2).await);
    fleet.ready().await;
    let (trace, browser) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    assert_eq!(fleet.press(1, &format!("00-{trace}-{browser}-01"), "{}").await, Some(202));
    comes_to(&mut first, "held").await;
    // This one is not asked to be traced; it takes over what the first one lets go.
    let untraced = format!("00-{}-{browser}-00", "7".repeat(32));
    assert_eq!(fleet.press(2, &untraced, "{}").await, Some(202));
    comes_to(&mut second, "standby").await;
    comes_to(&mut first, "lapsed").await;
    comes_to(&mut second, "held").await;
    let spans = fleet.end().await;

    assert!(spans.iter().all(|span| span.trace == trace), "nothing else was sampled: {spans:#?}");
    let steps = steps(&spans);
    let click = "publisher: POST /v1/sales/{id}/attempts";
    let (decides, lapses) = ("consumer: process attempts", "payment-consumer: process deadlines");
    let expected = [
        ("publisher", "POST /v1/sales/{id}/attempts", browser),
        ("publisher", "send attempts", click),
        ("consumer", "process attempts", "publisher: send attempts"),
        ("consumer", "look ledger", decides),
        ("consumer", "reserve turnstile", decides),
        ("consumer", "record ledger", decides),
        ("consumer", "send deadlines", decides),
        ("consumer", "send notices", decides),
        ("gateway", "process notices", "consumer: send notices"),
        ("gateway", "tell socket", "gateway: process notices"),
        ("gateway", "look ledger", "gateway: tell socket"),
        ("payment-consumer", "process deadlines", "consumer: send deadlines"),
        ("payment-consumer", "lapse ledger", lapses),
        ("payment-consumer", "look ledger", lapses),
        ("payment-consumer", "release turnstile", lapses),
        ("payment-consumer", "record ledger", lapses),
        ("payment-consumer", "send notices", lapses),
        ("payment-consumer", "promote", lapses),
        ("payment-consumer", "send deadlines", "payment-consumer: promote"),
        ("payment-consumer", "send notices", "payment-consumer: promote"),
        ("gateway", "process notices", "payment-consumer: send notices"),
    ];
    for (service, name, parent) in expected {
        let key = (service.to_owned(), name.to_owned(), parent.to_owned());
        assert!(steps.contains_key(&key), "no {key:?} in {steps:#?}");
    }
    let told = steps.get(&("gateway".into(), "tell socket".into(), "gateway: process notices".into()));
    assert!(told.is_some_and(|told| *told >= 3), "held, lapsed, and the other's held: {steps:#?}");
    for (service, name, kind, attribute, value) in [
        ("publisher", "POST /v1/sales/{id}/attempts", 2, "http.response.status_code", "202"),
        ("publisher", "send attempts", 4, "messaging.system", "rabbitmq"),
        ("consumer", "process attempts", 5, "messaging.destination.name", "attempts"),
        ("consumer", "reserve turnstile", 3, "db.system.name", "redis"),
        ("consumer", "record ledger", 3, "db.system.name", "mysql"),
        ("gateway", "tell socket", 1, "network.protocol.name", "websocket"),
    ] {
        let span = spans.iter().find(|span| (span.service.as_str(), span.name.as_str()) == (service, name)).unwrap();
        assert_eq!((span.kind, span.attributes[attribute].as_str()), (kind, value), "{service}: {name}");
        assert!(!span.is_error, "{span:?}");
    }
    let instances: std::collections::BTreeSet<&str> = spans.iter().map(|span| span.instance.as_str()).collect();
    assert_eq!(instances.len(), 4, "four processes");
}
