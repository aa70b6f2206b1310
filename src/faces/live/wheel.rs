//! One wheel of heartbeats for all sockets of a thread: a socket costs one pointer in it, and no timer of its own.
//!
//! A socket stands in the slot of its next moment. Moments beyond a full turn stand in the last slot there is, and are asked
//! again when it comes.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::faces::live::mailbox::Mailbox;
use crate::kit::work::lifecycle::Lifecycle;

/// A slot's time.
const TICK_MS: u64 = 50;
const SLOTS: usize = 1_024;

thread_local! {
    static WHEEL: Rc<Wheel> = Rc::new(Wheel::new());
}

pub struct Wheel {
    start: Instant,
    slots: RefCell<Vec<Vec<Arc<Mailbox>>>>,
    /// Ticks that are over.
    ticks: Cell<u64>,
    turns: Cell<bool>,
}

impl Wheel {
    fn new() -> Self {
        let slots = RefCell::new(vec![Vec::new(); SLOTS]);
        Self { start: Instant::now(), slots, ticks: Cell::new(0), turns: Cell::new(false) }
    }

    /// This thread's, which turns from the first socket on. At the soft stop every socket is told.
    pub fn here(lifecycle: &Lifecycle) -> Rc<Self> {
        let wheel = WHEEL.with(Rc::clone);
        if !wheel.turns.replace(true) {
            wheel.ticks.set(wheel.now_ms() / TICK_MS);
            lifecycle.accompany_local("sockets.wheel", Turning(wheel.clone()).run(lifecycle.soft.clone()));
        }
        wheel
    }

    /// Milliseconds of this thread's own watch.
    pub fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    pub fn put(&self, due_ms: u64, mailbox: Arc<Mailbox>) {
        let ticks = self.ticks.get();
        let tick = due_ms.div_ceil(TICK_MS).clamp(ticks + 1, ticks + SLOTS as u64 - 1);
        self.slots.borrow_mut()[tick as usize % SLOTS].push(mailbox);
    }

    fn turn(&self) {
        let now = self.now_ms() / TICK_MS;
        while self.ticks.get() < now {
            self.ticks.set(self.ticks.get() + 1);
            let due = std::mem::take(&mut self.slots.borrow_mut()[self.ticks.get() as usize % SLOTS]);
            due.iter().for_each(|mailbox| mailbox.beat());
        }
    }

    fn everybody(&self, tell: impl Fn(&Mailbox)) {
        self.slots.borrow().iter().flatten().for_each(|mailbox| tell(mailbox));
    }
}

struct Turning(Rc<Wheel>);

impl Turning {
    async fn run(self, stop: CancellationToken) {
        let mut stopped = false;
        loop {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(TICK_MS)) => {}
                () = stop.cancelled(), if !stopped => {
                    stopped = true;
                    self.0.everybody(Mailbox::stop);
                }
            }
            self.0.turn();
        }
    }
}

/// Also when its thread's runtime ends: the next one begins anew.
impl Drop for Turning {
    fn drop(&mut self) {
        self.0.turns.set(false);
        self.0.slots.borrow_mut().iter_mut().for_each(Vec::clear);
    }
}
