//! Batches of one thread: each sale has a lane, in which attempts gather while earlier batches are on their way.
//!
//! Nothing waits for a timer. The first attempt wakes a sender, which runs after the tasks that were ready on this thread, and
//! takes what has gathered by then; while `batches_in_flight_max` are on their way, the next batch grows. Every attempt that
//! joined gets an answer: confirmed, or a reason why not. Attempts leave a lane in the order in which they joined.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::domain::sale::attempt::{Attempt, Batch};
use crate::domain::shared::id::{AttemptId, BatchId, SaleId};
use crate::domain::shared::trace::{Mark, Trace};
use crate::faces::publisher::Shared;
use crate::faces::publisher::metric::Reason;
use crate::faces::publisher::pressing::Pressing;
use crate::kit::telemetry::trace;
use crate::kit::telemetry::traced::{self, Way};
use crate::kit::work::lifecycle::detach_local;
use crate::ports::sale::attempts::Shed;

/// Lanes beyond this many are looked through for idle ones before another is made.
const LANES_KEPT: usize = 64;

pub struct Lanes {
    pub shared: Arc<Shared>,
    pub pressing: Pressing,
    lanes: RefCell<HashMap<SaleId, Rc<Lane>>>,
    /// Attempts without an answer.
    waiting: Cell<usize>,
}

struct Lane {
    sale: SaleId,
    /// Not sent yet, oldest first; the last one is being filled.
    loads: RefCell<VecDeque<Rc<Load>>>,
    senders: Cell<usize>,
    /// A sender was started and has not looked yet.
    called: Cell<bool>,
}

/// A batch in the making, and who waits for it.
struct Load {
    attempts: RefCell<Vec<Attempt>>,
    /// Of some of them, by their place.
    traces: RefCell<Vec<(usize, Trace)>>,
    wakers: RefCell<Vec<Option<Waker>>>,
    outcome: Cell<Option<Result<BatchId, Reason>>>,
}

/// Resolves when the attempt's batch was confirmed, or was not.
pub struct Ticket {
    load: Rc<Load>,
    index: usize,
}

impl Lanes {
    pub fn new(shared: Arc<Shared>) -> Rc<Self> {
        let pressing = Pressing::new(&shared.settings);
        Rc::new(Self { shared, pressing, lanes: RefCell::default(), waiting: Cell::new(0) })
    }

    pub fn join(self: &Rc<Self>, sale: SaleId, attempt: Attempt, trace: Option<Trace>) -> Result<Ticket, Reason> {
        let settings = &self.shared.settings;
        if self.waiting.get() >= settings.attempts_waiting_max {
            return Err(Reason::Waiting);
        }
        self.waiting.set(self.waiting.get() + 1);
        let lane = self.lane(sale);
        let ticket = lane.board(attempt, trace, settings.batch_max);
        if !lane.called.get() && lane.senders.get() < settings.batches_in_flight_max {
            lane.called.set(true);
            let sender = Sender::new(Rc::clone(self), lane);
            detach_local("publisher.sender", sender.run());
        }
        Ok(ticket)
    }

    fn lane(&self, sale: SaleId) -> Rc<Lane> {
        let mut lanes = self.lanes.borrow_mut();
        if let Some(lane) = lanes.get(&sale) {
            return Rc::clone(lane);
        }
        if lanes.len() >= LANES_KEPT {
            lanes.retain(|_, lane| lane.senders.get() > 0);
        }
        let lane = Rc::new(Lane { sale, loads: RefCell::default(), senders: Cell::new(0), called: Cell::new(false) });
        lanes.insert(sale, Rc::clone(&lane));
        lane
    }
}

impl Lane {
    fn board(&self, attempt: Attempt, trace: Option<Trace>, batch_max: usize) -> Ticket {
        let mut loads = self.loads.borrow_mut();
        let load = match loads.back() {
            Some(load) if load.attempts.borrow().len() < batch_max => Rc::clone(load),
            _ => {
                let load = Rc::new(Load::new());
                loads.push_back(Rc::clone(&load));
                load
            }
        };
        let mut attempts = load.attempts.borrow_mut();
        let index = attempts.len();
        attempts.push(attempt);
        load.wakers.borrow_mut().push(None);
        drop(attempts);
        if let Some(trace) = trace {
            let mut traces = load.traces.borrow_mut();
            if traces.len() < trace::traced_max() {
                traces.push((index, trace));
            }
        }
        Ticket { load, index }
    }
}

impl Load {
    fn new() -> Self {
        Self {
            attempts: RefCell::default(),
            traces: RefCell::default(),
            wakers: RefCell::default(),
            outcome: Cell::new(None),
        }
    }

    fn answer(&self, outcome: Result<BatchId, Reason>) {
        self.outcome.set(Some(outcome));
        for waker in self.wakers.take().into_iter().flatten() {
            waker.wake();
        }
    }
}

impl Future for Ticket {
    type Output = Result<AttemptId, Reason>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(outcome) = self.load.outcome.get() {
            return Poll::Ready(outcome.map(|batch| batch.attempt(self.index)));
        }
        let mut wakers = self.load.wakers.borrow_mut();
        match &mut wakers[self.index] {
            Some(waker) => waker.clone_from(cx.waker()),
            empty => *empty = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

/// Sends one batch after the other until the lane is empty.
struct Sender {
    lanes: Rc<Lanes>,
    lane: Rc<Lane>,
    /// What was taken and has no answer yet.
    load: Option<(Rc<Load>, usize)>,
}

impl Sender {
    fn new(lanes: Rc<Lanes>, lane: Rc<Lane>) -> Self {
        lane.senders.set(lane.senders.get() + 1);
        Self { lanes, lane, load: None }
    }

    async fn run(mut self) {
        self.lane.called.set(false);
        loop {
            let Some(load) = self.lane.loads.borrow_mut().pop_front() else { return };
            let (attempts, traces) = (load.attempts.take(), load.traces.take());
            self.load = Some((load, attempts.len()));
            let outcome = self.send(attempts, traces).await;
            self.answer(outcome);
        }
    }

    async fn send(&self, attempts: Vec<Attempt>, traces: Vec<(usize, Trace)>) -> Result<BatchId, Reason> {
        let shared = &self.lanes.shared;
        let count = attempts.len();
        let chance = getrandom::u64().map_err(|error| {
            tracing::error!(%error, "no randomness for a batch's id");
            Reason::Away
        })?;
        let now_ms = u64::try_from(shared.needs.clock.now().0).unwrap_or_default();
        let id = BatchId::new(now_ms, chance);
        let (begun, waiting) = (Instant::now(), count as f64);
        shared.metrics.waiting.increment(waiting);
        let marks: Vec<Mark> =
            traces.into_iter().map(|(index, trace)| Mark { of: id.attempt(index).into(), trace }).collect();
        let mut span = traced::sends(Way::Attempts, count, &marks);
        let batch = Batch { id, sale: self.lane.sale, attempts, traced: span.marks() };
        let result = span.around(shared.needs.attempts.submit(batch)).await;
        if let Err(shed) = &result {
            span.fail(shed.name());
        }
        drop(span);
        shared.metrics.waiting.decrement(waiting);
        match result {
            Ok(()) => {
                shared.metrics.batch_attempts.record(waiting);
                shared.metrics.confirm_seconds.record(begun.elapsed());
                shared.metrics.accepted.increment(count as u64);
                Ok(id)
            }
            Err(shed) => {
                tracing::debug!(sale.id = self.lane.sale.0, attempts = count, %shed, "a batch was not published");
                Err(match shed {
                    Shed::Full => Reason::Full,
                    Shed::Away(_) => Reason::Away,
                    Shed::Slow => Reason::Slow,
                })
            }
        }
    }
}

impl Sender {
    fn answer(&mut self, outcome: Result<BatchId, Reason>) {
        if let Some((load, count)) = self.load.take() {
            self.lanes.waiting.set(self.lanes.waiting.get() - count);
            load.answer(outcome);
        }
    }
}

/// A sender that ends in the middle, whatever ended it, answers every attempt of its batch.
impl Drop for Sender {
    fn drop(&mut self) {
        self.answer(Err(Reason::Slow));
        self.lane.senders.set(self.lane.senders.get() - 1);
    }
}
