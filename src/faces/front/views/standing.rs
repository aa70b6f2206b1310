//! Where a buyer stands in a sale: the answer to who asks, and what sockets are told.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::sale::reservation::{Kind, State};
use crate::domain::shared::id::ReservationId;
use crate::domain::shared::time::Timestamp;
use crate::faces::front::Front;
use crate::faces::front::shapes::statuses;
use crate::kit::http::document::shapes::words;
use crate::ports::Result;
use crate::ports::money::orders::Orders;
use crate::ports::sale::reservations::Place;

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
    /// Of a hold: the right to pay for it. A process that serves sockets alone has no key to give it, and leaves it out: it is
    /// in the answer to who asks.
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
    /// Of an attempt that has no reservation.
    pub fn of_attempt(status: &'static str) -> Self {
        Self { status, ..Self::default() }
    }

    pub async fn of_place(front: &Front, orders: &dyn Orders, Place { row, position }: Place) -> Result<Self> {
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
                let now = front.clock().now();
                let ttl_ms = lapses_at.since_ms(now).max(0) + front.settings().checkout_ttl_beyond_hold_ms;
                view.lapses_at = Some(lapses_at);
                view.checkout_token = front.checkout_token(row.id, row.buyer, ttl_ms);
            }
            State::Paying { lapses_at, .. } => view.lapses_at = Some(lapses_at),
            State::Confirmed { .. } => {
                view.order_number = orders.order_of(row.id).await?.map(|order| order.number);
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
