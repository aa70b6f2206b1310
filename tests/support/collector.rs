//! A collector of the tests' own: it takes OTLP over HTTP as a real one does, and says what came.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

#[derive(Debug, Clone)]
pub struct Seen {
    pub service: String,
    /// `service.instance.id`.
    pub instance: String,
    pub name: String,
    /// As OTLP numbers them: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    pub trace: String,
    pub id: String,
    /// Empty of a root.
    pub parent: String,
    pub attributes: BTreeMap<String, String>,
    /// Traces that it is linked to.
    pub links: Vec<String>,
    pub is_error: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answering {
    Takes,
    Refuses,
    /// Takes a request and never answers.
    Silent,
}

struct State {
    spans: Vec<Seen>,
    fault: Answering,
}

pub struct Collector {
    port: u16,
    state: Arc<Mutex<State>>,
    server: actix_web::dev::ServerHandle,
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Collector {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State { spans: Vec::new(), fault: Answering::Takes }));
        let data = web::Data::from(state.clone());
        let server = HttpServer::new(move || {
            let all = web::PayloadConfig::new(64 * 1024 * 1024);
            App::new().app_data(data.clone()).app_data(all).route("/v1/traces", web::post().to(take))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let port = server.addrs()[0].port();
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { port, state, server: handle }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.port)
    }

    pub fn is(&self, fault: Answering) {
        self.state.lock().unwrap().fault = fault;
    }

    pub fn spans(&self) -> Vec<Seen> {
        self.state.lock().unwrap().spans.clone()
    }
}

async fn take(state: web::Data<Mutex<State>>, request: actix_web::HttpRequest, body: web::Bytes) -> HttpResponse {
    assert_eq!(request.headers().get("content-type").unwrap(), "application/x-protobuf");
    let fault = state.lock().unwrap().fault;
    match fault {
        Answering::Refuses => return HttpResponse::ServiceUnavailable().finish(),
        Answering::Silent => std::future::pending::<()>().await,
        Answering::Takes => {}
    }
    let export = ExportTraceServiceRequest::decode(body.as_ref()).unwrap();
    let mut state = state.lock().unwrap();
    for resource in export.resource_spans {
        let of = attributes(&resource.resource.unwrap().attributes);
        assert_eq!(of["service.version"], env!("CARGO_PKG_VERSION"));
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        state.spans.extend(spans.map(|span| seen(&of, span)));
    }
    let answer = ExportTraceServiceResponse::default().encode_to_vec();
    HttpResponse::Ok().content_type("application/x-protobuf").body(answer)
}

fn seen(of: &BTreeMap<String, String>, span: Span) -> Seen {
    assert!(span.end_time_unix_nano >= span.start_time_unix_nano && span.start_time_unix_nano > 0, "{}", span.name);
    Seen {
        service: of["service.name"].clone(),
        instance: of["service.instance.id"].clone(),
        name: span.name,
        kind: span.kind,
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        attributes: attributes(&span.attributes),
        links: span.links.iter().map(|link| hex(&link.trace_id)).collect(),
        is_error: span.status.is_some_and(|status| status.code == 2),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    pairs.iter().map(|pair| (pair.key.clone(), text(&pair.value))).collect()
}

/// A process is asked to end, and does.
pub async fn terminate(process: &mut std::process::Child) {
    let asked = std::process::Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap();
    assert!(asked.success());
    for _ in 0..600 {
        if let Some(status) = process.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it does not end");
}
