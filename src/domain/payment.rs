//! A payment: opened (no money moves), then captured or voided, once; a captured one may be refunded.

use crate::domain::id::{PaymentId, ReservationId, SaleId};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

/// Where our books have a payment. The provider has the last word on whether money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PaymentState {
    /// Written before it is opened at the provider; whether it was is not known.
    Opened = 1,
    /// Money moved, and there is an order.
    Captured = 2,
    /// It never will move.
    Voided = 3,
    /// Money moved and there is no order: to be refunded until it is.
    RefundDue = 4,
    Refunded = 5,
}

impl PaymentState {
    pub const ALL: [PaymentState; 5] = [
        PaymentState::Opened,
        PaymentState::Captured,
        PaymentState::Voided,
        PaymentState::RefundDue,
        PaymentState::Refunded,
    ];

    pub fn from_code(code: u8) -> Option<PaymentState> {
        PaymentState::ALL.into_iter().find(|state| *state as u8 == code)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    pub id: PaymentId,
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub amount: Money,
    pub state: PaymentState,
    pub opened_at: Timestamp,
}
