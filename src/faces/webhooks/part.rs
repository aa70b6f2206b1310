//! The payment provider's part of the document.

use utoipa::OpenApi;

use crate::faces::webhooks::routes;
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(routes::post_stripe))]
struct Api;

pub fn part() -> Part {
    Part::new("webhooks", "For the payment provider.", Api::openapi())
}
