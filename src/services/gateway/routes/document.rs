//! The description of every call, of this service and of the publisher: `openapi.json`, OpenAPI 3.1. Tests compare it with the
//! routes and with every answer they see.

use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};

use crate::services::gateway::routes::path;

const DOCUMENT: &str = include_str!("../openapi.json");

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/openapi.json").route(web::get().to(get_document)));
}

async fn get_document() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(DOCUMENT)
}
