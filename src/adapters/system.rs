//! The machine's clock. The only file that reads it.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::shared::time::Timestamp;
use crate::ports::platform::clock::Clock;

/// A jump of the offset that makes a process unsure of the time.
pub const OFFSET_JUMP_MS_MAX: i64 = 500;

/// The machine's time plus a measured offset to the ledger's.
#[derive(Debug)]
pub struct SystemClock {
    offset_ms: AtomicI64,
    sure: AtomicBool,
}

impl SystemClock {
    /// For a world whose ledger is in this process: there is nothing to measure.
    pub fn local() -> Self {
        Self { offset_ms: AtomicI64::new(0), sure: AtomicBool::new(true) }
    }

    /// Not sure until the first measurement.
    pub fn unmeasured() -> Self {
        Self { offset_ms: AtomicI64::new(0), sure: AtomicBool::new(false) }
    }

    pub fn machine_now() -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the machine's clock is set after 1970");
        Timestamp(since.as_millis() as i64)
    }

    /// Takes a new measurement of ledger time minus machine time. One that jumps is taken too, but the clock is unsure until
    /// the next one agrees with it.
    pub fn measured(&self, offset_ms: i64) {
        let before = self.offset_ms.swap(offset_ms, Ordering::AcqRel);
        let first = !self.sure.load(Ordering::Acquire) && before == 0;
        let steady = (offset_ms - before).abs() <= OFFSET_JUMP_MS_MAX;
        self.sure.store(first || steady, Ordering::Release);
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Self::machine_now().plus_ms(self.offset_ms.load(Ordering::Acquire))
    }

    fn is_sure(&self) -> bool {
        self.sure.load(Ordering::Acquire)
    }
}
