//! What a service needs of the world: traits, and the words that cross them. No client library is named here.
//!
//! The turnstile decides, the ledger remembers, deadlines wake, notices tell. A service is generic over one [`World`], which
//! is chosen once, in `wire.rs`.

pub mod accounts;
pub mod admissions;
pub mod archive;
pub mod attempts;
pub mod blocks;
pub mod catalogue;
pub mod clock;
pub mod deadlines;
pub mod events;
pub mod fault;
pub mod fleet;
pub mod idempotency;
pub mod lag;
pub mod ledger;
pub mod letters;
pub mod mail;
pub mod news;
pub mod notices;
pub mod outbox;
pub mod parked;
pub mod payments;
pub mod reports;
pub mod showcase;
pub mod turnstile;

use std::sync::Arc;

/// Our world failed: nothing was decided, or nobody can say whether it was. The caller tries again; every effect is idempotent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {what}")]
pub struct Fault {
    /// The part of the world that failed, as `/readyz` and the metrics name it: `turnstile`, `ledger`, `broker`, `payments`.
    pub part: &'static str,
    pub what: String,
}

impl Fault {
    pub fn new(part: &'static str, what: impl std::fmt::Display) -> Self {
        Self { part, what: what.to_string() }
    }
}

pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// A message taken from the broker. Settling consumes it; one that is dropped comes again.
pub trait Delivery: Send + 'static {
    type Body;

    fn body(&self) -> &Self::Body;

    /// Every effect of it is done.
    fn ack(self) -> impl Future<Output = Result<()>> + Send;
}

/// A stream of deliveries that is open until it fails.
pub trait Subscription: Send + 'static {
    type Delivery: Delivery;

    /// Waits for at least one delivery, and takes at most `max`, in the queue's order. A fault means: subscribe again;
    /// what was not acknowledged comes again.
    fn next(&mut self, max: usize) -> impl Future<Output = Result<Vec<Self::Delivery>>> + Send;
}

/// Everything a service is given. One value of it is one process's view of the world.
pub trait World: Clone + Send + Sync + 'static {
    type Turnstile: turnstile::Turnstile;
    type Store: ledger::Ledger
        + catalogue::Catalogue
        + accounts::Accounts
        + idempotency::Idempotency
        + lag::Lagging
        + letters::Letters
        + outbox::Outbox
        + admissions::Admissions
        + blocks::Blocks
        + reports::Reports
        + showcase::Showcase;
    /// What is durable on its way: attempts in, events out.
    type Attempts: attempts::Attempts + events::Events + lag::Depths + parked::Parked;
    /// What wakes and tells.
    type Signals: deadlines::Deadlines + notices::Notices + news::News;
    type Payments: payments::Payments;

    fn turnstile(&self) -> &Self::Turnstile;
    fn store(&self) -> &Self::Store;
    fn attempts(&self) -> &Self::Attempts;
    fn signals(&self) -> &Self::Signals;
    fn payments(&self) -> &Self::Payments;
    fn archive(&self) -> &Arc<dyn archive::Archive>;
    fn clock(&self) -> &Arc<dyn clock::Clock>;
    fn faults(&self) -> &Arc<dyn fault::Faults>;
}

/// The little that the way in needs of the world: no ledger, no turnstile, no payments. Every world has it.
pub trait Entrance: Clone + Send + Sync + 'static {
    type Attempts: attempts::Attempts;
    type Signals: news::News;

    fn attempts(&self) -> &Self::Attempts;
    fn signals(&self) -> &Self::Signals;
    fn clock(&self) -> &Arc<dyn clock::Clock>;
}

impl<W: World> Entrance for W {
    type Attempts = W::Attempts;
    type Signals = W::Signals;

    fn attempts(&self) -> &W::Attempts {
        World::attempts(self)
    }

    fn signals(&self) -> &W::Signals {
        World::signals(self)
    }

    fn clock(&self) -> &Arc<dyn clock::Clock> {
        World::clock(self)
    }
}

/// An entrance where there is nothing else: what a publisher of the fleet is given.
#[derive(Clone)]
pub struct Door<B> {
    pub broker: B,
    pub clock: Arc<dyn clock::Clock>,
}

impl<B: attempts::Attempts + news::News + Clone> Entrance for Door<B> {
    type Attempts = B;
    type Signals = B;

    fn attempts(&self) -> &B {
        &self.broker
    }

    fn signals(&self) -> &B {
        &self.broker
    }

    fn clock(&self) -> &Arc<dyn clock::Clock> {
        &self.clock
    }
}

/// A world put together from parts: the two worlds of `wire.rs`, and those of the tests.
pub struct Parts<T, S, A, G, P>(Arc<PartsOf<T, S, A, G, P>>);

pub struct PartsOf<T, S, A, G, P> {
    pub turnstile: T,
    pub store: S,
    pub attempts: A,
    pub signals: G,
    pub payments: P,
    pub archive: Arc<dyn archive::Archive>,
    pub clock: Arc<dyn clock::Clock>,
    pub faults: Arc<dyn fault::Faults>,
}

impl<T, S, A, G, P> Parts<T, S, A, G, P> {
    pub fn new(parts: PartsOf<T, S, A, G, P>) -> Self {
        Self(Arc::new(parts))
    }
}

impl<T, S, A, G, P> Clone for Parts<T, S, A, G, P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, S, A, G, P> World for Parts<T, S, A, G, P>
where
    T: turnstile::Turnstile,
    S: ledger::Ledger
        + catalogue::Catalogue
        + accounts::Accounts
        + idempotency::Idempotency
        + lag::Lagging
        + letters::Letters
        + outbox::Outbox
        + admissions::Admissions
        + blocks::Blocks
        + reports::Reports
        + showcase::Showcase,
    A: attempts::Attempts + events::Events + lag::Depths + parked::Parked,
    G: deadlines::Deadlines + notices::Notices + news::News,
    P: payments::Payments,
{
    type Turnstile = T;
    type Store = S;
    type Attempts = A;
    type Signals = G;
    type Payments = P;

    fn turnstile(&self) -> &T {
        &self.0.turnstile
    }

    fn store(&self) -> &S {
        &self.0.store
    }

    fn attempts(&self) -> &A {
        &self.0.attempts
    }

    fn signals(&self) -> &G {
        &self.0.signals
    }

    fn payments(&self) -> &P {
        &self.0.payments
    }

    fn archive(&self) -> &Arc<dyn archive::Archive> {
        &self.0.archive
    }

    fn clock(&self) -> &Arc<dyn clock::Clock> {
        &self.0.clock
    }

    fn faults(&self) -> &Arc<dyn fault::Faults> {
        &self.0.faults
    }
}
