//! A clock that only a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use miaosha::domain::shared::time::Timestamp;
use miaosha::ports::platform::clock::Clock;

/// 2026-01-01, when nothing special happens.
pub const START: Timestamp = Timestamp(1_767_225_600_000);

pub struct ManualClock {
    now: AtomicI64,
    doubtful: AtomicBool,
}

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { now: AtomicI64::new(START.0), doubtful: AtomicBool::new(false) })
    }

    pub fn advance_ms(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// Whether it may be wrong, for all it knows.
    pub fn doubt(&self, is_doubtful: bool) {
        self.doubtful.store(is_doubtful, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn is_sure(&self) -> bool {
        !self.doubtful.load(Ordering::SeqCst)
    }
}
