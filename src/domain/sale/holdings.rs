//! What a turnstile and a ledger must agree on: which units are free, who has which, who waits in what order; not how it came to be.
//!
//! Where nothing was ever taken every unit is free. These are told by their first: of ten million free units none is counted one by one.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::sale::turnstile::{Snapshot, Taken};
use crate::domain::shared::id::{BuyerId, ReservationId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holdings {
    pub free: Free,
    pub taken: BTreeMap<ReservationId, Taken>,
    pub standby: Vec<(ReservationId, BuyerId, u8)>,
}

/// Equal where the same units are free of as many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Free {
    /// Those among units that are taken. The one before `from` is none of them.
    pub between: BTreeSet<u32>,
    /// From here on all are.
    pub from: u32,
    pub capacity: u32,
}

impl Free {
    fn of(returned: &BTreeSet<u32>, next_unit: u32, capacity: u32) -> Self {
        let mut from = next_unit.min(capacity.saturating_add(1));
        let mut between: BTreeSet<u32> =
            returned.iter().copied().filter(|unit| *unit < from || *unit > capacity).collect();
        while from > 1 && between.remove(&(from - 1)) {
            from -= 1;
        }
        Self { between, from, capacity }
    }

    pub fn count(&self) -> usize {
        self.between.len() + self.capacity.saturating_add(1).saturating_sub(self.from) as usize
    }
}

impl Snapshot {
    pub fn holdings(&self) -> Holdings {
        Holdings {
            free: Free::of(&self.returned, self.next_unit, self.allotment.capacity),
            taken: self.taken.clone(),
            standby: self.standby.iter().map(|p| (p.reservation, p.buyer, p.quantity)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sale::{Allotment, CAPACITY_MAX};

    #[test]
    fn of_many_free_units_the_first_is_told() {
        let allotment = Allotment { capacity: CAPACITY_MAX, quantity_max: 1, standby_max: 0 };
        let free = Snapshot::empty(1, allotment).holdings().free;
        assert_eq!((free.between.len(), free.from), (0, 1));
        assert_eq!(free.count(), CAPACITY_MAX as usize);
    }

    /// Of every way to have had up to six units, beside every other.
    #[test]
    fn free_units_are_equal_where_they_are_the_same() {
        const CAPACITY: u32 = 6;
        let mut all = Vec::new();
        for next_unit in 1..=CAPACITY + 1 {
            for bits in 0..1_u32 << (next_unit - 1) {
                let returned: BTreeSet<u32> = (1..next_unit).filter(|unit| bits >> (unit - 1) & 1 == 1).collect();
                let units: BTreeSet<u32> = returned.iter().copied().chain(next_unit..=CAPACITY).collect();
                let free = Free::of(&returned, next_unit, CAPACITY);
                assert_eq!(free.count(), units.len());
                let told: BTreeSet<u32> = free.between.iter().copied().chain(free.from..=CAPACITY).collect();
                assert_eq!(told, units);
                all.push((free, units));
            }
        }
        for (free, units) in &all {
            assert!(all.iter().all(|(other, theirs)| (other == free) == (theirs == units)), "{units:?}");
        }
    }

    /// Whoever reads a turnstile that is wrong sees what is wrong.
    #[test]
    fn a_unit_beyond_the_last_is_seen() {
        let free = Free::of(&[3, 9].into(), 5, 4);
        assert_eq!(free, Free { between: [3, 9].into(), from: 5, capacity: 4 });
        assert_eq!(Free::of(&BTreeSet::new(), 9, 4), Free::of(&BTreeSet::new(), 5, 4));
    }
}
