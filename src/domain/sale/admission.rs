//! How long an admission lives, what holds that came to nothing cost, and how much work is asked: pure decisions.
//!
//! An admission is given while its buyer has no live reservation, and ends within the length of one hold. So it is over when the hold
//! that it makes lapses, and the price of that lapse is asked with the next one; the turnstile learns nothing of any of this.

use crate::domain::sale::{Allotment, Sale};
use crate::domain::shared::time::Timestamp;

/// Until when a button may be pressed by an admission that is given now.
pub fn until(sale: &Sale, admission_ms: i64, now: Timestamp) -> Timestamp {
    let begins = now.max(sale.opens_at);
    sale.closes_at.min(begins.plus_ms(admission_ms.min(sale.hold_ms)))
}

/// A hold that ended unpaid: it lapsed, or its buyer let it go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedHold {
    pub ended_at: Timestamp,
    /// When it was to lapse.
    pub lapses_at: Timestamp,
    pub is_cancelled: bool,
}

/// What holds that ended unpaid cost their buyer in the same sale.
#[derive(Debug, Clone, Copy)]
pub struct CoolOff {
    /// After the first; each later one is twice as long.
    pub first_ms: i64,
    /// With so many, the buyer is out of the sale.
    pub lapses_max: u32,
    /// A hold that is cancelled so soon after it began is forgiven, so often: whoever did so again and again would have the sale for
    /// nothing, too.
    pub regret_ms: i64,
    pub regrets_max: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    Nothing,
    WaitUntil(Timestamp),
    Out,
}

impl CoolOff {
    /// Of so many ended holds, the newest, the price is known: with that many a buyer is out.
    pub fn holds_max(&self) -> u32 {
        self.lapses_max.saturating_add(self.regrets_max)
    }

    /// By the holds that ended, the newest first.
    pub fn price(&self, ended: &[EndedHold], hold_ms: i64, now: Timestamp) -> Price {
        let ends = self.unforgiven(ended, hold_ms);
        let Some(last) = ends.last() else { return Price::Nothing };
        if ends.len() >= self.lapses_max as usize {
            return Price::Out;
        }
        let times = 1_i64 << (ends.len() - 1).min(32);
        let until = last.plus_ms(self.first_ms.saturating_mul(times));
        if now < until { Price::WaitUntil(until) } else { Price::Nothing }
    }

    /// When they ended, the oldest first.
    fn unforgiven(&self, ended: &[EndedHold], hold_ms: i64) -> Vec<Timestamp> {
        let is_soon =
            |hold: &EndedHold| hold.is_cancelled && hold.ended_at <= hold.lapses_at.plus_ms(self.regret_ms - hold_ms);
        let mut forgiven = 0;
        let counts = |hold: &&EndedHold| {
            let is_forgiven = is_soon(hold) && forgiven < self.regrets_max;
            forgiven += u32::from(is_forgiven);
            !is_forgiven
        };
        ended.iter().rev().filter(counts).map(|hold| hold.ended_at).collect()
    }
}

/// How many buyers of one network are admitted to a sale: a share of those that its units are enough for, so that one who has a network
/// cannot have a sale. Not of those that may wait: each of them is served only when somebody else did not pay.
#[derive(Debug, Clone, Copy)]
pub struct NetworkPlaces {
    pub percent: u32,
    /// Whatever the share is, so many; people have neighbours.
    pub least: u32,
    pub most: u32,
}

impl NetworkPlaces {
    pub fn of(&self, allotment: Allotment) -> u32 {
        let served = allotment.capacity.div_ceil(u32::from(allotment.quantity_max).max(1));
        let share = u64::from(served) * u64::from(self.percent) / 100;
        share.clamp(self.least.min(self.most).into(), self.most.into()) as u32
    }
}

/// How much work is asked: none below `free`, then `bits`, and one more with each doubling.
#[derive(Debug, Clone, Copy)]
pub struct Difficulty {
    pub bits: u8,
    pub bits_max: u8,
}

impl Difficulty {
    pub fn of(&self, count: u32, free: u32) -> u8 {
        if count < free {
            return 0;
        }
        let doublings = (count / free.max(1)).max(1).ilog2();
        self.bits.saturating_add(doublings as u8).min(self.bits_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sale(hold_ms: i64) -> Sale {
        let times = (Timestamp(1_000_000), Timestamp(2_000_000));
        Sale { hold_ms, opens_at: times.0, closes_at: times.1, ..Sale::sample() }
    }

    #[test]
    fn an_admission_ends_within_a_hold_and_with_the_sale() {
        let ends = |hold_ms, now| until(&sale(hold_ms), 60_000, Timestamp(now)).0;
        assert_eq!(ends(600_000, 1_500_000), 1_560_000);
        assert_eq!(ends(20_000, 1_500_000), 1_520_000, "no longer than a hold");
        assert_eq!(ends(600_000, 10_000), 1_060_000, "before the bell its time has not begun");
        assert_eq!(ends(600_000, 1_990_000), 2_000_000, "nothing is sold after the close");
    }

    const RULE: CoolOff = CoolOff { first_ms: 60_000, lapses_max: 3, regret_ms: 20_000, regrets_max: 1 };
    const HOLD_MS: i64 = 600_000;

    fn lapsed(at: i64) -> EndedHold {
        EndedHold { ended_at: Timestamp(at), lapses_at: Timestamp(at), is_cancelled: false }
    }

    /// So long after it began.
    fn cancelled(at: i64, held_ms: i64) -> EndedHold {
        EndedHold { ended_at: Timestamp(at), lapses_at: Timestamp(at - held_ms + HOLD_MS), is_cancelled: true }
    }

    fn price(ended: &[EndedHold], now: i64) -> Price {
        RULE.price(ended, HOLD_MS, Timestamp(now))
    }

    #[test]
    fn each_hold_that_lapsed_costs_twice_the_one_before_until_one_is_out() {
        assert_eq!(price(&[], 0), Price::Nothing);
        assert_eq!(price(&[lapsed(1_000)], 60_999), Price::WaitUntil(Timestamp(61_000)));
        assert_eq!(price(&[lapsed(1_000)], 61_000), Price::Nothing);
        assert_eq!(price(&[lapsed(200_000), lapsed(1_000)], 319_999), Price::WaitUntil(Timestamp(320_000)));
        assert_eq!(price(&[lapsed(200_000), lapsed(1_000)], 320_000), Price::Nothing);
        assert_eq!(price(&[lapsed(500_000), lapsed(200_000), lapsed(1_000)], i64::MAX), Price::Out);
    }

    #[test]
    fn one_hold_that_is_cancelled_soon_is_forgiven_and_the_next_is_not() {
        let soon = |at| cancelled(at, 20_000);
        assert_eq!(price(&[soon(30_000)], 30_000), Price::Nothing);
        assert_eq!(price(&[cancelled(30_001, 20_001)], 30_001), Price::WaitUntil(Timestamp(90_001)));
        assert_eq!(price(&[soon(70_000), soon(30_000)], 70_000), Price::WaitUntil(Timestamp(130_000)));
        assert_eq!(price(&[lapsed(70_000), soon(30_000)], 70_000), Price::WaitUntil(Timestamp(130_000)));
        // With as many as are looked at, one is out whatever came before.
        assert_eq!(RULE.holds_max(), 4);
        assert_eq!(price(&[soon(4), soon(3), soon(2), soon(1)], i64::MAX), Price::Out);
    }

    #[test]
    fn a_networks_share_is_of_those_who_can_be_served() {
        let places = NetworkPlaces { percent: 10, least: 5, most: 500 };
        let of = |capacity, quantity_max| places.of(Allotment { capacity, quantity_max, standby_max: 1_000_000 });
        assert_eq!([of(0, 1), of(1, 1), of(59, 1), of(60, 1), of(1_000, 1)], [5, 5, 5, 6, 100]);
        assert_eq!([of(100, 4), of(1_000, 4), of(1_001, 4), of(1_037, 4)], [5, 25, 25, 26], "each takes what he may");
        assert_eq!([of(5_009, 1), of(5_010, 1), of(u32::MAX, 1)], [500, 500, 500]);
        let of_few = NetworkPlaces { most: 3, ..places };
        assert_eq!(of_few.of(Allotment { capacity: 1, quantity_max: 1, standby_max: 0 }), 3, "the most is the most");
    }

    #[test]
    fn work_grows_with_each_doubling_and_ends() {
        let work = Difficulty { bits: 16, bits_max: 22 };
        let bits = |count| work.of(count, 5);
        assert_eq!([0, 4].map(bits), [0, 0]);
        assert_eq!([5, 9, 10, 19, 20, 40, 80, 160].map(bits), [16, 16, 17, 17, 18, 19, 20, 21]);
        assert_eq!([319, 320, 640, u32::MAX].map(bits), [21, 22, 22, 22]);
        assert_eq!([0, 1].map(|count| work.of(count, 0)), [16, 16], "nobody is free");
    }
}
