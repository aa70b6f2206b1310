//! Events on their way to listeners. Each listener has a durable queue of its own, and misses nothing while it is away.

use async_trait::async_trait;

use crate::domain::shared::event::Event;
use crate::ports::{Result, Subscription};

/// A listener's name: the name is the queue's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listener {
    /// Makes the PDF of every order.
    Receipts,
    /// Writes to people.
    Mail,
}

impl Listener {
    pub const ALL: [Listener; 2] = [Listener::Receipts, Listener::Mail];

    pub fn name(self) -> &'static str {
        match self {
            Listener::Receipts => "receipts",
            Listener::Mail => "mail",
        }
    }

    /// What it subscribes to: topics, in which `*` stands for one word and `#` for any number.
    pub fn topics(self) -> &'static [&'static str] {
        match self {
            Listener::Receipts => &["order.#"],
            Listener::Mail => &["#"],
        }
    }

    pub fn hears(self, topic: &str) -> bool {
        let topic: Vec<&str> = topic.split('.').collect();
        self.topics().iter().any(|pattern| fits(&pattern.split('.').collect::<Vec<_>>(), &topic))
    }
}

fn fits(pattern: &[&str], topic: &[&str]) -> bool {
    match (pattern, topic) {
        ([], []) => true,
        (["#", rest @ ..], _) => (0..=topic.len()).any(|some| fits(rest, &topic[some..])),
        (["*", rest @ ..], [_, others @ ..]) => fits(rest, others),
        ([word, rest @ ..], [other, others @ ..]) => word == other && fits(rest, others),
        _ => false,
    }
}

#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// Durable when this returns, with every listener. One that was published before may be published again. Events of one
    /// reservation keep their order, those of different ones may pass each other.
    async fn publish_events(&self, events: &[Event]) -> Result<()>;

    /// Several subscribers of one listener share its events. What cannot be decoded is parked on the way.
    async fn events(&self, listener: Listener) -> Result<Box<dyn Subscription<Event>>>;
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_is_one_word_and_a_hash_any_number() {
        let fits = |pattern: &str, topic: &str| {
            fits(&pattern.split('.').collect::<Vec<_>>(), &topic.split('.').collect::<Vec<_>>())
        };
        for (pattern, topic, expected) in [
            ("#", "order.paid", true),
            ("order.#", "order.paid", true),
            ("order.#", "order", true),
            ("order.#", "payment.returned", false),
            ("order.*", "order.paid", true),
            ("order.*", "order", false),
            ("*.paid", "order.paid", true),
            ("#.paid", "a.b.paid", true),
            ("order.paid", "order.paid", true),
            ("order.paid", "order.paid.twice", false),
        ] {
            assert_eq!(fits(pattern, topic), expected, "{pattern} {topic}");
        }
    }
}
