//! A push to the buyer: what a reservation's row said when it was read. Made from the row, never from the turnstile's
//! answer; lost ones cost nothing, and an older version never replaces a newer one.

use serde::{Deserialize, Serialize};

use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId, TracedId};
use crate::domain::shared::time::Timestamp;
use crate::domain::shared::trace::{Mark, Trace};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub reservation: ReservationId,
    pub state: Kind,
    pub version: u64,
    /// Of a hold: until when it may be paid for.
    pub lapses_at: Option<Timestamp>,
    /// Travels beside it.
    #[serde(skip)]
    pub trace: Option<Trace>,
}

impl Notice {
    pub fn mark(&self) -> Option<Mark> {
        Some(Mark { of: self.reservation.into(), trace: self.trace? })
    }

    /// Each of them takes its own; those that are not named have none.
    pub fn take_marks(notices: &mut [Notice], marks: &[Mark]) {
        for mark in marks {
            for notice in notices.iter_mut().filter(|notice| TracedId::from(notice.reservation) == mark.of) {
                notice.trace = Some(mark.trace);
            }
        }
    }
}

/// Notices that could not be sent, and how long ago: gateways read these sales from the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Missed {
    /// Of which sales is not known any more.
    All {
        age_ms: u64,
    },
    Sales(Vec<(SaleId, u64)>),
}

/// Sales that are named one by one, at most.
pub const MISSED_SALES_MAX: usize = 256;

impl From<&Reservation> for Notice {
    fn from(row: &Reservation) -> Self {
        Self {
            sale: row.sale,
            buyer: row.buyer,
            reservation: row.id,
            state: row.state.kind(),
            version: row.version,
            lapses_at: match row.state {
                State::Held { lapses_at, .. } | State::Paying { lapses_at, .. } => Some(lapses_at),
                _ => None,
            },
            trace: None,
        }
    }
}
