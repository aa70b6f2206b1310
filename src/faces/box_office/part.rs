//! The box office's part of the document.

use utoipa::OpenApi;

use crate::faces::box_office::routes::{admin, buying, events, figures, tickets};
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    events::get_events,
    events::get_event,
    buying::post_buy,
    tickets::get_ticket,
    figures::get_health,
    figures::get_metrics,
    admin::get_pdf_stats,
    admin::post_cleanup,
    admin::post_seed_fallback,
))]
struct Api;

pub fn part() -> Part {
    let about = "Buying in one call and without an account, on a port of its own. What is refused is a problem as everywhere, and says \
        `error`, `message` and `data` beside.";
    Part::new("box-office", about, Api::openapi()).problems(buying::KINDS, &[])
}
