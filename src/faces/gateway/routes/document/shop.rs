//! The shop's part of the document: all but the button, which is the publisher's.

use utoipa::OpenApi;

use crate::faces::gateway::routes::buying;
use crate::faces::gateway::routes::catalogue;
use crate::faces::gateway::routes::receipts;

#[derive(OpenApi)]
#[openapi(paths(
    catalogue::get_sales,
    catalogue::get_sale,
    catalogue::get_question,
    catalogue::get_currencies,
    buying::get_reservation,
    buying::delete_reservation,
    buying::post_checkout,
    buying::get_orders,
    buying::get_order,
    receipts::get_pdf,
    receipts::get_tickets,
))]
pub struct Shop;
