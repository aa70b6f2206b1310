//! Alarm clocks. A deadline that rings tells which reservations to look at; the ledger says whether their time is over. A lost
//! or early alarm is made good by the sweeper.

use crate::domain::id::{ReservationId, SaleId};
use crate::domain::trace::Mark;
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

pub trait Deadlines: Send + Sync + 'static {
    type Deadlines: Subscription<Delivery: crate::ports::Delivery<Body = Deadline>>;

    /// Rings after `hold_ms`, never before; at once for 0. It may ring late behind longer holds: the sweeper is there first.
    /// Durable when this returns, where the world is durable at all; a caller does not wait for that without end.
    fn schedule(&self, deadline: Deadline, hold_ms: i64) -> impl Future<Output = Result<()>> + Send;

    fn deadlines(&self) -> impl Future<Output = Result<Self::Deadlines>> + Send;
}
