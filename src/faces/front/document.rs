//! The description of every call, as it is asked for. Each face declares its part; the process that serves them puts the parts
//! together.

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;

use crate::faces::front::Front;
use crate::faces::front::routes::path;
use crate::faces::tokens::access;
use crate::kit::http::document::{Document, Part};

#[derive(OpenApi)]
#[openapi(paths(get_document))]
struct About;

pub fn part() -> Part {
    Part::new("about", "What can be called.", About::openapi()).problems(access::KINDS, &[])
}

/// Where the document comes from: it is made when it is asked for first.
#[derive(Clone, Copy)]
struct Described(fn() -> &'static Document);

/// Also lends the front itself to whatever is done once.
pub fn routes(cfg: &mut ServiceConfig, front: Front, document: fn() -> &'static Document) {
    cfg.app_data(Data::new(front))
        .app_data(Data::new(Described(document)))
        .service(path("/v1/openapi.json").route(web::get().to(get_document)));
}

/// This document
///
/// With an operator's token it includes the operators' calls; without one, or with a token that is not valid, it leaves them
/// out.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    operation_id = "document",
    responses(
        (
            status = 200,
            description = "The document.",
            body = Object,
            headers(("ETag" = String, description = "Of this document, as it was sent.")),
        ),
        (status = 304, description = "It is the one you have."),
    ),
    security((), ("access" = [])),
)]
async fn get_document(req: HttpRequest, front: Data<Front>, described: Data<Described>) -> HttpResponse {
    let Described(document) = **described;
    document().answer(&req, front.is_operator(&req))
}
