//! What is pushed to sockets, topic by topic, and what becomes of it while a socket's task is busy.
//!
//! A topic has a source, which decides what is said and when, and a rule for how what comes meets what still waits. A new
//! topic is an arm here and its source; mailboxes and connections stay as they are.

use std::sync::Arc;

use crate::domain::shared::id::{ReservationId, SaleId};
use crate::faces::live::session::SaleWord;

/// Statuses that wait; when there are more, the socket looks at everything instead.
const STATUSES_MAX: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A sale's counters. Source: the broadcaster, who reads them once for everybody.
    Sale(SaleId),
    /// The buyer's own reservations. Source: notices, which only say "look".
    Statuses,
}

/// How what comes meets what waits of the same topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coalescing {
    /// Each message is the whole truth: the last one alone is kept.
    Replace,
    /// Each message is about one part: the newest of each part is kept, of so many parts.
    Merge { parts_max: usize },
}

impl Topic {
    pub fn coalescing(self) -> Coalescing {
        match self {
            Self::Sale(_) => Coalescing::Replace,
            Self::Statuses => Coalescing::Merge { parts_max: STATUSES_MAX },
        }
    }
}

#[derive(Debug, Clone)]
pub enum Message {
    Sale(Arc<SaleWord>),
    Status { sale: SaleId, reservation: ReservationId, version: u64 },
}

impl Message {
    fn topic(&self) -> Topic {
        match self {
            Self::Sale(word) => Topic::Sale(word.sale),
            Self::Status { .. } => Topic::Statuses,
        }
    }

    /// Which part of its topic it is about, and how new it is. What replaces is one part, and always newer: its numbers begin anew
    /// when the last socket left the sale.
    fn part(&self) -> (u128, u64) {
        match self {
            Self::Sale(_) => (0, 0),
            Self::Status { reservation, version, .. } => (reservation.0, *version),
        }
    }
}

/// Too many parts of a topic wait: its socket is to look at everything.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// What waits for one socket, without memory while there is nothing.
#[derive(Debug, Default)]
pub struct Waiting(Vec<Message>);

impl Waiting {
    pub fn put(&mut self, message: Message) -> Result<(), TooMany> {
        let (topic, (part, version)) = (message.topic(), message.part());
        let of_topic = || self.0.iter().enumerate().filter(|(_, waiting)| waiting.topic() == topic);
        let known = match topic.coalescing() {
            Coalescing::Replace => of_topic().next(),
            Coalescing::Merge { parts_max } => {
                let known = of_topic().find(|(_, waiting)| waiting.part().0 == part);
                if known.is_none() && of_topic().count() >= parts_max {
                    self.0.retain(|waiting| waiting.topic() != topic);
                    return Err(TooMany);
                }
                known
            }
        };
        match known.map(|(place, waiting)| (place, waiting.part().1)) {
            Some((_, newer)) if newer > version => {}
            Some((place, _)) => self.0[place] = message,
            None => self.0.push(message),
        }
        Ok(())
    }

    pub fn into_messages(self) -> Vec<Message> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(sale: u64, number: u64) -> Message {
        Message::Sale(Arc::new(SaleWord { sale: SaleId(sale), number, text: number.to_string().into() }))
    }

    fn status(reservation: u128, version: u64) -> Message {
        Message::Status { sale: SaleId(1), reservation: ReservationId(reservation), version }
    }

    fn waiting(messages: impl IntoIterator<Item = Message>) -> Vec<(Topic, (u128, u64))> {
        let mut waiting = Waiting::default();
        messages.into_iter().for_each(|message| waiting.put(message).unwrap());
        waiting.into_messages().iter().map(|message| (message.topic(), message.part())).collect()
    }

    #[test]
    fn of_a_sale_s_counters_the_last_ones_wait() {
        let mut waiting = Waiting::default();
        for (sale, number) in [(1, 1), (2, 1), (1, 2), (1, 3)] {
            waiting.put(word(sale, number)).unwrap();
        }
        let numbers = waiting.into_messages().into_iter().map(|message| match message {
            Message::Sale(word) => (word.sale.0, word.number),
            Message::Status { .. } => unreachable!("none was put in"),
        });
        assert_eq!(numbers.collect::<Vec<_>>(), [(1, 3), (2, 1)]);
    }

    #[test]
    fn of_each_reservation_the_newest_status_waits() {
        let kept = waiting([status(7, 2), word(1, 1), status(8, 1), status(7, 1), status(8, 3)]);
        let statuses = |part| (Topic::Statuses, part);
        assert_eq!(kept, [statuses((7, 2)), (Topic::Sale(SaleId(1)), (0, 0)), statuses((8, 3))]);
    }

    #[test]
    fn so_many_statuses_wait() {
        let mut waiting = Waiting::default();
        waiting.put(word(1, 1)).unwrap();
        (1..=32).for_each(|reservation| waiting.put(status(reservation, 1)).unwrap());
        waiting.put(status(32, 2)).unwrap();
        assert_eq!(waiting.put(status(33, 1)), Err(TooMany));
        assert_eq!(waiting.into_messages().len(), 1, "counters wait on");
    }
}
