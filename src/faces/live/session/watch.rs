//! A sale that a session watches: what was told of it, and whether it is being looked at.

use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::faces::live::session::terms::Effect;

pub struct Watch {
    pub sale: SaleId,
    pub known: Option<Known>,
    pub word: u64,
    /// Something was told of it.
    pub is_told: bool,
    pub looks: bool,
    /// Look once more when the present look is done.
    pub again: bool,
    /// The client asked to be told whatever it knows already.
    pub retell: bool,
}

pub struct Known {
    pub born_at: Timestamp,
    pub reservation: ReservationId,
    pub version: u64,
}

impl Watch {
    /// One look at a time.
    pub fn look(&mut self, is_known: bool, acts: &mut Vec<Effect>) {
        if self.looks {
            self.again = true;
        } else if is_known {
            self.looks = true;
            acts.push(Effect::Look { sale: self.sale, first: !self.is_told });
        }
    }

    /// A doubled or late notice.
    pub fn knows(&self, reservation: ReservationId, version: u64) -> bool {
        self.known.as_ref().is_some_and(|known| known.reservation == reservation && known.version >= version)
    }

    /// Of one reservation the version decides; of two of this buyer's, the one created later.
    pub fn compare(&self, born_at: Timestamp, reservation: ReservationId, version: u64) -> std::cmp::Ordering {
        match &self.known {
            None => std::cmp::Ordering::Greater,
            Some(known) if known.reservation == reservation => version.cmp(&known.version),
            // Reads follow each other: of two created in one millisecond, the one that is read later is the later.
            Some(known) if born_at >= known.born_at => std::cmp::Ordering::Greater,
            Some(_) => std::cmp::Ordering::Less,
        }
    }
}
