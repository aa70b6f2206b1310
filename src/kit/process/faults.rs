//! Faults on demand, for tests alone: where `process.faults` is set, `POST /faults/{task}` on the inner server makes the tasks of
//! that name panic, and `GET /faults` says which there are.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use tokio_util::sync::CancellationToken;

/// By the task's name: whether it is to panic.
#[derive(Debug, Default)]
pub struct Panics(Mutex<BTreeMap<&'static str, CancellationToken>>);

impl Panics {
    /// What a task of this name waits for beside its work.
    pub(crate) fn of(&self, task: &'static str) -> CancellationToken {
        self.tokens().entry(task).or_default().clone()
    }

    /// False when there is no task of this name.
    pub fn panic(&self, task: &str) -> bool {
        self.tokens().get(task).inspect(|token| token.cancel()).is_some()
    }

    fn tokens(&self) -> MutexGuard<'_, BTreeMap<&'static str, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub fn routes(cfg: &mut ServiceConfig, panics: web::Data<Panics>) {
    cfg.app_data(panics).route("/faults", web::get().to(names)).route("/faults/{task}", web::post().to(make));
}

async fn names(panics: web::Data<Panics>) -> impl Responder {
    web::Json(panics.tokens().keys().copied().collect::<Vec<_>>())
}

async fn make(panics: web::Data<Panics>, task: web::Path<String>) -> HttpResponse {
    match panics.panic(&task) {
        true => HttpResponse::NoContent().finish(),
        false => HttpResponse::NotFound().finish(),
    }
}
