//! The way of every turn: look at the ledger, ask the turnstile, record the answer.
//!
//! What a caller knows of a sale's history travels with each question, so that a turnstile which fell back does not answer.
//! A refusal, by the turnstile or by the ledger, becomes either another try or a doubt that a restore settles; no turn is
//! ever bent to fit.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::sale::restore::{Divergence, RestoreReason};
use crate::domain::sale::reservation::Reservation;
use crate::domain::sale::turn::{Known, Stamp, Turn};
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::kit::telemetry::traced::{Part, call};
use crate::ports::platform::clock::Clock;
use crate::ports::sale::recording::{Recorded, Recording, SaleHead};
use crate::ports::{Fault, Result};

/// Refusals of one generation's answers after which looking again is no use: the two differ below what a look compares.
const REFUSALS_MAX: u32 = 2;
/// Between two tries to record a promotion whose row does not exist yet.
const ABSENT_WAIT: Duration = Duration::from_millis(20);

/// Why one try settled nothing, and what is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsettled {
    /// What it was decided by changed meanwhile: look again.
    Again,
    /// The turnstile may not be the one the ledger knows: restore it, and look again.
    Diverged(Divergence),
    /// A part outside failed: wait, and look again.
    Fault(Fault),
    /// The same of the turnstile, when it was asked to decide.
    Away(Fault),
}

impl From<Fault> for Unsettled {
    fn from(fault: Fault) -> Self {
        Unsettled::Fault(fault)
    }
}

/// What one piece of work remembers of a sale between its tries.
#[derive(Debug)]
pub struct SaleCursor {
    sale: SaleId,
    /// Its own last answer, and the generation it was of.
    last: Known,
    refusals: u32,
}

impl SaleCursor {
    pub fn new(sale: SaleId) -> Self {
        Self { sale, last: Known::of(0), refusals: 0 }
    }

    pub fn sale(&self) -> SaleId {
        self.sale
    }

    pub fn known(&mut self, look: &SaleHead) -> Known {
        if look.generation != self.last.generation {
            *self = Self { last: Known::of(look.generation), ..Self::new(self.sale) };
        }
        if look.revision < self.last.revision {
            return self.last;
        }
        Known { generation: look.generation, revision: look.revision, chain: look.chain }
    }

    pub fn answered(&mut self, known: &mut Known, stamp: Stamp) {
        for known in [&mut self.last, known] {
            if stamp.revision > known.revision {
                *known = stamp.into();
            }
        }
    }

    /// The turnstile answered STALE to `known`.
    pub fn stale(&self, known: Known) -> Divergence {
        self.doubt(known.generation, RestoreReason::Behind { revision: known.revision })
    }

    /// An answer the ledger refused, or one that contradicts itself.
    pub fn refused(&mut self, generation: u64) -> Divergence {
        self.refusals += 1;
        let grounds = if self.refusals > REFUSALS_MAX { RestoreReason::Lost } else { RestoreReason::Refused };
        self.doubt(generation, grounds)
    }

    fn doubt(&self, generation: u64, grounds: RestoreReason) -> Divergence {
        Divergence { sale: self.sale, generation, grounds }
    }
}

/// Records the turns, all of `trail`'s sale and one generation. A promotion whose row does not exist yet is waited for.
pub async fn record(
    recording: &dyn Recording,
    clock: &dyn Clock,
    trail: &mut SaleCursor,
    turns: &[Turn],
    absent_ms_max: u64,
) -> Result<Vec<Reservation>, Unsettled> {
    let generation = turns.first().expect("a caller has at least one turn to record").stamp().generation;
    let patient_until = Instant::now() + Duration::from_millis(absent_ms_max);
    loop {
        let now = sure_now(clock)?;
        match call(Part::Ledger, "record", recording.record(trail.sale, turns, now)).await? {
            Recorded::Done(rows) => return Ok(rows),
            Recorded::Moved => return Err(Unsettled::Again),
            Recorded::Diverged { what } => {
                tracing::warn!(sale.id = %trail.sale, sale.generation = generation, what, "the ledger refused a turn");
                return Err(Unsettled::Diverged(trail.refused(generation)));
            }
            Recorded::Absent { .. } if Instant::now() < patient_until => tokio::time::sleep(ABSENT_WAIT).await,
            Recorded::Absent { reservation } => {
                tracing::warn!(sale.id = %trail.sale, reservation.id = %reservation, "the row of a promotion never appeared");
                return Err(Unsettled::Diverged(trail.doubt(generation, RestoreReason::Lost)));
            }
        }
    }
}

/// A worker stamps holds and lets them lapse by the ledger's time: without it, it waits.
pub fn sure_now(clock: &dyn Clock) -> Result<Timestamp> {
    if clock.is_sure() { Ok(clock.now()) } else { Err(Fault::new("clock", "the ledger's time is not known")) }
}

#[cfg(test)]
mod tests {
    use super::SaleCursor;
    use crate::app::sale::restore::RestoreReason;
    use crate::domain::shared::id::SaleId;

    #[test]
    fn what_is_refused_once_too_often_is_lost() {
        let mut trail = SaleCursor::new(SaleId(1));
        let grounds = [(); 3].map(|()| trail.refused(1).grounds);
        assert_eq!(grounds, [RestoreReason::Refused, RestoreReason::Refused, RestoreReason::Lost]);
    }
}
