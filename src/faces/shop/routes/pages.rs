//! The shop in the browser: one page, which finds out from its path what to show and calls the API like any other client.

use actix_web::web::ServiceConfig;

use crate::kit::http::assets;

/// Paths the page knows. Whatever else begins with `/` is the API's, or nothing.
const PAGES: [&str; 18] = [
    "/",
    "/sales/{sale}",
    "/log-in",
    "/sign-up",
    "/orders",
    "/orders/{number}",
    "/account",
    "/check-in",
    "/desk",
    "/desk/new",
    "/desk/sales/{sale}",
    "/desk/sales/{sale}/edit",
    "/desk/refund",
    "/desk/refunds",
    "/desk/parked",
    "/desk/audit",
    "/desk/journal",
    "/second-factor",
];

pub fn routes(cfg: &mut ServiceConfig) {
    assets::routes(cfg, &PAGES);
}
