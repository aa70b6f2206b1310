//! A buyer's standing in one sale: an enum whose arms carry their data.
//!
//! Which moves there are, who makes them and on what condition is the table in `docs/architecture.md`; each is one conditional
//! UPDATE in the ledger, so that of two who try at once one wins. Every move adds 1 to `version`, which orders notices.

use serde::{Deserialize, Serialize};

use crate::domain::shared::id::{BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Taken out of sale by the house, until it gives them back.
    Blocked {
        units: Vec<u32>,
    },
    Standby {
        generation: u64,
        arrival: u64,
    },
    Held {
        units: Vec<u32>,
        lapses_at: Timestamp,
    },
    /// The payment was recorded with the row, and is opened after it; no money moves until it is captured. `since` is when the
    /// row took it.
    Paying {
        units: Vec<u32>,
        lapses_at: Timestamp,
        payment: PaymentId,
        since: Timestamp,
    },
    Confirmed {
        units: Vec<u32>,
        payment: PaymentId,
    },
    /// Time ran out.
    Lapsed,
    /// The buyer let go.
    Cancelled,
    /// Standby that can no longer become anything.
    Ended,
    Refunded,
}

/// The state without its data: a column, a label, a value on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Kind {
    Blocked = 0,
    Standby = 1,
    Held = 2,
    Paying = 3,
    Confirmed = 4,
    Lapsed = 5,
    Cancelled = 6,
    Ended = 7,
    Refunded = 8,
}

impl Kind {
    pub const ALL: [Kind; 9] = [
        Kind::Blocked,
        Kind::Standby,
        Kind::Held,
        Kind::Paying,
        Kind::Confirmed,
        Kind::Lapsed,
        Kind::Cancelled,
        Kind::Ended,
        Kind::Refunded,
    ];

    /// A buyer has at most one live reservation of a sale.
    pub fn is_live(self) -> bool {
        matches!(self, Kind::Blocked | Kind::Standby | Kind::Held | Kind::Paying | Kind::Confirmed)
    }

    pub fn name(self) -> &'static str {
        match self {
            Kind::Blocked => "blocked",
            Kind::Standby => "standby",
            Kind::Held => "held",
            Kind::Paying => "paying",
            Kind::Confirmed => "confirmed",
            Kind::Lapsed => "lapsed",
            Kind::Cancelled => "cancelled",
            Kind::Ended => "ended",
            Kind::Refunded => "refunded",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    pub id: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub quantity: u8,
    pub state: State,
    pub version: u64,
    /// Of an ended one: whether the turnstile took its units back and gave them on.
    pub freed: bool,
    pub created_at: Timestamp,
}

impl Reservation {
    /// Whether a payment may begin.
    pub fn is_payable(&self, now: Timestamp) -> bool {
        matches!(self.state, State::Held { lapses_at, .. } if lapses_at > now)
    }

    pub fn pays_with(&self, with: PaymentId) -> bool {
        matches!(self.state, State::Paying { payment, .. } if payment == with)
    }

    /// Held -> Paying; nothing of what is not payable.
    pub fn paying(&self, payment: PaymentId, now: Timestamp) -> Option<Self> {
        match &self.state {
            State::Held { units, lapses_at } if *lapses_at > now => {
                let state = State::Paying { units: units.clone(), lapses_at: *lapses_at, payment, since: now };
                Some(Self { state, version: self.version + 1, ..self.clone() })
            }
            _ => None,
        }
    }

    /// Of what was held, or was being paid with this payment: the caller has judged it.
    pub fn confirmed(&self, payment: PaymentId) -> Self {
        let state = State::Confirmed { units: self.state.units().to_vec(), payment };
        Self { state, version: self.version + 1, ..self.clone() }
    }
}

impl State {
    pub fn kind(&self) -> Kind {
        match self {
            State::Blocked { .. } => Kind::Blocked,
            State::Standby { .. } => Kind::Standby,
            State::Held { .. } => Kind::Held,
            State::Paying { .. } => Kind::Paying,
            State::Confirmed { .. } => Kind::Confirmed,
            State::Lapsed => Kind::Lapsed,
            State::Cancelled => Kind::Cancelled,
            State::Ended => Kind::Ended,
            State::Refunded => Kind::Refunded,
        }
    }

    pub fn units(&self) -> &[u32] {
        match self {
            State::Blocked { units }
            | State::Held { units, .. }
            | State::Paying { units, .. }
            | State::Confirmed { units, .. } => units,
            _ => &[],
        }
    }
}

/// What became of an attempt, as the ledger tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No turn yet.
    Pending,
    Refused,
    /// The buyer had a live reservation at the time.
    Already,
    Reserved(Reservation),
}
