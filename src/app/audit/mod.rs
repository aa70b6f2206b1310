//! Checks a sale's invariants by their numbers, over ledger, turnstile and payment provider.
//!
//! Only reads. What is in flight is not judged: a sale that is not at rest says so, and is checked for what holds in motion.
//! Not seen here: batches that are not decided yet, which only the broker knows.

pub mod certify;
mod checks;
pub mod journal;
pub mod tend;

use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::money::payment::RefundKind;
use crate::domain::sale::turnstile::Snapshot;
use crate::domain::shared::id::{RefundId, SaleId};
use crate::domain::shared::money::Money;
use crate::domain::shared::time::Timestamp;
use crate::ports::Result;
use crate::ports::audit::auditing::{AuditFacts, Auditing};
use crate::ports::audit::retention::Certificate;
use crate::ports::money::payments::Payments;
use crate::ports::platform::clock::Clock;
use crate::ports::platform::outbox::{Backlog, Outbox};
use crate::ports::platform::parked::Parked;
use crate::ports::sale::restoring::Restoring;
use crate::ports::sale::turnstile::Turnstile;

/// How long an event may wait to be published.
pub const UNPUBLISHED_MS_MAX: i64 = 10_000;
/// How long a hold may stay undecided after its time.
pub const UNDECIDED_MS_MAX: i64 = 5_000;
/// Parked messages counted, at most.
const PARKED_MAX: u32 = 10_000;
/// Failed refunds told one by one, at most.
const OWED_MAX: usize = 20;

/// A sale's figures, in units unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Figures {
    pub capacity: u32,
    pub sold: u32,
    /// Held or being paid for.
    pub pending: u32,
    /// Taken out of sale by the house.
    pub blocked: u32,
    /// By the turnstile; null when it is missing.
    #[schema(required)]
    pub free: Option<u32>,
    /// Parties.
    pub standby: u32,
    /// Ended reservations whose units were not given on yet.
    pub unfreed: u32,
    pub attempts: u64,
    /// First outcomes of all attempts.
    pub taken: u64,
    pub stood_by: u64,
    pub already: u64,
    pub refused: u64,
    pub orders: u64,
    pub payments: u64,
    /// Of which something was not given back.
    pub captured: u64,
    pub refunds: u64,
    /// Refunds that failed: the shop owes them. Those that an operator settled in another way are not among them.
    pub refunds_failed: u64,
    pub generation: u64,
    pub revision: u64,
    /// Messages of the whole shop that could not be decoded.
    pub parked: u64,
    /// Committed events of the whole shop that are not published.
    pub outbox: u64,
}

/// One broken invariant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Violation {
    /// As the design numbers them.
    pub invariant: u8,
    pub what: String,
}

/// Money that did not go back to whom it is due, and that no operator has seen to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Owed {
    pub refund: RefundId,
    /// Of a payment that became none, nothing.
    #[schema(required)]
    pub order: Option<String>,
    pub amount: Money,
    /// Why it failed, as the provider says it.
    pub code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Verdict {
    pub sale: SaleId,
    pub pass: bool,
    /// Why the sale is not at rest; empty when it is. Invariants 2, 6 and 9 only hold at rest; what is to be told does not
    /// touch them.
    pub in_motion: Vec<String>,
    pub figures: Figures,
    /// The first that was found.
    #[schema(required)]
    pub divergence: Option<Violation>,
    /// Refunds that failed and that no operator has seen to, the first 20 of them. The books are right about them, so that the
    /// verdict may be a pass; `figures` counts them all.
    pub owed: Vec<Owed>,
    /// That it passed when it was over, and did not move since: what is gone by now is as it was said then.
    #[schema(required)]
    pub certified: Option<Certified>,
}

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Certified {
    pub at: Timestamp,
    /// SHA-256 over its turns, in hexadecimal digits.
    pub digest: String,
}

impl Verdict {
    pub fn is_at_rest(&self) -> bool {
        self.in_motion.is_empty()
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Verdict { sale, figures, .. } = self;
        match &self.divergence {
            None => write!(f, "PASS sale {sale}:")?,
            Some(Violation { invariant, what }) => write!(f, "FAIL sale {sale}: invariant {invariant}: {what};")?,
        }
        let free = figures.free.map_or("?".to_owned(), |free| free.to_string());
        write!(
            f,
            " capacity {}, sold {}, pending {}, blocked {}, free {free}, standby {}, unfreed {}; attempts {} = taken {} + standby {} \
             + already {} + refused {}; orders {}, payments {}, captured {}, refunds {}; generation {}, revision {}; parked {}, outbox {}",
            figures.capacity,
            figures.sold,
            figures.pending,
            figures.blocked,
            figures.standby,
            figures.unfreed,
            figures.attempts,
            figures.taken,
            figures.stood_by,
            figures.already,
            figures.refused,
            figures.orders,
            figures.payments,
            figures.captured,
            figures.refunds,
            figures.generation,
            figures.revision,
            figures.parked,
            figures.outbox,
        )?;
        if !self.is_at_rest() {
            write!(f, "; in motion: {}", self.in_motion.join(", "))?;
        }
        if let Some(Certified { at, digest }) = &self.certified {
            write!(f, "; certified at {} as {digest}", at.0)?;
        }
        if figures.refunds_failed > 0 {
            let said = |owed: &Owed| {
                let order = owed.order.as_ref().map_or(String::new(), |order| format!(" of order {order}"));
                format!("{}{order} over {} ({})", owed.refund, owed.amount, owed.code)
            };
            let said: Vec<String> = self.owed.iter().map(said).collect();
            write!(f, "; owed: {} refunds failed: {}", figures.refunds_failed, said.join(", "))?;
        }
        Ok(())
    }
}

/// Everything the checks look at.
struct Evidence {
    facts: AuditFacts,
    /// What the ledger would restore.
    ledger: Option<Snapshot>,
    turnstile: Option<Snapshot>,
    /// For each payment of the facts, how much the provider says moved and was not given back.
    kept: Vec<i64>,
    backlog: Backlog,
    /// The ledger moved while the others were read.
    moved: bool,
}

#[derive(Clone)]
pub struct Needs {
    pub auditing: Arc<dyn Auditing>,
    pub restoring: Arc<dyn Restoring>,
    pub outbox: Arc<dyn Outbox>,
    pub turnstile: Arc<dyn Turnstile>,
    pub payments: Arc<dyn Payments>,
    pub parked: Arc<dyn Parked>,
    pub clock: Arc<dyn Clock>,
}

/// `None` when there is no such sale.
pub async fn audit(needs: &Needs, sale: SaleId) -> Result<Option<Verdict>> {
    let Some(evidence) = gather(needs, sale, Missing::IsMissing).await? else { return Ok(None) };
    let parked = needs.parked.parked(PARKED_MAX).await?.len() as u64;
    let mut in_motion = checks::in_motion(&evidence);
    let divergence = checks::first_violation(&evidence, in_motion.is_empty());
    // After the checks: what holds at rest holds whether its events are published or not.
    if evidence.backlog.events > 0 {
        in_motion.push(format!("{} events are to be published", evidence.backlog.events));
    }
    in_motion.extend(checks::refunds_in_motion(&evidence.facts.refunds));
    let figures = figures(&evidence, parked);
    let mut owed = checks::owed(&evidence.facts);
    owed.truncate(OWED_MAX);
    let certified = certificate(&evidence.facts)
        .map(|known| Certified { at: known.certified_at, digest: HEXLOWER.encode(&known.digest) });
    Ok(Some(Verdict { sale, pass: divergence.is_none(), in_motion, figures, divergence, owed, certified }))
}

/// The sale's certificate, unless it moved since.
fn certificate(facts: &AuditFacts) -> Option<&Certificate> {
    facts.certificate.as_ref().filter(|known| known.is_at(facts.standing.generation, facts.standing.revision))
}

/// What a turnstile is that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    IsMissing,
    /// What a restore would make of it: of a sale that is over nobody asks it any more.
    IsTheLedgers,
}

/// The ledger is read before and after the others: only when it stood still are they one picture. After the certificate the turnstile may be
/// gone.
async fn gather(needs: &Needs, sale: SaleId, missing: Missing) -> Result<Option<Evidence>> {
    let Some(facts) = needs.auditing.audit(sale, needs.clock.now()).await? else { return Ok(None) };
    let turnstile = needs.turnstile.snapshot(sale).await?;
    let ledger = needs.restoring.snapshot(sale).await?;
    let may_be_gone = missing == Missing::IsTheLedgers || certificate(&facts).is_some();
    // One that fell back is as good as none: whoever asks it says how far the ledger is, and restores it.
    let is_behind = |of: &Snapshot| (of.generation, of.revision) < (facts.standing.generation, facts.standing.revision);
    let turnstile =
        if may_be_gone { turnstile.filter(|of| !is_behind(of)).or_else(|| ledger.clone()) } else { turnstile };
    let kept = checks::kept(needs, &facts.payments).await?;
    let backlog = needs.outbox.backlog().await?;
    let moved = needs.restoring.standing(sale).await?.as_ref() != Some(&facts.standing);
    Ok(Some(Evidence { facts, ledger, turnstile, kept, backlog, moved }))
}

fn figures(evidence: &Evidence, parked: u64) -> Figures {
    let AuditFacts { standing, orders, payments, refunds, attempts, outcomes, .. } = &evidence.facts;
    let [taken, stood_by, already, refused] = *outcomes;
    Figures {
        capacity: standing.allotment.capacity,
        sold: standing.sold,
        pending: standing.pending,
        blocked: standing.blocked,
        free: evidence.turnstile.as_ref().map(Snapshot::free),
        standby: standing.standby,
        unfreed: standing.unfreed,
        attempts: *attempts,
        taken,
        stood_by,
        already,
        refused,
        orders: orders.len() as u64,
        payments: payments.len() as u64,
        captured: evidence.kept.iter().filter(|kept| **kept > 0).count() as u64,
        refunds: refunds.len() as u64,
        refunds_failed: refunds.iter().filter(|entry| entry.state.kind() == RefundKind::Failed).count() as u64,
        generation: standing.generation,
        revision: standing.revision,
        parked,
        outbox: evidence.backlog.events,
    }
}
