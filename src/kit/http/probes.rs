//! The inner server: `/livez`, `/readyz` and `/metrics`, on a port the public never sees.
//!
//! Ready means: started, not stopping, and no part names a problem. A problem is a short word, never a secret.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use actix_web::dev::Server;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, HttpServer};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio_util::sync::CancellationToken;

use crate::kit::http::answers;
use crate::kit::http::metric::Metric;

/// A part that may be in no state to serve.
pub trait Ready: Send + Sync + 'static {
    /// Empty when it is ready.
    fn problems(&self) -> Vec<&'static str>;
}

impl<F: Fn() -> Vec<&'static str> + Send + Sync + 'static> Ready for F {
    fn problems(&self) -> Vec<&'static str> {
        self()
    }
}

/// Collects what every part says.
#[derive(Clone)]
pub struct Readiness(Arc<Inner>);

/// Asked whenever somebody looks.
type Word = Box<dyn Fn() -> serde_json::Value + Send + Sync>;

struct Inner {
    started: AtomicBool,
    stopping: CancellationToken,
    parts: RwLock<Vec<Box<dyn Ready>>>,
    says: RwLock<BTreeMap<&'static str, Word>>,
    /// Every problem that was told, so that one that is over is told as over.
    told: Mutex<BTreeSet<&'static str>>,
}

impl Readiness {
    /// `stopping` is the soft stop.
    pub fn new(stopping: CancellationToken) -> Self {
        Metric::describe();
        Self(Arc::new(Inner {
            started: AtomicBool::new(false),
            stopping,
            parts: RwLock::default(),
            says: RwLock::default(),
            told: Mutex::new(BTreeSet::from(["starting"])),
        }))
    }

    pub fn watch(&self, part: impl Ready) {
        self.0.parts.write().unwrap_or_else(PoisonError::into_inner).push(Box::new(part));
    }

    /// Something of this process that whoever looks at it should see, beside its problems.
    pub fn says(&self, what: &'static str, word: &'static str) {
        self.shows(what, move || word.into());
    }

    /// The same of what changes.
    pub fn shows(&self, what: &'static str, word: impl Fn() -> serde_json::Value + Send + Sync + 'static) {
        self.0.says.write().unwrap_or_else(PoisonError::into_inner).insert(what, Box::new(word));
    }

    /// Everything is connected and listening: from now on the parts decide.
    pub fn started(&self) {
        self.0.started.store(true, Ordering::Release);
    }

    pub fn problems(&self) -> Vec<&'static str> {
        let mut problems = Vec::new();
        if !self.0.started.load(Ordering::Acquire) {
            problems.push("starting");
        }
        if self.0.stopping.is_cancelled() {
            problems.push("stopping");
        }
        let parts = self.0.parts.read().unwrap_or_else(PoisonError::into_inner);
        for problem in parts.iter().flat_map(|part| part.problems()) {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
        problems
    }

    /// What `/readyz` says, as gauges.
    fn tell(&self) {
        let problems = self.problems();
        metrics::gauge!(Metric::Ready.name()).set(if problems.is_empty() { 1.0 } else { 0.0 });
        let mut told = self.0.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.extend(problems.iter().copied());
        for part in told.iter().copied() {
            let unready = if problems.contains(&part) { 1.0 } else { 0.0 };
            metrics::gauge!(Metric::Unready.name(), "part" => part).set(unready);
        }
    }
}

/// The three routes, for an inner server that has more of its own.
pub fn routes(cfg: &mut ServiceConfig, readiness: Readiness, metrics: PrometheusHandle) {
    cfg.app_data(web::Data::new(readiness))
        .app_data(web::Data::new(metrics))
        .route("/livez", web::get().to(livez))
        .route("/readyz", web::get().to(readyz))
        .route("/metrics", web::get().to(scrape));
}

/// An inner server with one thread of its own, so that a busy process still answers. It listens; `more` adds routes.
pub fn bind(
    listen: SocketAddr,
    readiness: Readiness,
    metrics: PrometheusHandle,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<(SocketAddr, Server)> {
    let server = HttpServer::new(move || {
        let (readiness, metrics) = (readiness.clone(), metrics.clone());
        answers::app().configure(|cfg| routes(cfg, readiness, metrics)).configure(more.clone())
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .bind(listen)?;
    let address = server.addrs().first().copied().expect("a server that was bound has an address");
    Ok((address, server.run()))
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

async fn readyz(readiness: web::Data<Readiness>) -> HttpResponse {
    let problems = readiness.problems();
    let mut body = serde_json::json!({ "ready": problems.is_empty(), "problems": problems });
    for (what, word) in readiness.0.says.read().unwrap_or_else(PoisonError::into_inner).iter() {
        body[*what] = word();
    }
    if problems.is_empty() { HttpResponse::Ok().json(body) } else { HttpResponse::ServiceUnavailable().json(body) }
}

async fn scrape(readiness: web::Data<Readiness>, metrics: web::Data<PrometheusHandle>) -> HttpResponse {
    readiness.tell();
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(metrics.render())
}
