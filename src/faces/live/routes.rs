//! The sockets' path on the shop's own port.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Payload, ServiceConfig};

use crate::faces::front::routes::{Reply, path};
use crate::faces::live::Live;
use crate::faces::live::PATH;
use crate::kit::http::document::problems;
use crate::kit::socket::shop;

pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(path(PATH).route(web::get().to(get_socket)));
}

/// A socket: what happens, as it happens
///
/// The access token travels in the first message, never in the URL.
#[utoipa::path(
    get,
    path = PATH,
    operation_id = "socket",
    responses(
        (status = 101, description = "The protocol is changed to WebSocket."),
        problems::Invalid, problems::Forbidden,
    ),
)]
async fn get_socket(req: HttpRequest, payload: Payload, live: Data<Live>) -> Reply {
    shop::upgrade(&**live, &req, payload).await
}
