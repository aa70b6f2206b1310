//! How a worker waits before it tries again, and for how long it tries.
//!
//! Every effect is idempotent, so trying again is always allowed; what is absent here is any judgement of what failed.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use serde::Deserialize;
use tokio::time::Instant;

/// A subscription that lived this long was a good one: the next wait is short again.
pub const SUBSCRIBED: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BackoffSettings {
    /// The first wait before a second try; each later one is twice as long.
    pub first_ms: u64,
    /// The longest wait between two tries.
    pub wait_ms_max: u64,
    /// How long one piece of work is tried before its messages are let go, so that they come again on a fresh subscription.
    /// Below the time after which the broker would close the channel by itself.
    pub outage_ms_max: u64,
}

impl Default for BackoffSettings {
    fn default() -> Self {
        Self { first_ms: 10, wait_ms_max: 1_000, outage_ms_max: 600_000 }
    }
}

/// Waits that double from the first to the longest, without end.
pub fn doubling(first: Duration, wait_max: Duration) -> ExponentialBuilder {
    ExponentialBuilder::new().with_min_delay(first).with_max_delay(wait_max).without_max_times()
}

/// One piece of work's waits.
#[derive(Debug)]
pub struct Backoff {
    waits: ExponentialBackoff,
    wait_max: Duration,
    ends_at: Instant,
}

impl Backoff {
    pub fn new(backoff: &BackoffSettings) -> Self {
        let wait_max = Duration::from_millis(backoff.wait_ms_max);
        let waits = doubling(Duration::from_millis(backoff.first_ms), wait_max).build();
        Self { waits, wait_max, ends_at: Instant::now() + Duration::from_millis(backoff.outage_ms_max) }
    }

    /// Waits before the next try; false, at once, when it has been tried long enough.
    pub async fn wait(&mut self) -> bool {
        if Instant::now() >= self.ends_at {
            return false;
        }
        self.pause().await;
        true
    }

    /// Waits before the next try, however long it has been tried.
    pub async fn pause(&mut self) {
        tokio::time::sleep(self.waits.next().unwrap_or(self.wait_max)).await;
    }
}
