//! How often a client may try: so many at once, and then one each so often.
//!
//! Ours, and not `governor`: see decision 0093.
//!
//! One number is kept for each key: when its tries so far would be used up at the steady rate. The memory is bounded; when it
//! is full of keys that still count, all new clients share one number.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::domain::shared::time::Timestamp;
use crate::kit::http::problem::{Kind, Problem, Quota};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Tries at once, and in each window.
    pub tries_max: u32,
    pub window_ms: i64,
}

pub struct Throttle {
    name: &'static str,
    rate: Rate,
    keys_max: usize,
    tries: Mutex<Tries>,
}

#[derive(Default)]
struct Tries {
    used_up_at: HashMap<String, i64>,
    /// Of all who came when there was no room.
    others: i64,
}

impl Throttle {
    pub fn new(name: &'static str, rate: Rate, keys_max: usize) -> Self {
        Self { name, rate, keys_max, tries: Mutex::default() }
    }

    /// Counts a try, or says when the next one may come. A try that is refused is not counted.
    pub fn pass(&self, key: &str, now: Timestamp) -> Result<(), Problem> {
        let Rate { tries_max, window_ms } = self.rate;
        let each_ms = (window_ms / i64::from(tries_max.max(1))).max(1);
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if !tries.used_up_at.contains_key(key) && tries.used_up_at.len() >= self.keys_max {
            tries.used_up_at.retain(|_, at| *at > now.0);
        }
        let has_room = tries.used_up_at.contains_key(key) || tries.used_up_at.len() < self.keys_max;
        let before = if has_room { tries.used_up_at.get(key).copied().unwrap_or(0) } else { tries.others };
        let after = before.max(now.0) + each_ms;
        let too_soon_ms = after - now.0 - each_ms * i64::from(tries_max);
        if too_soon_ms > 0 {
            return Err(self.refusal(too_soon_ms));
        }
        if has_room {
            tries.used_up_at.insert(key.to_owned(), after);
        } else {
            tries.others = after;
        }
        Ok(())
    }

    /// Keys that are remembered.
    pub fn len(&self) -> usize {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).used_up_at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn refusal(&self, wait_ms: i64) -> Problem {
        let wait_s = u32::try_from((wait_ms + 999) / 1_000).unwrap_or(u32::MAX);
        let window_s = u32::try_from(self.rate.window_ms / 1_000).unwrap_or(u32::MAX);
        let quota = Quota { name: self.name, tries_max: self.rate.tries_max, window_s, wait_s };
        let problem = Problem::new(Kind::TOO_MANY_REQUESTS, "too many tries; come again later").retry_after_s(wait_s);
        Problem { quota: Some(quota), ..problem }
    }
}
