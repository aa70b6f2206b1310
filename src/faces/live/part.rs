//! The sockets' part of the document.

use utoipa::OpenApi;

use crate::faces::live::routes;
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(routes::get_socket))]
struct Api;

pub fn part() -> Part {
    Part::new("live", "What happens, as it happens.", Api::openapi())
}
