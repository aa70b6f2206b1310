//! The shop's part of the document: all but the button, which is the publisher's.

use utoipa::OpenApi;

use crate::faces::shop::refusals;
use crate::faces::shop::routes::{admission, buying, catalogue, orders, plans, receipts};
use crate::faces::tokens;
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    catalogue::get_sales,
    catalogue::get_sale,
    catalogue::get_currencies,
    catalogue::get_provider,
    admission::post_admission,
    buying::get_reservation,
    buying::delete_reservation,
    buying::post_checkout,
    orders::get_orders,
    orders::get_order,
    plans::get_plan,
    receipts::get_pdf,
    receipts::get_tickets,
))]
struct Api;

pub fn part() -> Part {
    Part::new("shop", "What is sold, and buying it.", Api::openapi())
        .problems(&[refusals::KINDS, tokens::admission::KINDS, buying::KINDS].concat(), &[])
}
