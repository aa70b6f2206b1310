//! How much of a batch is traced, and what is refused at the start.

use std::sync::OnceLock;

use actix_web::test as call;
use miaosha::faces::publisher::Settings;
use miaosha::kit::telemetry::{Exporter, TracingSettings};
use miaosha::kit::work::lifecycle::Lifecycle;

use crate::publisher::fixture::{Gate, Shop, sale, service, settle, word};

const TRACED_MAX: usize = 5;

/// Of this whole process, in which nothing is traced that does not ask for it. No collector takes it.
fn trace_here() {
    static STARTED: OnceLock<()> = OnceLock::new();
    STARTED.get_or_init(|| {
        let settings = TracingSettings {
            otlp_url: "http://127.0.0.1:9/v1/traces".to_owned(),
            sample_ratio: 0.0,
            asked_per_s_max: 1_000_000,
            traced_max: TRACED_MAX,
            ..TracingSettings::default()
        };
        drop(Exporter::start(&settings, &Lifecycle::new()).unwrap());
    });
}

#[actix_web::test]
async fn a_batch_carries_a_few_traces_however_many_ask() {
    trace_here();
    let gate = Gate::new();
    let shop = Shop::new(gate.clone(), Settings { batches_in_flight_max: 1, ..Settings::default() });
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = std::rc::Rc::new(service!(shop));
    let waiting: Vec<_> = (0..100_u64)
        .map(|buyer| {
            let traceparent = format!("00-{:032x}-{:016x}-01", buyer + 1, buyer + 1);
            let request = shop.attempt(buyer, 1).insert_header(("traceparent", traceparent)).to_request();
            let app = app.clone();
            actix_web::rt::spawn(async move { call::call_service(&*app, request).await.status().as_u16() })
        })
        .collect();
    settle().await;
    gate.answer(1);
    for answer in waiting {
        assert_eq!(answer.await.unwrap(), 202);
    }
    let seen = gate.seen.lock().unwrap();
    assert_eq!(seen.len(), 1);
    let batch = &seen[0];
    assert_eq!((batch.attempts.len(), batch.traced.len()), (100, TRACED_MAX));
    for (index, mark) in batch.traced.iter().enumerate() {
        assert_eq!((mark.of, mark.trace.id), (batch.attempt_id(index).into(), index as u128 + 1));
        assert_ne!(mark.trace.span, index as u64 + 1, "the parent is our own span, not the browser's");
    }
}

#[actix_web::test]
async fn who_does_not_ask_is_not_traced() {
    trace_here();
    let gate = Gate::new();
    let shop = Shop::new(gate.clone(), Settings::default());
    shop.tell(&[word(sale(1), false, 1, 0)]).await;
    let app = service!(shop);
    gate.answer(1);
    assert_eq!(call::call_service(&app, shop.attempt(1, 1).to_request()).await.status(), 202);
    assert!(gate.seen.lock().unwrap()[0].traced.is_empty());
}

#[tokio::test]
async fn what_contradicts_itself_is_refused_by_name() {
    let on = |url: &str| TracingSettings { otlp_url: url.to_owned(), ..TracingSettings::default() };
    for (settings, named) in [
        (on("https://collector/v1/traces"), "otlp_url"),
        (on("collector:4318"), "otlp_url"),
        (on("http://user:secret@collector/v1/traces"), "otlp_url"),
        (TracingSettings { sample_ratio: 1.5, ..on("") }, "sample_ratio"),
        (TracingSettings { sample_ratio: f64::NAN, ..on("") }, "sample_ratio"),
        (TracingSettings { traced_max: 65, ..on("") }, "traced_max"),
        (TracingSettings { queue_max: 0, ..on("") }, "queue_max"),
    ] {
        let error = Exporter::start(&settings, &Lifecycle::new()).err().expect(named).to_string();
        assert!(error.contains(named) && !error.contains("secret@"), "{error}");
    }
    assert!(Exporter::start(&TracingSettings::default(), &Lifecycle::new()).is_ok());
}
