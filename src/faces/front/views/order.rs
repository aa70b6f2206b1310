//! An order, as its buyer sees it, and what of it operators see as well.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::money::order::Order;
use crate::domain::money::payment::{RefundEntry, RefundKind, RefundState, Why};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::faces::front::views::MoneyView;

/// What buyers and operators alike are shown of an order.
#[derive(Serialize, ToSchema)]
pub struct OrderFacts {
    #[schema(min_length = 14, max_length = 14)]
    order_number: String,
    sale_id: SaleId,
    units: Vec<u32>,
    amount: MoneyView,
    placed_at: Timestamp,
    /// Nothing of it is left.
    refunded: bool,
    refunded_units: Vec<u32>,
    /// What went back or is to go back; the refunds say which.
    refunded_amount: MoneyView,
}

impl From<Order> for OrderFacts {
    fn from(order: Order) -> Self {
        Self {
            order_number: order.number,
            sale_id: order.sale,
            units: order.units,
            amount: order.amount.into(),
            placed_at: order.placed_at,
            refunded: order.refunded,
            refunded_units: order.refunded_units,
            refunded_amount: order.refunded_amount.into(),
        }
    }
}

/// An order as its buyer sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Order)]
pub struct OrderView {
    #[serde(flatten)]
    facts: OrderFacts,
    /// Left out where nothing goes back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<OwnRefundView>,
}

impl OrderView {
    /// Of these refunds the order's own are shown with it.
    pub fn with_refunds(order: Order, refunds: &[RefundEntry]) -> Self {
        let own = refunds.iter().filter(|entry| entry.refund.payment == order.payment);
        Self { refunds: own.map(OwnRefundView::from).collect(), facts: order.into() }
    }
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self::with_refunds(order, &[])
    }
}

/// A refund as its buyer sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnRefund)]
struct OwnRefundView {
    units: Vec<u32>,
    amount: MoneyView,
    made_at: Timestamp,
    #[schema(value_type = RefundKind)]
    state: &'static str,
    /// When the money went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    done_at: Option<Timestamp>,
}

impl From<&RefundEntry> for OwnRefundView {
    fn from(entry: &RefundEntry) -> Self {
        let units = match &entry.why {
            Why::Operator { units, .. } => units.clone(),
            Why::CaptureTooLate | Why::AtProvider => Vec::new(),
        };
        let done_at = match entry.state {
            RefundState::Done { at } => Some(at),
            _ => None,
        };
        let (amount, state) = (entry.refund.amount.into(), entry.state.kind().name());
        Self { units, amount, made_at: entry.made_at, state, done_at }
    }
}
