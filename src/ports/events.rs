//! Events on their way to those who listen. Each listener has a durable queue of its own, and misses nothing while it is away.

use crate::domain::event::Event;
use crate::ports::{Result, Subscription};

/// Who listens, by name: the name is the queue's.
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

    /// What it hears of: topics, in which `*` stands for one word and `#` for any number.
    pub fn topics(self) -> &'static [&'static str] {
        match self {
            Listener::Receipts => &["order.#"],
            Listener::Mail => &["#"],
        }
    }
}

pub trait Events: Send + Sync + 'static {
    type Events: Subscription<Delivery: crate::ports::Delivery<Body = Event>>;

    /// Durable when this returns, with every listener. One that was published before may be published again.
    fn publish_events(&self, events: &[Event]) -> impl Future<Output = Result<()>> + Send;

    /// Several subscribers of one listener share its events. What cannot be decoded is parked on the way.
    fn events(&self, listener: Listener) -> impl Future<Output = Result<Self::Events>> + Send;
}
