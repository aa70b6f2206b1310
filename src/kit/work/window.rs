//! How often each of many came of late, in bounded memory. One window is counted at a time; when there is no room for another key the
//! next window begins at once, so that those who are new are never the ones who pay for it.

use std::collections::HashMap;
use std::hash::Hash;

use crate::domain::shared::time::Timestamp;

pub struct WindowCounts<K> {
    window_ms: i64,
    keys_max: usize,
    began_at: Timestamp,
    counts: HashMap<K, u32>,
}

impl<K: Eq + Hash> WindowCounts<K> {
    pub fn new(window_ms: i64, keys_max: usize) -> Self {
        Self { window_ms, keys_max, began_at: Timestamp(0), counts: HashMap::new() }
    }

    /// How often it was counted in this window.
    pub fn count(&mut self, key: &K, now: Timestamp) -> u32 {
        self.roll(now);
        self.counts.get(key).copied().unwrap_or(0)
    }

    /// Counts it once more, unless that was done `max` times: then it says how many milliseconds the window goes on.
    pub fn pass(&mut self, key: K, max: u32, now: Timestamp) -> Result<(), i64> {
        if self.count(&key, now) >= max {
            return Err(self.window_ms.saturating_sub(now.since_ms(self.began_at)).max(1));
        }
        if self.counts.len() >= self.keys_max && !self.counts.contains_key(&key) {
            self.begin(now);
        }
        *self.counts.entry(key).or_default() += 1;
        Ok(())
    }

    /// Keys that are remembered.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    fn roll(&mut self, now: Timestamp) {
        let age_ms = now.since_ms(self.began_at);
        if age_ms >= self.window_ms || age_ms < 0 {
            self.begin(now);
        }
    }

    fn begin(&mut self, now: Timestamp) {
        self.began_at = now;
        self.counts.clear();
    }
}

/// How often something came in a second: in this one, or in the one before if that was busier.
#[derive(Default)]
pub struct PerSecond {
    second: i64,
    count: u32,
    before: u32,
}

impl PerSecond {
    /// Counts one, and says how many.
    pub fn counted(&mut self, now: Timestamp) -> u32 {
        let second = now.0.div_euclid(1_000);
        if second != self.second {
            self.before = if second == self.second + 1 { self.count } else { 0 };
            (self.second, self.count) = (second, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_in_a_window_and_no_more() {
        let (mut counts, at) = (WindowCounts::new(1_000, 9), |ms: i64| Timestamp(50_000 + ms));
        for _ in 0..3 {
            assert_eq!(counts.pass("a", 3, at(0)), Ok(()));
        }
        assert_eq!(counts.pass("a", 3, at(400)), Err(600));
        assert_eq!(counts.pass("b", 3, at(400)), Ok(()));
        assert_eq!(counts.pass("a", 3, at(999)), Err(1));
        assert_eq!(counts.pass("a", 3, at(1_000)), Ok(()));
        assert_eq!((counts.count(&"a", at(1_000)), counts.count(&"b", at(1_000))), (1, 0));
        assert_eq!(counts.count(&"a", at(0)), 0, "a clock that goes back begins anew");
    }

    #[test]
    fn so_many_keys_are_counted_and_who_is_new_is_let_through() {
        let mut counts = WindowCounts::new(1_000, 3);
        for key in 0..3 {
            assert_eq!(counts.pass(key, 1, Timestamp(50_000)), Ok(()));
        }
        assert!(counts.pass(0, 1, Timestamp(50_000)).is_err() && counts.len() == 3);
        assert_eq!(counts.pass(3, 1, Timestamp(50_000)), Ok(()));
        assert_eq!(counts.len(), 1);
    }

    #[test]
    fn the_busier_of_two_seconds_counts() {
        let mut rate = PerSecond::default();
        let mut at = |ms| rate.counted(Timestamp(ms));
        assert_eq!([at(0), at(10), at(999)], [1, 2, 3]);
        assert_eq!([at(1_000), at(1_999)], [3, 3]);
        assert_eq!([at(2_000), at(9_000)], [2, 1]);
    }
}
