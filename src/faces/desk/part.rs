//! The operators' part of the document.

use utoipa::OpenApi;

use crate::faces::desk::edit;
use crate::faces::desk::routes::{
    blocks, drafts, journal, orders, parked, plans, receipts, refunds, reports, running, sales,
};
use crate::kit::http::document::Part;

#[derive(OpenApi)]
#[openapi(paths(
    sales::post_item,
    sales::post_sale,
    sales::pause,
    sales::resume,
    sales::close,
    sales::raise,
    drafts::get_drafts,
    drafts::get_sale,
    drafts::patch_sale,
    drafts::publish,
    parked::get_parked,
    parked::replay_parked,
    blocks::get_blocks,
    blocks::post_block,
    blocks::delete_block,
    plans::post_plan,
    orders::get_order,
    orders::post_refund,
    refunds::get_refunds,
    refunds::post_retry,
    refunds::post_settlement,
    receipts::get_stats,
    receipts::post_cleanup,
    reports::get_orders,
    reports::get_reservations,
    reports::get_check_ins,
    reports::get_report,
    running::get_live,
    running::get_audit,
    journal::get_journal,
    journal::get_csv,
))]
struct Api;

pub fn part() -> Part {
    Part::new("desk", "What operators do.", Api::openapi()).problems(&[edit::KINDS, plans::KINDS].concat(), edit::RULES)
}
