//! The last audit of a sale: it is over, at rest, and passes. Afterwards its turns and its turnstile may go.
//!
//! What is still there is audited all the same, as often as anybody asks: the certificate stands for what is gone, and for nothing else.

use super::{Evidence, Missing, Needs, Violation, checks, gather};
use crate::domain::shared::id::SaleId;
use crate::ports::Result;
use crate::ports::audit::retention::{Certificate, Retention};
use crate::ports::sale::restoring::SaleTotals;

/// Of the whole shop, not of one sale: what waits to be told holds no certificate against it.
const TOLD: u8 = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certifying {
    Certified,
    /// Something of it is under way, or somebody is at it: another time.
    Moving,
    Fails(Violation),
}

/// With `dry_run` nothing is written.
pub async fn certify(needs: &Needs, retention: &dyn Retention, sale: SaleId, dry_run: bool) -> Result<Certifying> {
    // Nobody restores it meanwhile, and nobody else asks the provider for all of its payments.
    let Some(_lock) = needs.restoring.lock_restore(sale).await? else { return Ok(Certifying::Moving) };
    // Before anything is asked of the provider.
    let standing = needs.restoring.standing(sale).await?;
    if standing.is_none_or(|standing| is_under_way(&standing)) {
        return Ok(Certifying::Moving);
    }
    let Some(evidence) = gather(needs, sale, Missing::IsTheLedgers).await? else { return Ok(Certifying::Moving) };
    if is_moving(&evidence) {
        return Ok(Certifying::Moving);
    }
    match checks::first_violation(&evidence, true) {
        Some(violation) if violation.invariant == TOLD => return Ok(Certifying::Moving),
        Some(violation) => return Ok(Certifying::Fails(violation)),
        None => {}
    }
    if dry_run || retention.certify(&Certificate::of(&evidence.facts)).await? {
        return Ok(Certifying::Certified);
    }
    Ok(Certifying::Moving)
}

fn is_under_way(standing: &SaleTotals) -> bool {
    standing.pending > 0 || standing.standby > 0 || standing.unfreed > 0
}

fn is_moving(evidence: &Evidence) -> bool {
    is_under_way(&evidence.facts.standing)
        || !checks::in_motion(evidence).is_empty()
        || !checks::refunds_in_motion(&evidence.facts.refunds).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::sale::Allotment;
    use crate::domain::sale::turn::Chain;
    use crate::domain::shared::time::Timestamp;
    use crate::ports::audit::auditing::AuditFacts;
    use crate::ports::platform::outbox::Backlog;

    /// Of a sale of which nothing is there but its turns.
    fn evidence(digest: [u8; 32], certificate: Option<Certificate>) -> Evidence {
        let standing = SaleTotals {
            sale: SaleId(1),
            generation: 1,
            allotment: Allotment { capacity: 1, quantity_max: 1, standby_max: 0 },
            hold_ms: 1_000,
            revision: 3,
            chain: Chain::default(),
            sold: 0,
            pending: 0,
            blocked: 0,
            standby: 0,
            unfreed: 0,
            leased_by: 0,
        };
        let facts = AuditFacts {
            standing,
            quantity_max: 1,
            live: Vec::new(),
            orphan_claims: Vec::new(),
            orders: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            attempts: 0,
            outcomes: [0; 4],
            broken_turns: Vec::new(),
            turns_digest: digest,
            certificate,
            now: Timestamp(1),
        };
        let backlog = Backlog { events: 0, oldest: None };
        Evidence { facts, ledger: None, turnstile: None, kept: Vec::new(), backlog, moved: false }
    }

    /// As long as all of them are there, and the sale did not move.
    #[test]
    fn turns_are_those_that_were_certified() {
        let known = Certificate::of(&evidence([1; 32], None).facts);
        let check = |digest, known: &Certificate| checks::turns(&evidence(digest, Some(known.clone())));
        assert_eq!((known.generation, known.revision, known.digest), (1, 3, [1; 32]));
        assert_eq!(check([1; 32], &known), Ok(()));
        assert!(check([2; 32], &known).unwrap_err().contains("digest"));
        assert_eq!(check([2; 32], &Certificate { revision: 2, ..known.clone() }), Ok(()));
        assert_eq!(check([2; 32], &Certificate { turns_removed_at: Some(Timestamp(1)), ..known }), Ok(()));
    }
}
