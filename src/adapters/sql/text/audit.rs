//! What `miaosha audit` reads of one sale, in one snapshot. It reports; the judgement is the service's.

use std::collections::HashMap;

use sqlx::Row as _;

use super::dialect::{Connection, Row};
use super::{Result, restore, row};
use crate::domain::sale::turn::Chain;
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::audit::auditing::{AuditFacts, History, Pace, RecordedTurn};

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
    let turns = turns(conn, sale, standing.generation).await?;
    let orders = sqlx::query(row::orders!("ledger.audit.orders", "WHERE sale = ?"))
        .bind(sale.0 as i64)
        .fetch_all(&mut *conn)
        .await?;
    let payments = sqlx::query(row::payments!("ledger.audit.payments", "WHERE sale = ?"))
        .bind(sale.0 as i64)
        .fetch_all(&mut *conn)
        .await?;
    let refunds = sqlx::query(row::refunds!("ledger.audit.refunds", "WHERE sale = ? ORDER BY made_at, id"))
        .bind(sale.0 as i64)
        .fetch_all(&mut *conn)
        .await?;
    Ok(Some(AuditFacts {
        quantity_max: standing.allotment.quantity_max,
        standing,
        live,
        orphan_claims,
        orders: orders.iter().map(row::order).collect::<Result<_>>()?,
        payments: payments.iter().map(row::payment).collect::<Result<_>>()?,
        refunds: refunds.iter().map(row::refund).collect::<Result<_>>()?,
        attempts: turns.attempts,
        outcomes: turns.outcomes,
        broken_turns: turns.broken,
        now,
    }))
}

async fn claims(conn: &mut Connection, sale: SaleId) -> Result<HashMap<ReservationId, Vec<u32>>> {
    let found =
        sqlx::query("/* ledger.audit.claims */ SELECT unit, reservation FROM claims WHERE sale = ? ORDER BY unit")
            .bind(sale.0 as i64)
            .fetch_all(conn)
            .await?;
    let mut claims: HashMap<ReservationId, Vec<u32>> = HashMap::new();
    for found in &found {
        claims.entry(row::reservation_id(found, 1)?).or_default().push(row::small(found, 0)?);
    }
    Ok(claims)
}

#[derive(Default)]
struct Turns {
    attempts: u64,
    outcomes: [u64; 4],
    broken: Vec<String>,
}

/// An older generation ends where a restore found it: answers it lost were given anew, so that only the newest may have none
/// missing.
async fn turns(conn: &mut Connection, sale: SaleId, newest: u64) -> Result<Turns> {
    let found = sqlx::query(
        "/* ledger.audit.turns */ SELECT generation, revision, chain_before, chain, outcomes FROM turns \
         WHERE sale = ? ORDER BY generation, revision",
    )
    .bind(sale.0 as i64)
    .fetch_all(conn)
    .await?;
    let mut turns = Turns::default();
    let mut last = (0, 0, Chain::default());
    for found in &found {
        let (generation, revision) = (row::number(found, 0)?, row::number(found, 1)?);
        let (before, chain) = (Chain(row::number(found, 2)?), Chain(row::number(found, 3)?));
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
        let outcomes: Vec<u8> = found.try_get(4)?;
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
    let turns = sqlx::query(
        "/* ledger.history.turns */ SELECT generation, revision, cause, outcomes, recorded_at FROM turns \
         WHERE sale = ? ORDER BY generation, revision",
    )
    .bind(sale.0 as i64)
    .fetch_all(&mut *conn)
    .await?;
    let reservations = sqlx::query(
        "/* ledger.history.reservations */ SELECT buyer, id FROM reservations WHERE sale = ? AND split_of IS NULL",
    )
    .bind(sale.0 as i64)
    .fetch_all(conn)
    .await?;
    let pair = |found: &Row| Ok((BuyerId(row::number(found, 0)?), row::reservation_id(found, 1)?));
    Ok(History {
        turns: turns.iter().map(turn).collect::<Result<_>>()?,
        reservations: reservations.iter().map(pair).collect::<Result<_>>()?,
    })
}

pub async fn pace(conn: &mut Connection, sale: SaleId, turns_max: u32) -> Result<Pace> {
    let turns = sqlx::query(
        "/* ledger.pace.turns */ SELECT generation, revision, cause, outcomes, recorded_at FROM turns \
         WHERE sale = ? AND SUBSTR(buyers, 1, 1) NOT BETWEEN X'40' AND X'7F' \
         ORDER BY generation DESC, revision DESC LIMIT ?",
    )
    .bind(sale.0 as i64)
    .bind(turns_max)
    .fetch_all(&mut *conn)
    .await?;
    let lapsed = sqlx::query("/* ledger.pace.lapsed */ SELECT COUNT(*) FROM reservations WHERE sale = ? AND state = 5")
        .bind(sale.0 as i64)
        .fetch_one(conn)
        .await?;
    Ok(Pace { turns: turns.iter().map(turn).collect::<Result<_>>()?, lapsed: row::small(&lapsed, 0)? })
}

fn turn(found: &Row) -> Result<RecordedTurn> {
    Ok(RecordedTurn {
        generation: row::number(found, 0)?,
        revision: row::number(found, 1)?,
        cause: row::cause(found, 2)?,
        outcomes: found.try_get(3)?,
        recorded_at: Timestamp(found.try_get(4)?),
    })
}
