//! Two tokens, one tracker. Soft: take no more work, finish what was begun. Hard: drop what is left.
//!
//! Hard follows soft after `drain_ms_max`, or at once on a second signal. Whatever is spawned on the tracker ends by one of them.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    pub soft: CancellationToken,
    pub hard: CancellationToken,
    pub tracker: TaskTracker,
}

impl Lifecycle {
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits for SIGTERM or SIGINT, or for a soft stop that somebody else began, and then for the drain's end.
    /// Returns once the hard stop is due; the caller drops it when everything ended before.
    pub async fn stop_on_signals(&self, drain_ms_max: u64) -> std::io::Result<()> {
        let mut term = signal(SignalKind::terminate())?;
        let mut int = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = term.recv() => tracing::info!("SIGTERM: draining"),
            _ = int.recv() => tracing::info!("SIGINT: draining"),
            () = self.soft.cancelled() => {}
        }
        self.soft.cancel();
        tokio::select! {
            _ = term.recv() => tracing::warn!("a second signal: dropping what is left"),
            _ = int.recv() => tracing::warn!("a second signal: dropping what is left"),
            () = tokio::time::sleep(Duration::from_millis(drain_ms_max)) => {
                tracing::warn!(drain_ms_max, "the drain took too long: dropping what is left");
            }
        }
        self.hard.cancel();
        Ok(())
    }

    /// Soft stop, and waits until everything on the tracker ended; false when the hard stop came first.
    pub async fn drain(&self) -> bool {
        self.soft.cancel();
        self.tracker.close();
        tokio::select! {
            biased;
            () = self.tracker.wait() => true,
            () = self.hard.cancelled() => false,
        }
    }
}
