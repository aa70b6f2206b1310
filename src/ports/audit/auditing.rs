//! Everything of one sale, for checking it afterwards or watching it run.

use async_trait::async_trait;

use crate::domain::money::order::Order;
use crate::domain::money::payment::{Payment, RefundEntry};
use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::Cause;
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::retention::Certificate;
use crate::ports::sale::restoring::SaleTotals;

/// What `miaosha audit` reads of one sale, in one consistent read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFacts {
    pub standing: SaleTotals,
    pub quantity_max: u8,
    /// Every live reservation, with its claimed units as the claims table has them.
    pub live: Vec<(Reservation, Vec<u32>)>,
    /// Claims whose reservation is not live or does not list them.
    pub orphan_claims: Vec<u32>,
    pub orders: Vec<Order>,
    pub payments: Vec<Payment>,
    pub refunds: Vec<RefundEntry>,
    pub attempts: u64,
    /// Count of first outcomes over all batch turns: taken, standby, already, refused.
    pub outcomes: [u64; 4],
    /// Turns whose chain does not fit the one before, or whose revision is missing before a later one.
    pub broken_turns: Vec<String>,
    /// SHA-256 over the turns: generation, revision, chain and outcomes of each. Where some are gone the certificate's stands for them.
    pub turns_digest: [u8; 32],
    /// The sale's, also where it moved since.
    pub certificate: Option<Certificate>,
    pub now: Timestamp,
}

/// One turn as `miaosha audit --turns` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedTurn {
    pub generation: u64,
    pub revision: u64,
    pub cause: Cause,
    /// One byte for each attempt of a batch.
    pub outcomes: Vec<u8>,
    pub recorded_at: Timestamp,
}

/// Everything that was ever decided of one sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// By generation, then revision.
    pub turns: Vec<RecordedTurn>,
    /// Every reservation there ever was, and whose; not those that were split from one.
    pub reservations: Vec<(BuyerId, ReservationId)>,
}

/// How a sale has been going lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// The newest turns, newest first.
    pub turns: Vec<RecordedTurn>,
    /// Reservations that ever lapsed.
    pub lapsed: u32,
}

#[async_trait]
pub trait Auditing: Send + Sync + 'static {
    async fn audit(&self, sale: SaleId, now: Timestamp) -> Result<Option<AuditFacts>>;

    async fn history(&self, sale: SaleId) -> Result<History>;

    /// With at most so many turns.
    async fn pace(&self, sale: SaleId, turns_max: u32) -> Result<Pace>;
}
