//! The way of every turn: look at the ledger, ask the turnstile, record the answer.
//!
//! What a caller knows of a sale's history travels with each question, so that a turnstile which fell back does not answer.
//! A refusal, by the turnstile or by the ledger, becomes either another try or a doubt that a restore settles; no turn is
//! ever bent to fit.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::id::SaleId;
use crate::domain::reservation::Reservation;
use crate::domain::time::Timestamp;
use crate::domain::turn::{Known, Stamp, Turn};
use crate::ports::ledger::{Ledger, Look, Recorded};
use crate::ports::{Fault, Result, World};
use crate::services::restore::{Doubt, Grounds};
use crate::services::traced::{Part, call};

/// Refusals of one generation's answers after which looking again is no use: the two differ below what a look compares.
const REFUSALS_MAX: u32 = 2;
/// Between two tries to record a promotion whose row is still to be born.
const ABSENT_WAIT: Duration = Duration::from_millis(20);

/// What one try came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<T> {
    Done(T),
    /// The world moved on meanwhile: look again.
    Again,
    /// The turnstile may not be the one the ledger knows.
    Doubt(Doubt),
}

/// What one piece of work remembers of a sale between its tries.
#[derive(Debug)]
pub struct Trail {
    sale: SaleId,
    /// Its own last answer, and the generation it was of.
    last: Known,
    refusals: u32,
}

impl Trail {
    pub fn new(sale: SaleId) -> Self {
        Self { sale, last: Known::of(0), refusals: 0 }
    }

    pub fn known(&mut self, look: &Look) -> Known {
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
    pub fn stale(&self, known: Known) -> Doubt {
        self.doubt(known.generation, Grounds::Behind { revision: known.revision })
    }

    /// An answer the ledger refused, or one that contradicts itself.
    pub fn refused(&mut self, generation: u64) -> Doubt {
        self.refusals += 1;
        let grounds = if self.refusals > REFUSALS_MAX { Grounds::Lost } else { Grounds::Refused };
        self.doubt(generation, grounds)
    }

    fn doubt(&self, generation: u64, grounds: Grounds) -> Doubt {
        Doubt { sale: self.sale, generation, grounds }
    }
}

/// Records the turns, all of `trail`'s sale and one generation. A promotion whose row is not born yet is waited for.
pub async fn record<W: World>(
    world: &W,
    trail: &mut Trail,
    turns: &[Turn],
    absent_ms_max: u64,
) -> Result<Step<Vec<Reservation>>> {
    let generation = turns.first().expect("a turn is recorded because somebody asked").stamp().generation;
    let patient_until = Instant::now() + Duration::from_millis(absent_ms_max);
    loop {
        let now = sure_now(world)?;
        match call(Part::Ledger, "record", world.store().record(trail.sale, turns, now)).await? {
            Recorded::Done(rows) => return Ok(Step::Done(rows)),
            Recorded::Moved => return Ok(Step::Again),
            Recorded::Diverged { what } => {
                tracing::warn!(sale.id = %trail.sale, sale.generation = generation, what, "the ledger refused a turn");
                return Ok(Step::Doubt(trail.refused(generation)));
            }
            Recorded::Absent { .. } if Instant::now() < patient_until => tokio::time::sleep(ABSENT_WAIT).await,
            Recorded::Absent { reservation } => {
                tracing::warn!(sale.id = %trail.sale, reservation.id = %reservation, "a promoted party was never born");
                return Ok(Step::Doubt(trail.doubt(generation, Grounds::Lost)));
            }
        }
    }
}

/// A worker stamps holds and lets them lapse by the ledger's time: without it, it waits.
pub fn sure_now<W: World>(world: &W) -> Result<Timestamp> {
    if world.clock().is_sure() {
        Ok(world.clock().now())
    } else {
        Err(Fault::new("clock", "the ledger's time is not known"))
    }
}
