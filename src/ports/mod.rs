//! What a service needs from outside: traits, and the types that cross them. No client library is named here.
//!
//! The turnstile decides, the ledger remembers, deadlines wake, notices tell. The ledger is one store behind ports of one task
//! each: recording, reservations, orders, paying, refunds, sweeping, restoring, auditing. Every port can be held as
//! `Arc<dyn Port>`; a service says by its `Needs` which of them it is given. Calls are one for a batch, never one for each attempt
//! in it, so that a box for each call costs nothing that could be measured.

pub mod audit;
pub mod fleet;
pub mod mail;
pub mod money;
pub mod people;
pub mod platform;
pub mod receipts;
pub mod sale;
pub mod seating;

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

/// A part outside failed: nothing was decided, or it is not known whether it was. The caller tries again; every effect is
/// idempotent.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The part that failed, as `/readyz` and the metrics name it: `turnstile`, `ledger`, `broker`, `payments`.
    pub part: &'static str,
    pub what: String,
    source: Arc<dyn Error + Send + Sync>,
}

/// What a fault comes from: another error, or words.
pub type Source = Box<dyn Error + Send + Sync>;

impl Fault {
    pub fn new(part: &'static str, source: impl Into<Source>) -> Self {
        let source: Arc<dyn Error + Send + Sync> = Arc::from(source.into());
        Self { part, what: source.to_string(), source }
    }

    /// For a source that says little of itself.
    pub fn saying(self, what: String) -> Self {
        Self { what, ..self }
    }

    /// It is another part that failed by this.
    pub fn of(self, part: &'static str) -> Self {
        Self { part, ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.what)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

/// Two that say the same are the same.
impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        (self.part, &self.what) == (other.part, &other.what)
    }
}

impl Eq for Fault {}

pub type Result<T, E = Fault> = std::result::Result<T, E>;

/// A message taken from the broker. Settling consumes it; one that is dropped comes again.
#[async_trait]
pub trait Delivery<B>: Send + 'static {
    fn body(&self) -> &B;

    /// Every effect of it is done.
    async fn ack(self: Box<Self>) -> Result<()>;
}

/// A stream of deliveries that is open until it fails.
#[async_trait]
pub trait Subscription<B>: Send + 'static {
    /// Waits for at least one delivery, and takes at most `max`, in the queue's order. A fault means: subscribe again;
    /// what was not acknowledged comes again.
    async fn next(&mut self, max: usize) -> Result<Vec<Box<dyn Delivery<B>>>>;
}
