//! What happened, for consumers that the buyer does not wait for: mail, receipts, and listeners outside the shop.
//!
//! An event is written in the transaction that it speaks of, and published after it; it may arrive twice, under the same id. Its
//! shape on the wire is `{id, type, version, at, data}`: a type's data only ever grows by fields that may be absent, and anything
//! else is a new version beside the old one.

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::domain::shared::id::{BuyerId, CodeId, EventId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Event {
    pub id: EventId,
    pub version: u16,
    pub at: Timestamp,
    #[serde(flatten)]
    pub fact: Fact,
}

/// As it stands in a message or a row, perhaps of a version that we do not know.
#[derive(Deserialize)]
struct Written {
    id: EventId,
    version: u16,
    at: Timestamp,
    #[serde(flatten)]
    fact: Fact,
}

impl TryFrom<Written> for Event {
    type Error = String;

    fn try_from(Written { id, version, at, fact }: Written) -> Result<Self, String> {
        match version == fact.version() {
            true => Ok(Self { id, version, at, fact }),
            false => Err(format!("version {version} of {} is unknown here", fact.topic())),
        }
    }
}

/// The name of a fact is its topic, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum Fact {
    #[serde(rename = "order.paid")]
    OrderPaid(Purchase),
    /// Of an order: the whole of it, or some of its units.
    #[serde(rename = "order.refunded")]
    OrderRefunded(Refunded),
    /// Money that moved and could not become an order goes back.
    #[serde(rename = "payment.returned")]
    PaymentReturned(Returned),
    /// From standby to a hold that waits to be paid for.
    #[serde(rename = "reservation.promoted")]
    Promoted(Promoted),
    /// By its buyer.
    #[serde(rename = "reservation.cancelled")]
    Cancelled(Cancelled),
    /// Somebody asked for a code to an address. Neither is said here.
    #[serde(rename = "code.asked")]
    CodeAsked(CodeAsked),
    #[serde(rename = "account.password_changed")]
    PasswordChanged(PasswordChanged),
    /// Proved by this code; the address of before is found beside it.
    #[serde(rename = "account.address_changed")]
    AddressChanged(AddressChanged),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeAsked {
    pub code: CodeId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordChanged {
    pub buyer: BuyerId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressChanged {
    pub buyer: BuyerId,
    pub code: CodeId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// The order's number.
    pub order: String,
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub units: Vec<u32>,
    pub amount: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refunded {
    pub order: String,
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    /// Those that were refunded now.
    pub units: Vec<u32>,
    /// What goes back now.
    pub amount: Money,
    /// Those that remain the buyer's.
    pub left: Vec<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returned {
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub payment: PaymentId,
    pub amount: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub quantity: u8,
    pub lapses_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    pub reservation: ReservationId,
    pub sale: SaleId,
    pub buyer: BuyerId,
    pub quantity: u8,
}

impl Event {
    /// The id follows from what happened: `occasion` is what tells this fact apart from others of its topic about the same,
    /// such as the row's version. Written twice, it is the same event.
    pub fn new(fact: Fact, occasion: u128, at: Timestamp) -> Self {
        let mut hash = Sha1::new();
        hash.update(fact.topic());
        hash.update(fact.about().to_be_bytes());
        hash.update(occasion.to_be_bytes());
        let digest = hash.finalize();
        let id = digest[..16].try_into().expect("the digest has twenty bytes");
        Self { id: EventId::from_bytes(id), version: fact.version(), at, fact }
    }
}

impl Fact {
    pub fn topic(&self) -> &'static str {
        match self {
            Fact::OrderPaid(_) => "order.paid",
            Fact::OrderRefunded(_) => "order.refunded",
            Fact::PaymentReturned(_) => "payment.returned",
            Fact::Promoted(_) => "reservation.promoted",
            Fact::Cancelled(_) => "reservation.cancelled",
            Fact::CodeAsked(_) => "code.asked",
            Fact::PasswordChanged(_) => "account.password_changed",
            Fact::AddressChanged(_) => "account.address_changed",
        }
    }

    /// Of the shape of its data.
    pub fn version(&self) -> u16 {
        1
    }

    /// The reservation, the code or the person: what is told of one of them is told in order.
    pub fn about(&self) -> u128 {
        match self {
            Fact::OrderPaid(fact) => fact.reservation.0,
            Fact::OrderRefunded(fact) => fact.reservation.0,
            Fact::PaymentReturned(fact) => fact.reservation.0,
            Fact::Promoted(fact) => fact.reservation.0,
            Fact::Cancelled(fact) => fact.reservation.0,
            Fact::CodeAsked(fact) => fact.code.0,
            Fact::PasswordChanged(fact) => fact.buyer.0.into(),
            Fact::AddressChanged(fact) => fact.buyer.0.into(),
        }
    }
}
