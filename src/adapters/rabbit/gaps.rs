//! Gaps in the numbers of senders. Messages of one sender travel on several channels and pass each other, so a number
//! that is not there yet is waited for a little; one that does not come is a notice that was lost.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use tokio::time::Instant;

/// How long a number may be late.
pub(super) const LATE: Duration = Duration::from_millis(1_000);
/// Numbers beyond a gap that are waited with; more than that, and it is one.
const BEYOND_MAX: usize = 64;
/// Senders that are known, at most. Processes come and go, and do not say goodbye.
const SENDERS_MAX: usize = 1_024;

#[derive(Default)]
pub(super) struct Gaps {
    senders: HashMap<u64, Heard>,
    /// When the first of the gaps is one.
    due: Option<Instant>,
    /// A subscriber that asks for what was told before: a sender then begins with the number that is received first.
    asks: bool,
}

struct Heard {
    next: u64,
    beyond: BTreeSet<u64>,
    since: Instant,
}

impl Gaps {
    /// Of a subscriber that asks for everything when it begins to listen.
    pub(super) fn of_who_asks() -> Self {
        Self { asks: true, ..Self::default() }
    }

    /// Whether something did not arrive. A sender that is new here is believed to have begun with 1: what it told before we
    /// listened costs one look, what it told since then would be missed.
    pub(super) fn hear(&mut self, sender: u64, number: u64, now: Instant) -> bool {
        let is_new = !self.senders.contains_key(&sender);
        let forgot = is_new && self.senders.len() >= SENDERS_MAX;
        if forgot {
            *self = Self { asks: self.asks, ..Self::default() };
        }
        let next = if self.asks { number } else { 1 };
        let heard = self.senders.entry(sender).or_insert(Heard { next, beyond: BTreeSet::new(), since: now });
        if number < heard.next {
            return forgot;
        }
        if heard.beyond.is_empty() {
            heard.since = now;
        }
        heard.beyond.insert(number);
        while heard.beyond.remove(&heard.next) {
            heard.next += 1;
        }
        if heard.beyond.len() > BEYOND_MAX {
            heard.skip();
            return true;
        }
        if !heard.beyond.is_empty() {
            let late = heard.since + LATE;
            self.due = Some(self.due.map_or(late, |due| due.min(late)));
        }
        forgot
    }

    /// When to ask whether a number is late by now; it may have come meanwhile.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Whether a number is late. It is not waited for any more.
    pub(super) fn are_late(&mut self, now: Instant) -> bool {
        if self.due.is_none_or(|due| due > now) {
            return false;
        }
        self.due = None;
        let mut late = false;
        for heard in self.senders.values_mut().filter(|heard| !heard.beyond.is_empty()) {
            let due = heard.since + LATE;
            if due <= now {
                heard.skip();
                late = true;
            } else {
                self.due = Some(self.due.map_or(due, |first| first.min(due)));
            }
        }
        late
    }
}

impl Heard {
    /// The gap is over: what lies beyond it is all that comes.
    fn skip(&mut self) {
        self.next = self.beyond.pop_last().map_or(self.next, |last| last + 1);
        self.beyond = BTreeSet::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn what_passes_another_is_no_gap() {
        let (mut gaps, now) = (Gaps::default(), Instant::now());
        for number in [2, 1, 3, 5, 6, 4, 4, 1] {
            assert!(!gaps.hear(7, number, now));
        }
        assert!(!gaps.are_late(now + 2 * LATE));
        assert_eq!(gaps.due(), None);
    }

    #[test]
    fn what_does_not_come_is_a_gap_once() {
        let (mut gaps, now) = (Gaps::default(), Instant::now());
        assert!(!gaps.hear(7, 1, now) && !gaps.hear(7, 3, now + MS));
        assert_eq!(gaps.due(), Some(now + MS + LATE));
        assert!(!gaps.hear(8, 2, now + 2 * MS), "another sender has numbers of its own");
        assert!(!gaps.are_late(now + LATE));
        assert!(gaps.are_late(now + MS + LATE));
        assert_eq!(gaps.due(), Some(now + 2 * MS + LATE), "a new sender whose first number is not 1 was missed before");
        assert!(gaps.are_late(now + 2 * LATE) && !gaps.are_late(now + 3 * LATE));
        assert!(!gaps.hear(7, 2, now + 2 * LATE), "what comes late is no gap");
        assert!(!gaps.hear(7, 4, now + 2 * LATE) && !gaps.hear(8, 3, now + 2 * LATE));
        assert_eq!(gaps.due(), None);
    }

    #[test]
    fn who_asks_has_missed_nothing_before_it_listened() {
        let (mut gaps, now) = (Gaps::of_who_asks(), Instant::now());
        for number in [5, 4, 6] {
            assert!(!gaps.hear(7, number, now));
        }
        assert_eq!(gaps.due(), None);
        assert!(!gaps.hear(7, 8, now) && gaps.are_late(now + LATE));
    }

    #[test]
    fn a_second_gap_has_its_own_time() {
        let (mut gaps, now) = (Gaps::default(), Instant::now());
        for (number, at) in [(1, 0), (3, 1), (2, 2), (5, 500)] {
            assert!(!gaps.hear(7, number, now + at * MS));
        }
        assert!(!gaps.are_late(now + MS + LATE), "the first one was filled");
        assert!(gaps.are_late(now + 500 * MS + LATE));
    }

    #[test]
    fn many_beyond_a_gap_are_not_kept() {
        let (mut gaps, now) = (Gaps::default(), Instant::now());
        let found: Vec<u64> = (2..200).filter(|number| gaps.hear(7, *number, now)).collect();
        assert_eq!(found, [66]);
    }

    #[test]
    fn senders_that_are_too_many_are_forgotten_and_everybody_looks() {
        let (mut gaps, now) = (Gaps::default(), Instant::now());
        let found = (0..1_024).filter(|sender| gaps.hear(*sender, 1, now)).count();
        assert_eq!((found, gaps.senders.len()), (0, 1_024));
        assert!(gaps.hear(1_024, 1, now));
        assert_eq!(gaps.senders.len(), 1);
    }
}
