//! Deadlines wait in a queue for their hold length until they expire, and are dead-lettered to whoever looks at lapses.

use std::collections::HashSet;

use super::consume::{RabbitSubscription, Source};
use super::publish::Message;
use super::{RabbitBroker, codec, fault};
use crate::ports::Result;
use crate::ports::deadlines::{DEADLINE_MAX, Deadline, Deadlines};

/// Each may name hundreds of reservations.
const PREFETCH: u16 = 16;

impl RabbitBroker {
    /// Makes the queue of a hold length, once for each connection: a broker that was away may have forgotten it.
    async fn ensure_hold(&self, hold_ms: i64) -> Result<()> {
        let line = self.0.lanes.link.line()?;
        let known = |holds: &(u64, HashSet<i64>)| holds.0 == line.number && holds.1.contains(&hold_ms);
        if known(&self.0.holds.lock().expect("nobody panics while holding it")) {
            return Ok(());
        }
        let topology = &self.0.topology;
        let (channel, ()) = line.call(async |channel| topology.declare_deadlines(channel, hold_ms).await).await?;
        drop(channel);
        let mut holds = self.0.holds.lock().expect("nobody panics while holding it");
        if holds.0 != line.number {
            *holds = (line.number, HashSet::new());
        }
        holds.1.insert(hold_ms);
        Ok(())
    }
}

impl Deadlines for RabbitBroker {
    type Deadlines = RabbitSubscription<Deadline>;

    async fn schedule(&self, deadline: Deadline, hold_ms: i64) -> Result<()> {
        let queue = if hold_ms > 0 {
            self.ensure_hold(hold_ms).await?;
            self.0.topology.deadlines(hold_ms)
        } else {
            self.0.topology.lapses()
        };
        for reservations in deadline.reservations.chunks(DEADLINE_MAX) {
            let traced = deadline.traced.iter().filter(|mark| reservations.contains(&mark.of)).copied().collect();
            let part = Deadline { sale: deadline.sale, reservations: reservations.to_vec(), traced };
            let message = Message::to_queue(queue.clone(), codec::encode(&part)).with_marks(&part.traced);
            self.0.lanes.publish(message).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn deadlines(&self) -> Result<RabbitSubscription<Deadline>> {
        let lapses = Source::Queue(self.0.topology.lapses());
        RabbitSubscription::open(self.0.clone(), lapses, PREFETCH, codec::deadline).await
    }
}
