//! The operators' part of the document.

use utoipa::OpenApi;

use crate::faces::gateway::routes::blocks;
use crate::faces::gateway::routes::operators;
use crate::faces::gateway::routes::orders;
use crate::faces::gateway::routes::receipts;
use crate::faces::gateway::routes::refunds;
use crate::faces::gateway::routes::reports;
use crate::faces::gateway::routes::running;

#[derive(OpenApi)]
#[openapi(paths(
    operators::post_item,
    operators::post_sale,
    operators::pause,
    operators::resume,
    operators::close,
    operators::raise,
    operators::get_parked,
    operators::replay_parked,
    blocks::get_blocks,
    blocks::post_block,
    blocks::delete_block,
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
))]
pub struct Desk;
