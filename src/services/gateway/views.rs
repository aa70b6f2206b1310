//! What people are shown: the shapes of the answers, apart from the words of the kernel.

use serde::Serialize;

use crate::domain::block::Block;
use crate::domain::id::{BatchId, BuyerId, ItemId, RefundId, ReservationId, SaleId};
use crate::domain::money::Money;
use crate::domain::order::Order;
use crate::domain::payment::{RefundEntry, Why};
use crate::domain::reservation::{Kind, Outcome, Reservation, State};
use crate::domain::sale::Phase;
use crate::domain::time::Timestamp;
use crate::ports::ledger::{Ledger, Place};
use crate::ports::{Result, World};
use crate::services::gateway::Gateway;
use crate::services::gateway::board::Shown;

#[derive(Serialize)]
pub struct SaleView {
    id: SaleId,
    item_id: ItemId,
    title: String,
    price: Money,
    capacity: u32,
    quantity_max: u8,
    standby_max: u32,
    hold_ms: i64,
    opens_at: Timestamp,
    closes_at: Timestamp,
    phase: Phase,
    left: u32,
    server_time: Timestamp,
}

impl SaleView {
    pub fn new(shown: &Shown, now: Timestamp) -> Self {
        let sale = &shown.sale;
        Self {
            id: sale.id,
            item_id: sale.item,
            title: sale.title.clone(),
            price: sale.price,
            capacity: sale.allotment.capacity,
            quantity_max: sale.allotment.quantity_max,
            standby_max: sale.allotment.standby_max,
            hold_ms: sale.hold_ms,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            phase: sale.phase(now),
            left: shown.left,
            server_time: now,
        }
    }
}

/// Where a buyer stands. What does not belong to the status is left out.
#[derive(Default, Serialize)]
pub struct StandingView {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<ReservationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    units: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lapses_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkout_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_number: Option<String>,
}

impl StandingView {
    pub async fn of_outcome<W: World>(gateway: &Gateway<W>, outcome: Outcome) -> Result<Self> {
        let status = match outcome {
            Outcome::Pending => "pending",
            Outcome::Refused => "refused",
            Outcome::Already => "already",
            Outcome::Reserved(row) => return Self::of_row(gateway, row).await,
        };
        Ok(Self { status, ..Self::default() })
    }

    pub async fn of_row<W: World>(gateway: &Gateway<W>, row: Reservation) -> Result<Self> {
        let position = match row.state {
            State::Standby { .. } => gateway.world().store().position(row.id).await?,
            _ => None,
        };
        Self::of_place(gateway, Place { row, position }).await
    }

    pub async fn of_place<W: World>(gateway: &Gateway<W>, Place { row, position }: Place) -> Result<Self> {
        let mut view = Self {
            status: row.state.kind().name(),
            reservation_id: Some(row.id),
            quantity: Some(row.quantity),
            units: row.state.units().to_vec(),
            version: Some(row.version),
            ..Self::default()
        };
        match row.state {
            State::Standby { .. } => view.position = position,
            State::Held { lapses_at, .. } => {
                let now = gateway.clock().now();
                let ttl_ms = lapses_at.since_ms(now).max(0) + gateway.settings().checkout_ttl_beyond_hold_ms;
                view.lapses_at = Some(lapses_at);
                view.checkout_token = Some(gateway.keys().sign_checkout(row.id, row.buyer, now, ttl_ms));
            }
            State::Paying { lapses_at, .. } => view.lapses_at = Some(lapses_at),
            State::Confirmed { .. } => {
                let orders = gateway.world().store().orders(row.buyer, gateway.settings().orders_max).await?;
                let order = orders.into_iter().find(|order| order.reservation == row.id);
                view.order_number = order.map(|order| order.number);
            }
            // The house asks nowhere for its own.
            State::Blocked { .. } | State::Lapsed | State::Cancelled | State::Ended | State::Refunded => {}
        }
        Ok(view)
    }

    pub fn paying() -> Self {
        Self { status: Kind::Paying.name(), ..Self::default() }
    }
}

#[derive(Serialize)]
pub struct OrderView {
    order_number: String,
    sale_id: SaleId,
    units: Vec<u32>,
    amount: Money,
    placed_at: Timestamp,
    /// Nothing of it is left.
    refunded: bool,
    refunded_units: Vec<u32>,
    refunded_amount: Money,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            order_number: order.number,
            sale_id: order.sale,
            units: order.units,
            amount: order.amount,
            placed_at: order.placed_at,
            refunded: order.refunded,
            refunded_units: order.refunded_units,
            refunded_amount: order.refunded_amount,
        }
    }
}

/// Units out of sale, as operators see them.
#[derive(Serialize)]
pub struct BlockView {
    id: BatchId,
    sale_id: SaleId,
    reason: String,
    /// What was wished for.
    wanted: u32,
    /// What it got.
    units: u32,
    since: Timestamp,
    /// Whether it had its turn.
    decided: bool,
    ended: bool,
}

impl From<Block> for BlockView {
    fn from(block: Block) -> Self {
        Self {
            id: block.id,
            sale_id: block.sale,
            reason: block.reason,
            wanted: block.wanted,
            units: block.units,
            since: block.made_at,
            decided: block.decided_at.is_some(),
            ended: block.ended_at.is_some(),
        }
    }
}

/// An order as operators see it.
#[derive(Serialize)]
pub struct WholeOrderView {
    #[serde(flatten)]
    order: OrderView,
    reservation_id: ReservationId,
    buyer_id: BuyerId,
    refunds: Vec<RefundView>,
}

impl WholeOrderView {
    pub fn new(order: Order, refunds: Vec<RefundEntry>) -> Self {
        Self {
            reservation_id: order.reservation,
            buyer_id: order.buyer,
            order: order.into(),
            refunds: refunds.into_iter().map(RefundView::from).collect(),
        }
    }
}

#[derive(Serialize)]
pub struct RefundView {
    id: RefundId,
    units: Vec<u32>,
    amount: Money,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    made_at: Timestamp,
    /// Left out while the provider is still to give it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
}

impl From<RefundEntry> for RefundView {
    fn from(entry: RefundEntry) -> Self {
        let (why, units, reason) = match entry.why {
            Why::Operator { units, reason } => ("operator", units, reason),
            Why::CouldNotStand => ("could_not_stand", Vec::new(), None),
        };
        let RefundEntry { refund, made_at, done_at, .. } = entry;
        Self { id: refund.id, units, amount: refund.amount, why, reason, made_at, done_at }
    }
}
