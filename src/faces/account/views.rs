//! What people are shown of themselves.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;

use crate::domain::sale::reservation::{Kind as Status, Reservation};
use crate::domain::shared::id::{PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::account::accounts::User;
use crate::faces::front::views::{MoneyView, OrderView};
use crate::kit::http::document::problems::{Extended, Members};
use crate::kit::http::document::shapes::{list, words};
use crate::kit::http::problem::Kind;
use crate::ports::people::accounts::IN_THE_WAY_MAX;

/// A problem that also says what is in the way, the first 100 of each: with reservations, these must end first; without, `field`
/// is `orders`, and it takes the word `keep`.
#[derive(Serialize, ToSchema)]
#[schema(as = NotErased)]
pub struct InTheWayView {
    #[schema(schema_with = list::<LiveReservation, IN_THE_WAY_MAX>)]
    pub reservations: Vec<LiveReservation>,
    #[schema(schema_with = list::<UnusedOrder, IN_THE_WAY_MAX>)]
    pub orders: Vec<UnusedOrder>,
    /// Of all orders, those still good for admission.
    pub units: u64,
}

pub type NotErased = Extended<InTheWayView>;

impl Members for InTheWayView {
    const KIND: Kind = Kind::CONFLICT;
}

#[derive(Serialize, ToSchema)]
pub struct LiveReservation {
    pub reservation_id: ReservationId,
    pub sale_id: SaleId,
    #[schema(required)]
    pub sale_title: Option<String>,
    #[schema(schema_with = live)]
    pub status: &'static str,
    #[schema(minimum = 1)]
    pub quantity: u8,
}

fn live() -> Object {
    words([Status::Standby, Status::Held, Status::Paying].map(Status::name))
}

/// With its units that are still good for admission.
#[derive(Serialize, ToSchema)]
pub struct UnusedOrder {
    pub order_number: String,
    pub sale_id: SaleId,
    #[schema(required)]
    pub sale_title: Option<String>,
    pub units: Vec<u32>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = OwnReservation)]
pub struct ReservationView {
    pub reservation_id: ReservationId,
    pub sale_id: SaleId,
    #[schema(minimum = 1)]
    pub quantity: u8,
    pub units: Vec<u32>,
    #[schema(value_type = Status)]
    pub status: &'static str,
    pub created_at: Timestamp,
}

impl From<Reservation> for ReservationView {
    fn from(row: Reservation) -> Self {
        Self {
            reservation_id: row.id,
            sale_id: row.sale,
            quantity: row.quantity,
            units: row.state.units().to_vec(),
            status: row.state.kind().name(),
            created_at: row.created_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = OwnPayment)]
pub struct PaymentView {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub amount: MoneyView,
    pub opened_at: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub struct Export {
    pub account: User,
    pub reservations: Vec<ReservationView>,
    pub orders: Vec<OrderView>,
    pub payments: Vec<PaymentView>,
}
