//! What is removed of sales that are over, and of letters that are done: some at a time, each piece a transaction of its own.
//!
//! Of a sale nothing goes before its certificate: it was audited, and passed, up to that turn. Absent is any way to remove what money
//! was spoken of for, a certificate, or the last turn.

use async_trait::async_trait;

use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::auditing::AuditFacts;

/// A sale passed its audit up to this turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub sale: SaleId,
    pub generation: u64,
    pub revision: u64,
    /// Of all turns up to it, also of those that are gone.
    pub attempts: u64,
    /// First outcomes: taken, standby, already, refused.
    pub outcomes: [u64; 4],
    /// SHA-256 over those turns.
    pub digest: [u8; 32],
    pub certified_at: Timestamp,
    /// Since when some of the turns are gone.
    pub turns_removed_at: Option<Timestamp>,
    /// When no turn was left but its own.
    pub turns_gone_at: Option<Timestamp>,
    pub turnstile_removed_at: Option<Timestamp>,
    /// When nothing was left to move to the ended reservations.
    pub ended_moved_at: Option<Timestamp>,
}

impl Certificate {
    /// What an audit that passed says of the sale. Nothing of it is gone yet.
    pub fn of(facts: &AuditFacts) -> Self {
        Self {
            sale: facts.standing.sale,
            generation: facts.standing.generation,
            revision: facts.standing.revision,
            attempts: facts.attempts,
            outcomes: facts.outcomes,
            digest: facts.turns_digest,
            certified_at: facts.now,
            turns_removed_at: None,
            turns_gone_at: None,
            turnstile_removed_at: None,
            ended_moved_at: None,
        }
    }

    /// Whether the sale did not move since, where it is there now.
    pub fn is_at(&self, generation: u64, revision: u64) -> bool {
        (self.generation, self.revision) == (generation, revision)
    }
}

/// A sale that is over, and how far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaleOver {
    pub sale: SaleId,
    pub generation: u64,
    pub revision: u64,
    pub certificate: Option<Certificate>,
}

impl SaleOver {
    /// The certificate, unless the sale moved since.
    pub fn certified(&self) -> Option<&Certificate> {
        self.certificate.as_ref().filter(|known| known.is_at(self.generation, self.revision))
    }
}

/// How much is done at once, and whether it is done or only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub max: u32,
    pub dry_run: bool,
}

#[async_trait]
pub trait Retention: Send + Sync + 'static {
    /// Sales that were over before this time, in the order of their numbers.
    async fn sales_over(&self, after: Option<SaleId>, before: Timestamp, max: u32) -> Result<Vec<SaleOver>>;

    /// Whether it is written, or was before: not where the sale moved since it was audited. Over an older one of the sale.
    async fn certify(&self, certificate: &Certificate) -> Result<bool>;

    /// Turns before the certificate's own, the oldest first; how many. When there are none any more, that is written. None go where the
    /// certificate is another one by now.
    async fn remove_turns(&self, certificate: &Certificate, now: Timestamp, piece: Piece) -> Result<u64>;

    /// Written where the certificate is still this one.
    async fn turnstile_removed(&self, certificate: &Certificate, now: Timestamp) -> Result<()>;

    /// Reservations that ended without money, but for the newest `rows_kept` of each buyer, are kept apart; how many. When there are none
    /// any more, that is written.
    async fn move_ended(&self, certificate: &Certificate, rows_kept: u32, now: Timestamp, piece: Piece) -> Result<u64>;

    /// Those that were kept apart before this time, the oldest first; how many.
    async fn remove_ended(&self, before: Timestamp, piece: Piece) -> Result<u64>;

    /// Letters that were done before this time, the oldest first; how many.
    async fn remove_letters(&self, before: Timestamp, piece: Piece) -> Result<u64>;
}
