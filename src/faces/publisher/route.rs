//! `POST /v1/sales/{id}/attempts`, found by comparing text: a pattern costs as much as verifying the token does.

use std::rc::Rc;

use actix_web::dev::{AppService, HttpServiceFactory, ResourceDef, ServiceRequest, ServiceResponse, fn_service};
use actix_web::guard::{self, Guard};
use actix_web::http::Method;
use actix_web::{Error, ResponseError};

use crate::faces::publisher::attempt;
use crate::faces::publisher::lanes::Lanes;
use crate::kit::http::problem::{Kind, Problem};

const BEFORE: &str = "/v1/sales";
const AFTER: &str = "/attempts";

pub struct AttemptsRoute(Rc<Lanes>);

impl AttemptsRoute {
    pub fn new(lanes: Rc<Lanes>) -> Self {
        Self(lanes)
    }
}

impl HttpServiceFactory for AttemptsRoute {
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
                    Problem::new(Kind::METHOD_NOT_ALLOWED, "this path does not take this method").error_response()
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
