//! A payment: opened (no money moves), then captured or voided, once. Of a captured one money may go back: all of it, or in
//! parts, and never more than moved.

use crate::domain::id::{PaymentId, RefundId, ReservationId, SaleId};
use crate::domain::money::Money;
use crate::domain::time::Timestamp;

/// Where our books have a payment. The provider has the last word on whether money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PaymentState {
    /// Written before it is opened at the provider; whether it was is not known.
    Opened = 1,
    /// Money moved. What goes back of it are its refunds.
    Captured = 2,
    /// It never will move.
    Voided = 3,
}

impl PaymentState {
    pub const ALL: [PaymentState; 3] = [PaymentState::Opened, PaymentState::Captured, PaymentState::Voided];

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

/// One giving back of money, as the provider is asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refund {
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Money,
}

/// Why money goes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It moved, and there was nothing left that it could pay for.
    CouldNotStand,
    /// An operator gave these units of an order back, and perhaps said why.
    Operator { units: Vec<u32>, reason: Option<String> },
}

/// A refund as our books have it: written when it was decided, asked for at the provider until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    pub refund: Refund,
    /// The one that was paid for, or was to be.
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub why: Why,
    pub made_at: Timestamp,
    /// `None` while it is due.
    pub done_at: Option<Timestamp>,
}

impl RefundId {
    /// Of a capture that could not stand: one for each payment, however often it is found.
    pub fn of_payment(payment: PaymentId) -> Self {
        Self(payment.0)
    }

    /// Of units that an operator gave back: one for each reservation that ended by it.
    pub fn of_ended(ended: ReservationId) -> Self {
        Self(ended.0)
    }
}
