//! What `miaosha audit` reads of one sale, in one snapshot. It reports; the judgement is the service's.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use sqlx::{FromRow, Row as _};

use super::dialect::{Connection, Row};
use super::{Result, certificates, restore, row};
use crate::domain::sale::reservation::Kind;
use crate::domain::sale::turn::Chain;
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::audit::auditing::{AuditFacts, History, Pace, RecordedTurn};
use crate::ports::audit::retention::Certificate;

pub async fn audit(conn: &mut Connection, sale: SaleId, now: Timestamp) -> Result<Option<AuditFacts>> {
    let Some(standing) = restore::standing(conn, sale).await? else { return Ok(None) };
    let mut claims = claims(conn, sale).await?;
    let mut orphan_claims = Vec::new();
    let mut live = Vec::new();
    for row in restore::live(conn, sale).await? {
        let claimed = claims.remove(&row.id).unwrap_or_default();
        orphan_claims.extend(claimed.iter().filter(|unit| !row.state.units().contains(unit)));
        live.push((row, claimed));
    }
    orphan_claims.extend(claims.into_values().flatten());
    let certificate = certificates::fetch(conn, sale).await?;
    let turns = turns(conn, sale, standing.generation, certificate.as_ref()).await?;
    let orders =
        sqlx::query_as(row::orders!("ledger.audit.orders", "WHERE sale = ?")).bind(sale).fetch_all(&mut *conn).await?;
    let payments = sqlx::query_as(row::payments!("ledger.audit.payments", "WHERE sale = ?"))
        .bind(sale)
        .fetch_all(&mut *conn)
        .await?;
    let refunds = sqlx::query_as(row::refunds!("ledger.audit.refunds", "WHERE sale = ? ORDER BY made_at, id"))
        .bind(sale)
        .fetch_all(&mut *conn)
        .await?;
    Ok(Some(AuditFacts {
        quantity_max: standing.allotment.quantity_max,
        standing,
        live,
        orphan_claims,
        orders,
        payments,
        refunds,
        attempts: turns.attempts,
        outcomes: turns.outcomes,
        broken_turns: turns.broken,
        turns_digest: turns.digest.finalize().into(),
        certificate,
        now,
    }))
}

async fn claims(conn: &mut Connection, sale: SaleId) -> Result<HashMap<ReservationId, Vec<u32>>> {
    let found =
        sqlx::query("/* ledger.audit.claims */ SELECT unit, reservation FROM claims WHERE sale = ? ORDER BY unit")
            .bind(sale)
            .fetch_all(conn)
            .await?;
    let mut claims: HashMap<ReservationId, Vec<u32>> = HashMap::new();
    for found in &found {
        claims.entry(found.try_get("reservation")?).or_default().push(row::small(found, "unit")?);
    }
    Ok(claims)
}

#[derive(Default)]
struct Turns {
    attempts: u64,
    outcomes: [u64; 4],
    broken: Vec<String>,
    digest: Sha256,
}

impl Turns {
    /// Where some are gone the certificate stands for all up to its own.
    fn after(certificate: Option<&Certificate>) -> Self {
        let Some(certificate) = certificate.filter(|known| known.turns_removed_at.is_some()) else {
            return Self::default();
        };
        let digest = Sha256::new().chain_update(certificate.digest);
        Self { attempts: certificate.attempts, outcomes: certificate.outcomes, digest, ..Self::default() }
    }
}

/// An older generation ends where a restore found it: answers it lost were given anew, so that only the newest may have none
/// missing.
async fn turns(conn: &mut Connection, sale: SaleId, newest: u64, certificate: Option<&Certificate>) -> Result<Turns> {
    let found = sqlx::query(
        "/* ledger.audit.turns */ SELECT generation, revision, chain_before, chain, outcomes FROM turns \
         WHERE sale = ? ORDER BY generation, revision",
    )
    .bind(sale)
    .fetch_all(conn)
    .await?;
    let mut turns = Turns::after(certificate);
    let gone = certificate.filter(|known| known.turns_removed_at.is_some());
    let gone = gone.map_or((0, 0), |known| (known.generation, known.revision));
    let mut last = (0, 0, Chain::default());
    for found in &found {
        let (generation, revision) = (row::number(found, "generation")?, row::number(found, "revision")?);
        let (before, chain): (Chain, Chain) = (found.try_get("chain_before")?, found.try_get("chain")?);
        if (generation, revision) <= gone {
            last = (generation, revision, chain);
            continue;
        }
        if generation != last.0 {
            last = (generation, 0, Chain::default());
        }
        if revision != last.1 + 1 {
            if generation == newest {
                let missing =
                    format!("generation {generation}: revisions {} to {} are missing", last.1 + 1, revision - 1);
                turns.broken.push(missing);
            }
        } else if before != last.2 {
            turns.broken.push(format!("generation {generation}: revision {revision} does not follow the one before"));
        }
        last = (generation, revision, chain);
        let outcomes: Vec<u8> = found.try_get("outcomes")?;
        turns.digest.update(format!("{generation}.{revision} {chain} "));
        turns.digest.update(&outcomes);
        turns.attempts += outcomes.len() as u64;
        for outcome in outcomes {
            match b"TSAR".iter().position(|&code| code == outcome) {
                Some(place) => turns.outcomes[place] += 1,
                None => {
                    turns.broken.push(format!("generation {generation}: revision {revision} has an unknown outcome"))
                }
            }
        }
    }
    Ok(turns)
}

pub async fn history(conn: &mut Connection, sale: SaleId) -> Result<History> {
    let turns = sqlx::query_as(
        "/* ledger.history.turns */ SELECT generation, revision, cause, outcomes, recorded_at FROM turns \
         WHERE sale = ? ORDER BY generation, revision",
    )
    .bind(sale)
    .fetch_all(&mut *conn)
    .await?;
    let reservations = sqlx::query(
        "/* ledger.history.reservations */ SELECT buyer, id FROM reservations WHERE sale = ? AND split_of IS NULL \
         UNION ALL SELECT buyer, id FROM ended_reservations WHERE sale = ?",
    )
    .bind(sale)
    .bind(sale)
    .fetch_all(conn)
    .await?;
    let pair = |found: &Row| Ok((found.try_get("buyer")?, found.try_get("id")?));
    Ok(History { turns, reservations: reservations.iter().map(pair).collect::<Result<_>>()? })
}

pub async fn pace(conn: &mut Connection, sale: SaleId, turns_max: u32) -> Result<Pace> {
    let turns = sqlx::query_as(
        "/* ledger.pace.turns */ SELECT generation, revision, cause, outcomes, recorded_at FROM turns \
         WHERE sale = ? AND SUBSTR(buyers, 1, 1) NOT BETWEEN X'40' AND X'7F' \
         ORDER BY generation DESC, revision DESC LIMIT ?",
    )
    .bind(sale)
    .bind(turns_max)
    .fetch_all(&mut *conn)
    .await?;
    let lapsed = sqlx::query(
        "/* ledger.pace.lapsed */ SELECT COUNT(*) + COALESCE((SELECT parties FROM ended_counts WHERE ended_counts.sale = ? \
         AND ended_counts.state = ?), 0) AS lapsed FROM reservations WHERE sale = ? AND state = ?",
    )
    .bind(sale)
    .bind(Kind::Lapsed)
    .bind(sale)
    .bind(Kind::Lapsed)
    .fetch_one(conn)
    .await?;
    Ok(Pace { turns, lapsed: row::small(&lapsed, "lapsed")? })
}

impl FromRow<'_, Row> for RecordedTurn {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(RecordedTurn {
            generation: row::number(found, "generation")?,
            revision: row::number(found, "revision")?,
            cause: found.try_get("cause")?,
            outcomes: found.try_get("outcomes")?,
            recorded_at: found.try_get("recorded_at")?,
        })
    }
}
