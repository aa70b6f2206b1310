//! Whether the parts outside answer, asked once a second: what `/readyz` says, and the clock's offset to the ledger.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::adapters::system::SystemClock;
use crate::domain::shared::time::Timestamp;
use crate::kit::http::probes::Readiness;
use crate::kit::work::lifecycle::Lifecycle;
use crate::ports::Result;
use crate::wire::world::World;

const EVERY: Duration = Duration::from_secs(1);
/// A part that is silent for longer is away.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

/// What a worker needs: without one of them it can do nothing.
pub const ALL: &[&str] = &["turnstile", "ledger", "broker"];
/// What a consumer needs that has a memory for the turnstiles.
pub const BESIDE_A_MEMORY: &[&str] = &["ledger", "broker"];
/// What a gateway needs: without Redis or the broker people still log in, look and pay.
pub const LEDGER: &[&str] = &["ledger"];

/// Watches those of turnstile, ledger and broker that are needed, and tells `readiness` which are away.
pub fn parts(
    world: &World,
    needed: &'static [&'static str],
    readiness: &Readiness,
    lifecycle: &Lifecycle,
    clock: Option<Arc<SystemClock>>,
) {
    let away: Arc<[AtomicBool; 3]> = Arc::new(std::array::from_fn(|_| AtomicBool::new(false)));
    readiness.watch({
        let away = away.clone();
        let clock = world.clock.clone();
        move || {
            let names = ["turnstile", "ledger", "broker"];
            let parts = names.into_iter().zip(away.iter());
            let away = parts.filter(|(_, away)| away.load(Ordering::Acquire)).map(|(name, _)| name);
            let mut problems: Vec<_> = away.filter(|name| needed.contains(name)).collect();
            if !clock.is_sure() {
                problems.push("clock");
            }
            problems
        }
    });
    let world = world.clone();
    lifecycle.accompany("watch", async move {
        let mut ticks = tokio::time::interval(EVERY);
        loop {
            ticks.tick().await;
            // Only what is needed is asked; the ledger by everybody, for its time.
            let turnstile = async { !needed.contains(&"turnstile") || answers(world.turnstile.ping()).await };
            let (turnstile, ledger) = tokio::join!(turnstile, answers(measure(&world, clock.as_deref())));
            away[0].store(!turnstile, Ordering::Release);
            away[1].store(!ledger, Ordering::Release);
            away[2].store(!world.attempts.is_up(), Ordering::Release);
        }
    });
}

async fn answers<T>(question: impl Future<Output = Result<T>>) -> bool {
    matches!(tokio::time::timeout(ANSWER_WAIT, question).await, Ok(Ok(_)))
}

/// The ledger's time lies in the middle of the question and its answer.
async fn measure(world: &World, clock: Option<&SystemClock>) -> Result<()> {
    let asked = Instant::now();
    let ledger = world.ledger_time.time().await?;
    if let Some(clock) = clock {
        let half = asked.elapsed().as_millis() as i64 / 2;
        clock.measured(ledger.plus_ms(half).since_ms(SystemClock::machine_now()));
    }
    Ok(())
}

/// For a process that sees no ledger: the time is in the news. They take a moment to arrive, so that the largest offset of the
/// last few is the truest.
pub struct ByNews {
    clock: Arc<SystemClock>,
    last: Mutex<VecDeque<i64>>,
}

impl ByNews {
    const LAST: usize = 8;

    pub fn new(clock: Arc<SystemClock>) -> Self {
        Self { clock, last: Mutex::default() }
    }

    pub fn heard(&self, sent_at: Timestamp) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() == Self::LAST {
            last.pop_front();
        }
        last.push_back(sent_at.since_ms(SystemClock::machine_now()));
        if let Some(truest) = last.iter().copied().max() {
            self.clock.measured(truest);
        }
    }
}
