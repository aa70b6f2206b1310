//! The shop in one process: who is sampled, what a wrong `traceparent` is worth, and what a collector that is away costs.

use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};

use crate::support::collector::{Answering, Collector, Seen};
use crate::support::shop::Shop;
use crate::support::sink::nobodys_port;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

async fn shop(url: String, more: &[(&'static str, &str)]) -> Shop {
    let mut environment = vec![("MIAOSHA__PROCESS__TRACING__OTLP_URL", url)];
    environment.push(("MIAOSHA__PROCESS__TRACING__BEGUN_PER_S_MAX", "100000".to_owned()));
    environment.push(("MIAOSHA__PROCESS__TRACING__ASKED_PER_S_MAX", "100000".to_owned()));
    environment.extend(more.iter().map(|(key, value)| (*key, (*value).to_owned())));
    Shop::start(environment).await
}

async fn log_in(shop: &Shop) -> String {
    let who = json!({ "email": "demo@miaosha.test", "password": "demodemo" });
    let answer = shop.post("/v1/sessions", "", who).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Asks for the demo's sales, with this `traceparent`.
async fn ask(shop: &Shop, traceparent: &str) -> u16 {
    shop.get_with("/v1/sales", &[("traceparent", traceparent)]).await
}

fn roots(spans: &[Seen]) -> Vec<&Seen> {
    spans.iter().filter(|span| span.name == "GET /v1/sales").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_in_one_process_is_one_trace_and_is_flushed_at_the_end() {
    let collector = Collector::start();
    let more = [("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "1"), ("MIAOSHA__PROCESS__TRACING__GATHER_MS", "600000")];
    let mut shop = shop(collector.url(), &more).await;
    let token = log_in(&shop).await;
    let wish = json!({ "quantity": 1, "question_id": 0, "answer": "4" });
    let admission = shop.admission(1, &token).await;
    let (status, said) = shop.call(Method::POST, "/v1/sales/1/attempts", &admission, wish).await;
    assert_eq!(status, 202, "{said}");
    let id = said["attempt_id"].as_str().unwrap();
    let path = format!("/v1/sales/1/reservation?attempt={id}&wait_ms=5000");
    let (_, held) = shop.call(Method::GET, &path, &token, Value::Null).await;
    assert_eq!(held["status"], "held", "{held}");
    let payment = json!({ "checkout_token": held["checkout_token"], "card": "ok" });
    shop.post("/v1/checkouts", &token, payment).await;
    assert!(collector.spans().is_empty(), "they are gathered for ten minutes");
    shop.terminate().await;
    let spans = collector.spans();
    // Others may have come before the shop knew its sales.
    let is_taken = |span: &&Seen| span.attributes.get("http.response.status_code").is_some_and(|code| code == "202");
    let mut presses = spans.iter().filter(|span| span.name == "POST /v1/sales/{id}/attempts");
    let pressed = presses.find(is_taken).unwrap();
    assert_eq!(pressed.parent, "");
    let paid = spans.iter().find(|span| span.name == "POST /v1/checkouts").unwrap();
    for (of, name, system) in [
        (pressed, "send attempts", "sqlite"),
        (pressed, "process attempts", "sqlite"),
        (pressed, "reserve turnstile", "memory"),
        (pressed, "record ledger", "sqlite"),
        (pressed, "send notices", "memory"),
        (paid, "capture payments", ""),
        (paid, "confirm ledger", "sqlite"),
        (paid, "send notices", "memory"),
    ] {
        let span = spans.iter().find(|span| span.name == name && span.trace == of.trace);
        let span = span.unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
        let systems = ["db.system.name", "messaging.system"].map(|key| span.attributes.get(key));
        let seen = systems.into_iter().flatten().next().map_or("", String::as_str);
        assert_eq!((seen, span.parent.is_empty()), (system, false), "{span:?}");
    }
    let text = format!("{spans:?}");
    assert!(
        !text.contains("demo@") && !text.contains(&token) && !text.contains(&admission) && !text.contains("demodemo"),
        "nothing personal"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_exported_of_what_is_not_sampled() {
    let collector = Collector::start();
    let mut shop = shop(collector.url(), &[("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "0")]).await;
    for traceparent in ["", "nonsense", &format!("00-{TRACE}-00f067aa0ba902b7-00"), &"0".repeat(5_000)] {
        assert_eq!(ask(&shop, traceparent).await, 200);
    }
    shop.terminate().await;
    assert_eq!(collector.spans().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_traceparent_that_is_none_is_ignored() {
    let collector = Collector::start();
    let mut shop = shop(collector.url(), &[("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "1")]).await;
    let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let bad = [
        good.to_uppercase(),
        format!("{good}-more"),
        good.replace("00-4", "ff-4"),
        good.replace(TRACE, &"0".repeat(32)),
        format!("{good}{}", "0".repeat(6_000)),
    ];
    for traceparent in &bad {
        assert_eq!(ask(&shop, traceparent).await, 200);
    }
    assert_eq!(ask(&shop, &good).await, 200);
    shop.terminate().await;
    let spans = collector.spans();
    let roots = roots(&spans);
    assert_eq!(roots.len(), bad.len() + 1, "all are sampled");
    let (given, own): (Vec<_>, Vec<_>) = roots.into_iter().partition(|span| span.trace == TRACE);
    assert_eq!(given.iter().map(|span| span.parent.as_str()).collect::<Vec<_>>(), ["00f067aa0ba902b7"]);
    assert!(own.iter().all(|span| span.parent.is_empty() && span.trace.len() == 32), "{own:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_are_heard_a_few_times_a_second() {
    let collector = Collector::start();
    let more = [("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "0"), ("MIAOSHA__PROCESS__TRACING__ASKED_PER_S_MAX", "0")];
    let mut shop = shop(collector.url(), &more).await;
    for _ in 0..20 {
        assert_eq!(ask(&shop, &format!("00-{TRACE}-00f067aa0ba902b7-01")).await, 200);
    }
    shop.terminate().await;
    assert_eq!(collector.spans().len(), 0, "nobody is heard at all");
}

async fn dropped(shop: &Shop, why: &str) -> f64 {
    let name = format!("miaosha_trace_spans_dropped_total{{why=\"{why}\"}} ");
    let text = shop.metrics().await;
    text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0.0, |value| value.parse().unwrap())
}

async fn comes_to_drop(shop: &Shop, why: &str) {
    for _ in 0..600 {
        assert_eq!(ask(shop, "").await, 200, "the shop goes on");
        if dropped(shop, why).await > 0.0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("nothing is dropped because of {why}: {}", shop.metrics().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_costs_spans_and_nothing_else() {
    let url = format!("http://127.0.0.1:{}/v1/traces", nobodys_port().await);
    let more = [
        ("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "1"),
        ("MIAOSHA__PROCESS__TRACING__GATHER_MS", "10"),
        ("MIAOSHA__PROCESS__TRACING__EXPORT_MS_MAX", "500"),
    ];
    let mut shop = shop(url, &more).await;
    comes_to_drop(&shop, "failed").await;
    shop.terminate().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_never_answers_fills_the_queue_and_no_more() {
    let collector = Collector::start();
    collector.is(Answering::Silent);
    let more = [
        ("MIAOSHA__PROCESS__TRACING__SAMPLE_RATIO", "1"),
        ("MIAOSHA__PROCESS__TRACING__GATHER_MS", "10"),
        ("MIAOSHA__PROCESS__TRACING__QUEUE_MAX", "4"),
        ("MIAOSHA__PROCESS__TRACING__BATCH_MAX", "2"),
        ("MIAOSHA__PROCESS__TRACING__EXPORT_MS_MAX", "20000"),
        // The soft stop does not wait for it any longer than for anything else.
        ("MIAOSHA__PROCESS__DRAIN_MS_MAX", "1000"),
    ];
    let mut shop = shop(collector.url(), &more).await;
    comes_to_drop(&shop, "full").await;
    shop.terminate().await;
    assert_eq!(collector.spans().len(), 0);
}
