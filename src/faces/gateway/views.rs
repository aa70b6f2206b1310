//! What people are shown: the shapes of the answers, apart from the words of the kernel.

pub mod account;
pub mod desk;
pub mod door;

use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::money::order::Order;
use crate::domain::money::payment::{RefundEntry, RefundKind, RefundState, Why};
use crate::domain::sale::reservation::{Kind, Outcome, Reservation, State};
use crate::domain::sale::{Phase, StandbyUntil};
use crate::domain::shared::id::{ItemId, ReservationId, SaleId};
use crate::domain::shared::money::{Currency, Money};
use crate::domain::shared::time::Timestamp;
use crate::faces::gateway::Gateway;
use crate::faces::gateway::catalogue_cache::CachedSale;
use crate::faces::gateway::shapes::statuses;
use crate::kit::http::document::shapes::words;
use crate::ports::Result;
use crate::ports::sale::reservations::Place;

/// An amount, and how many of its digits stand behind the point: whoever writes it out need not know the currency.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyView {
    /// In the currency's smallest unit: never a fraction.
    #[schema(minimum = 0)]
    minor: i64,
    currency: Currency,
    /// Digits behind the point, as ISO 4217 has them for the currency.
    #[schema(maximum = 4)]
    decimals: u32,
}

impl From<Money> for MoneyView {
    fn from(Money { minor, currency }: Money) -> Self {
        Self { minor, currency, decimals: currency.decimals() }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Currency)]
pub struct CurrencyView {
    currency: Currency,
    /// Digits behind the point, as ISO 4217 has them for the currency.
    #[schema(maximum = 4)]
    decimals: u32,
}

impl From<Currency> for CurrencyView {
    fn from(currency: Currency) -> Self {
        Self { currency, decimals: currency.decimals() }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Sale)]
pub struct SaleView {
    id: SaleId,
    item_id: ItemId,
    title: String,
    price: MoneyView,
    #[schema(minimum = 1)]
    capacity: u32,
    #[schema(minimum = 1)]
    quantity_max: u8,
    standby_max: u32,
    standby_until: StandbyUntil,
    #[schema(minimum = 0)]
    hold_ms: i64,
    opens_at: Timestamp,
    closes_at: Timestamp,
    phase: Phase,
    /// Units that nobody has; some may be held. A moment old.
    left: u32,
    /// Nothing is left, held or being paid for: only what is given back or added can be had. A moment old.
    all_paid: bool,
    server_time: Timestamp,
    /// Of the item, in plain text; told of one sale alone, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
}

impl SaleView {
    pub fn described(self, description: &str) -> Self {
        Self { description: Some(description.to_owned()), ..self }
    }

    pub fn new(shown: &CachedSale, now: Timestamp) -> Self {
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
#[derive(Default, Serialize, ToSchema)]
#[schema(as = SaleTotals)]
pub struct StandingView {
    #[schema(schema_with = outcomes)]
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reservation_id: Option<ReservationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    quantity: Option<u8>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    units: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lapses_at: Option<Timestamp>,
    /// Of a party on standby, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1)]
    position: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<u64>,
    /// Of a hold: the right to pay for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    checkout_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    order_number: Option<String>,
}

/// Of an attempt that has no reservation, or of a reservation.
fn outcomes() -> Object {
    words(["pending", "refused", "already"].into_iter().chain(statuses()))
}

impl StandingView {
    pub async fn of_outcome(gateway: &Gateway, outcome: Outcome) -> Result<Self> {
        let status = match outcome {
            Outcome::Pending => "pending",
            Outcome::Refused => "refused",
            Outcome::Already => "already",
            Outcome::Reserved(row) => return Self::of_row(gateway, row).await,
        };
        Ok(Self { status, ..Self::default() })
    }

    pub async fn of_row(gateway: &Gateway, row: Reservation) -> Result<Self> {
        let position = match row.state {
            State::Standby { .. } => gateway.needs().reservations.position(row.id).await?,
            _ => None,
        };
        Self::of_place(gateway, Place { row, position }).await
    }

    pub async fn of_place(gateway: &Gateway, Place { row, position }: Place) -> Result<Self> {
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
                view.order_number = gateway.needs().orders.order_of(row.id).await?.map(|order| order.number);
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

/// An order in its buyer's list.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedOrder)]
pub struct ListedOrderView {
    #[serde(flatten)]
    order: OrderView,
    #[schema(required)]
    sale_title: Option<String>,
}

impl ListedOrderView {
    pub fn new(order: Order, refunds: &[RefundEntry], titles: &HashMap<SaleId, String>) -> Self {
        let sale_title = titles.get(&order.sale).cloned();
        Self { order: OrderView::with_refunds(order, refunds), sale_title }
    }
}
