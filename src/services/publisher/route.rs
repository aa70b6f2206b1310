//! `POST /v1/sales/{id}/attempts`, found by comparing text: a pattern costs as much as verifying the token does.

use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse, fn_service};
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::{Error, ResponseError};

use crate::http::problem::{Kind, Problem};
use crate::ports::Entrance;
use crate::services::publisher::attempt;
use crate::services::publisher::lanes::Lanes;

const BEFORE: &str = "/v1/sales";
const AFTER: &str = "/attempts";

pub struct AttemptsRoute<W>(Rc<Lanes<W>>);

impl<W: Entrance> AttemptsRoute<W> {
    pub fn new(lanes: Rc<Lanes<W>>) -> Self {
        Self(lanes)
    }
}

impl<W: Entrance> HttpServiceFactory for AttemptsRoute<W> {
    fn register(self, config: &mut AppService) {
        let lanes = self.0;
        let ours: Box<dyn Guard> = Box::new(guard::fn_guard(|ctx| sale_in(ctx.head().uri.path()).is_some()));
        let serve = move |req: ServiceRequest| {
            let lanes = Rc::clone(&lanes);
            async move {
                let (req, payload) = req.into_parts();
                let response = if req.method() == Method::POST {
                    attempt::take(&lanes, &req, payload).await
                } else {
                    Problem::new(Kind::MethodNotAllowed, "this path does not take this method").error_response()
                };
                Ok::<_, Error>(ServiceResponse::new(req, response))
            }
        };
        config.register_service(ResourceDef::prefix(BEFORE), Some(vec![ours]), fn_service(serve), None);
    }
}

/// The sale's id, as it was written.
pub fn sale_in(path: &str) -> Option<&str> {
    let id = path.strip_prefix(BEFORE)?.strip_prefix('/')?.strip_suffix(AFTER)?;
    if id.is_empty() || id.contains('/') { None } else { Some(id) }
}
