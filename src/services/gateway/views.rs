//! What people are shown: the shapes of the answers, apart from the words of the kernel.

use std::collections::HashMap;

use serde::Serialize;

use crate::domain::block::Block;
use crate::domain::id::{BatchId, BuyerId, ItemId, RefundId, ReservationId, SaleId};
use crate::domain::money::{Currency, Money};
use crate::domain::order::Order;
use crate::domain::payment::{RefundEntry, RefundState, Why};
use crate::domain::reservation::{Kind, Outcome, Reservation, State};
use crate::domain::sale::{Phase, StandbyUntil};
use crate::domain::time::Timestamp;
use crate::ports::ledger::{Ledger, Place};
use crate::ports::{Result, World};
use crate::services::gateway::Gateway;
use crate::services::gateway::board::Shown;

/// An amount, and how many of its digits stand behind the point: whoever writes it out need not know the currency.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MoneyView {
    minor: i64,
    currency: Currency,
    decimals: u32,
}

impl From<Money> for MoneyView {
    fn from(Money { minor, currency }: Money) -> Self {
        Self { minor, currency, decimals: currency.decimals() }
    }
}

#[derive(Serialize)]
pub struct CurrencyView {
    currency: Currency,
    decimals: u32,
}

impl From<Currency> for CurrencyView {
    fn from(currency: Currency) -> Self {
        Self { currency, decimals: currency.decimals() }
    }
}

#[derive(Serialize)]
pub struct SaleView {
    id: SaleId,
    item_id: ItemId,
    title: String,
    price: MoneyView,
    capacity: u32,
    quantity_max: u8,
    standby_max: u32,
    standby_until: StandbyUntil,
    hold_ms: i64,
    opens_at: Timestamp,
    closes_at: Timestamp,
    phase: Phase,
    left: u32,
    all_paid: bool,
    server_time: Timestamp,
    /// Of the item; told of one sale alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

impl SaleView {
    pub fn described(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }

    pub fn new(shown: &Shown, now: Timestamp) -> Self {
        let sale = &shown.sale;
        Self {
            id: sale.id,
            item_id: sale.item,
            title: sale.title.clone(),
            price: sale.price.into(),
            capacity: sale.allotment.capacity,
            quantity_max: sale.allotment.quantity_max,
            standby_max: sale.allotment.standby_max,
            standby_until: sale.standby_until,
            hold_ms: sale.hold_ms,
            opens_at: sale.opens_at,
            closes_at: sale.closes_at,
            phase: sale.phase(now),
            left: shown.left,
            all_paid: shown.all_paid,
            server_time: now,
            description: None,
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
                view.order_number = gateway.world().store().order_of(row.id).await?.map(|order| order.number);
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
    amount: MoneyView,
    placed_at: Timestamp,
    /// Nothing of it is left.
    refunded: bool,
    refunded_units: Vec<u32>,
    /// What went back or is to go back: where it stands, the refunds say.
    refunded_amount: MoneyView,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<OwnRefundView>,
}

impl OrderView {
    /// Of these refunds the order's own are shown with it.
    pub fn with_refunds(order: Order, refunds: &[RefundEntry]) -> Self {
        let own = refunds.iter().filter(|entry| entry.refund.payment == order.payment);
        let refunds = own.map(OwnRefundView::from).collect();
        Self { refunds, ..order.into() }
    }
}

impl From<Order> for OrderView {
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
            refunds: Vec::new(),
        }
    }
}

/// A refund as its buyer sees it.
#[derive(Serialize)]
struct OwnRefundView {
    units: Vec<u32>,
    amount: MoneyView,
    made_at: Timestamp,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Timestamp>,
}

impl From<&RefundEntry> for OwnRefundView {
    fn from(entry: &RefundEntry) -> Self {
        let units = match &entry.why {
            Why::Operator { units, .. } => units.clone(),
            Why::CouldNotStand | Why::AtProvider => Vec::new(),
        };
        let done_at = match entry.state {
            RefundState::Done { at } => Some(at),
            _ => None,
        };
        let (amount, state) = (entry.refund.amount.into(), entry.state.kind().name());
        Self { units, amount, made_at: entry.made_at, state, done_at }
    }
}

/// An order in its buyer's list.
#[derive(Serialize)]
pub struct ListedOrderView {
    #[serde(flatten)]
    order: OrderView,
    sale_title: Option<String>,
}

impl ListedOrderView {
    pub fn new(order: Order, refunds: &[RefundEntry], titles: &HashMap<SaleId, String>) -> Self {
        let sale_title = titles.get(&order.sale).cloned();
        Self { order: OrderView::with_refunds(order, refunds), sale_title }
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
    /// Without the buyer's view of its refunds.
    #[serde(flatten)]
    order: OrderView,
    reservation_id: ReservationId,
    buyer_id: BuyerId,
    refunds: Vec<RefundView>,
}

impl WholeOrderView {
    /// Of these refunds the order's own are shown with it.
    pub fn new(order: Order, refunds: Vec<RefundEntry>) -> Self {
        let own = refunds.into_iter().filter(|entry| entry.refund.payment == order.payment);
        Self {
            refunds: own.map(RefundView::from).collect(),
            reservation_id: order.reservation,
            buyer_id: order.buyer,
            order: order.into(),
        }
    }
}

#[derive(Serialize)]
pub struct RefundView {
    id: RefundId,
    sale_id: SaleId,
    reservation_id: ReservationId,
    units: Vec<u32>,
    amount: MoneyView,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    made_at: Timestamp,
    /// The provider's definite refusals.
    tries: u32,
    #[serde(flatten)]
    state: RefundStateView,
}

/// What belongs to a state and to no other.
#[derive(Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum RefundStateView {
    Due { next_at: Timestamp },
    Sent { next_at: Timestamp },
    Done { done_at: Timestamp },
    Failed { failed_at: Timestamp, code: String },
    Settled { settled_at: Timestamp, settled_by: BuyerId, note: String },
}

impl From<RefundState> for RefundStateView {
    fn from(state: RefundState) -> Self {
        match state {
            RefundState::Due { next_at } => Self::Due { next_at },
            RefundState::Sent { next_at } => Self::Sent { next_at },
            RefundState::Done { at } => Self::Done { done_at: at },
            RefundState::Failed { at, code } => Self::Failed { failed_at: at, code },
            RefundState::Settled { at, by, note } => Self::Settled { settled_at: at, settled_by: by, note },
        }
    }
}

impl From<RefundEntry> for RefundView {
    fn from(entry: RefundEntry) -> Self {
        let (why, units, reason) = match entry.why {
            Why::Operator { units, reason } => ("operator", units, reason),
            Why::CouldNotStand => ("could_not_stand", Vec::new(), None),
            Why::AtProvider => ("at_provider", Vec::new(), None),
        };
        let RefundEntry { refund, sale, reservation, made_at, tries, state, .. } = entry;
        let (id, amount, state) = (refund.id, refund.amount.into(), state.into());
        Self { id, sale_id: sale, reservation_id: reservation, units, amount, why, reason, made_at, tries, state }
    }
}

/// A refund in a list, with its order if it has one.
#[derive(Serialize)]
pub struct ListedRefundView {
    #[serde(flatten)]
    refund: RefundView,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_number: Option<String>,
}

impl From<(RefundEntry, Option<String>)> for ListedRefundView {
    fn from((entry, order_number): (RefundEntry, Option<String>)) -> Self {
        Self { refund: entry.into(), order_number }
    }
}
