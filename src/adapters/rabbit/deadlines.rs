//! Deadlines wait in a queue of their hold's class until they expire, and are dead-lettered to the consumer of lapses.
//!
//! They are only a clock. A queue of theirs that does not take one is given up for a while, so that not every caller waits for it,
//! and declared anew before the next.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::time::{Instant, timeout};

use super::consume::{RabbitSubscription, Source};
use super::publish::{Message, Unpublished};
use super::topology::HOLD_CLASSES_MS;
use super::{CALL, RabbitBroker, codec, fault};
use crate::domain::shared::id::TracedId;
use crate::domain::shared::trace::Mark;
use crate::ports::sale::attempts::Shed;
use crate::ports::sale::deadlines::{DEADLINE_MAX, Deadline, Deadlines};
use crate::ports::{Result, Subscription};

/// Each may name hundreds of reservations.
const PREFETCH: u16 = 16;
/// Before a queue that did not take an alarm is asked again.
const GIVEN_UP: Duration = Duration::from_secs(5);

/// What is known of the queue of each class.
#[derive(Default)]
pub(super) struct Classes(Mutex<[Class; HOLD_CLASSES_MS.len()]>);

#[derive(Clone, Copy, Default)]
struct Class {
    /// It was there on the publishing connection of this number; a broker that was away may have forgotten it.
    there_on: Option<u64>,
    given_up_until: Option<Instant>,
}

/// An alarm on its way to its queue; dropped before it is there, the queue is given up for a while.
struct OnItsWay<'a> {
    classes: &'a Classes,
    class: usize,
    begun: Instant,
    is_over: bool,
}

impl Classes {
    fn lock(&self) -> MutexGuard<'_, [Class; HOLD_CLASSES_MS.len()]> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, class: usize, begun: Instant) -> Result<OnItsWay<'_>> {
        match self.lock()[class].given_up_until {
            Some(until) if until > begun => Err(fault("the alarms' queue did not answer a moment ago")),
            _ => Ok(OnItsWay { classes: self, class, begun, is_over: false }),
        }
    }

    fn is_there(&self, class: usize, line: u64) -> bool {
        self.lock()[class].there_on == Some(line)
    }

    fn set(&self, class: usize, there_on: Option<u64>) {
        self.lock()[class] = Class { there_on, given_up_until: None };
    }
}

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            let given_up_until = Some(self.begun + GIVEN_UP);
            self.classes.lock()[self.class] = Class { there_on: None, given_up_until };
        }
    }
}

/// The smallest that such a hold fits in.
fn class_of(hold_ms: i64) -> usize {
    HOLD_CLASSES_MS.iter().position(|class| hold_ms <= *class).unwrap_or(HOLD_CLASSES_MS.len() - 1)
}

impl RabbitBroker {
    /// Long before the first sale needs them; one that cannot be declared now is declared by its first alarm.
    pub(super) async fn declare_classes(&self) {
        for declared in join_all((0..HOLD_CLASSES_MS.len()).map(|class| self.ensure(class))).await {
            if let Err(error) = declared {
                tracing::warn!(%error, "a queue for alarms could not be declared");
            }
        }
    }

    async fn ensure(&self, class: usize) -> Result<()> {
        let line = self.0.lanes.link.line()?;
        if self.0.classes.is_there(class, line.number) {
            return Ok(());
        }
        // Silence here says nothing about the connection: a queue without a leader does not answer.
        let topology = &self.0.topology;
        let declare = line.ask(async |channel| topology.declare_deadlines(channel, class).await);
        let declared = timeout(CALL, declare).await.map_err(|_| fault("the alarms' queue does not answer"))?;
        drop(declared.map_err(fault)?);
        self.0.classes.set(class, Some(line.number));
        Ok(())
    }

    async fn wait_in(&self, class: usize, hold_ms: i64, body: Vec<u8>, deadline: &Deadline) -> Result<()> {
        // That says nothing of the queue.
        self.0.lanes.link.line()?;
        let mut on_its_way = self.0.classes.begin(class, Instant::now())?;
        let mut again = true;
        loop {
            self.ensure(class).await?;
            let queue = self.0.topology.deadlines(class);
            let message = Message::to_queue(queue, body.clone()).expiring_after(hold_ms).with_marks(&deadline.traced);
            match self.0.clocks.publish(message).await {
                Ok(()) => {
                    on_its_way.is_over = true;
                    return Ok(());
                }
                // It was deleted.
                Err(Unpublished::QueueGone) if again => {
                    self.0.classes.set(class, None);
                    again = false;
                }
                Err(error) => {
                    // The queue was not asked: it is as good as before.
                    on_its_way.is_over = matches!(error, Unpublished::Shed(Shed::Away(_)));
                    return Err(fault(error));
                }
            }
        }
    }
}

#[async_trait]
impl Deadlines for RabbitBroker {
    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()> {
        for reservations in deadline.reservations.chunks(DEADLINE_MAX) {
            let is_here = |mark: &&Mark| reservations.iter().any(|id| TracedId::from(*id) == mark.of);
            let traced = deadline.traced.iter().filter(is_here).copied().collect();
            let part = Deadline { sale: deadline.sale, reservations: reservations.to_vec(), traced };
            let body = codec::encode(&part);
            if hold_ms > 0 {
                self.wait_in(class_of(hold_ms), hold_ms, body, &part).await?;
            } else {
                let message = Message::to_queue(self.0.topology.lapses(), body).with_marks(&part.traced);
                self.0.clocks.publish(message).await.map_err(fault)?;
            }
        }
        Ok(())
    }

    async fn deadlines(&self) -> Result<Box<dyn Subscription<Deadline>>> {
        let lapses = Source::Queue(self.0.topology.lapses());
        Ok(Box::new(RabbitSubscription::open(self.0.clone(), lapses, PREFETCH, codec::deadline).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_waits_in_the_smallest_class_it_fits_in() {
        let classes = [1, 60_000, 60_001, 600_000, 600_001, 86_400_000, i64::MAX].map(class_of);
        assert_eq!(classes, [0, 0, 1, 2, 3, 4, 4]);
    }

    #[test]
    fn a_queue_that_does_not_answer_is_given_up_for_a_while_and_declared_anew() {
        let (classes, now) = (Classes::default(), Instant::now());
        let confirmed = |class, at| {
            let mut on_its_way = classes.begin(class, at).unwrap();
            classes.set(class, Some(1));
            on_its_way.is_over = true;
        };
        confirmed(3, now);
        assert!(classes.is_there(3, 1) && !classes.is_there(3, 2), "another connection declares it again");
        drop(classes.begin(3, now).unwrap());
        assert!(classes.begin(3, now).is_err() && !classes.is_there(3, 1));
        confirmed(4, now);
        confirmed(3, now + GIVEN_UP);
        assert!(classes.is_there(3, 1));
    }
}
