//! The description of every call, of this service and of the publisher: the parts of the faces, merged. Tests compare it with the
//! routes and with every answer they see.

mod account;
mod desk;
mod door;
mod live;
mod shop;
mod webhooks;

use std::sync::LazyLock;

use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use utoipa::OpenApi;

use crate::faces::gateway::routes::{buying, check_ins, path};
use crate::faces::gateway::{Gateway, Settings, accounts};
use crate::faces::publisher;
use crate::kit::http::document::{Document, Part};

/// Made when it is asked for first.
pub static DOCUMENT: LazyLock<Document> = LazyLock::new(document);

#[derive(OpenApi)]
#[openapi(paths(get_document))]
struct About;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path("/v1/openapi.json").route(web::get().to(get_document)));
}

/// This document
///
/// What operators alone may call is told to whoever shows an operator's token; everybody else, and whoever shows none that is
/// good, is told the rest.
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
    security((), ("access" = ["operator"])),
)]
async fn get_document(req: HttpRequest, gateway: Data<Gateway>) -> HttpResponse {
    DOCUMENT.answer(&req, gateway.operator(&req).is_ok())
}

fn document() -> Document {
    let bytes_max = Settings::default().body_bytes_max;
    let attempt_bytes_max = publisher::Settings::default().body_bytes_max;
    let about = format!(
        "Times are milliseconds since 1970, money is minor units with a currency and its number of decimals. A body is at most \
         {bytes_max} bytes long ({attempt_bytes_max} for an attempt). Whatever is refused is answered by an RFC 9457 problem of a \
         closed list of types; a path that is not here by 404, another method by 405."
    );
    let info = json!({
        "title": "miaosha", "version": "1", "summary": "Sells scarce things to a million people at once.", "description": about,
    });
    Document::new(
        info,
        [
            Part::new("about", "What can be called.", About::openapi()),
            Part::new("account", "People and their accounts.", account::Account::openapi())
                .problems(accounts::KINDS, accounts::RULES),
            Part::new("shop", "What is sold, and buying it.", shop::Shop::openapi()).problems(buying::KINDS, &[]),
            Part::new("attempts", "The button.", publisher::document::Attempts::openapi())
                .problems(publisher::PROBLEM_KINDS, &[]),
            Part::new("live", "What happens, as it happens.", live::Live::openapi()),
            Part::new("desk", "What operators do.", desk::Desk::openapi()),
            Part::new("door", "Letting people in.", door::Door::openapi()).problems(check_ins::KINDS, check_ins::RULES),
            Part::new("webhooks", "For the payment provider.", webhooks::Webhooks::openapi()),
        ],
    )
}
