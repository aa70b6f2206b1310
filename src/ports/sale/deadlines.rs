//! Alarm clocks. A deadline that rings tells which reservations to look at; the ledger says whether their time is over. A lost
//! or early alarm is made good by the sweeper.

use async_trait::async_trait;

use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::trace::Mark;
use crate::ports::{Result, Subscription};

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deadline {
    pub sale: SaleId,
    pub reservations: Vec<ReservationId>,
    /// Those that are traced. They travel beside it.
    #[serde(skip)]
    pub traced: Vec<Mark>,
}

/// Reservations in one deadline, at most.
pub const DEADLINE_MAX: usize = 512;

#[async_trait]
pub trait Deadlines: Send + Sync + 'static {
    /// Rings after `hold_ms`, never before; at once for 0. It may ring late behind longer holds: the sweeper is there first.
    /// Durable when this returns, where the broker is durable at all; a caller does not wait for that without end.
    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()>;

    async fn deadlines(&self) -> Result<Box<dyn Subscription<Deadline>>>;
}
