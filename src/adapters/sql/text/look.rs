//! What is only read: by workers before they act, by buyers, by the sweeper.

use std::collections::{HashMap, HashSet};

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, by_index, ledger_time};
use super::fallback::leased_by;
use super::{Result, certificates, ended, row};
use crate::adapters::sql::stored::Number;
use crate::domain::money::order::Order;
use crate::domain::sale::reservation::{Kind, Outcome, Reservation};
use crate::domain::sale::turn::Cause;
use crate::domain::sale::turnstile::{Ended, Part};
use crate::domain::shared::id::{AttemptId, BatchId, BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::money::orders::OrderPlace;
use crate::ports::sale::recording::SaleHead;

/// In a snapshot: the generation must be of the same moment as the turns and the flags.
pub async fn look(
    conn: &mut Connection,
    sale: SaleId,
    causes: &[Cause],
    ended: &[ReservationId],
) -> Result<Option<SaleHead>> {
    let found = sqlx::query(concat!(
        "/* ledger.look */ SELECT sales.generation AS generation, hold_ms, COALESCE(turns.revision, 0) AS revision, \
         COALESCE(turns.chain, 0) AS chain, ",
        leased_by!(),
        " AS leased_by FROM sales LEFT JOIN turns ON turns.sale = sales.id \
         AND turns.generation = sales.generation WHERE sales.id = ? ORDER BY turns.revision DESC LIMIT 1",
    ))
    .bind(sale)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(SaleHead {
        generation: row::number(&found, "generation")?,
        leased_by: row::number(&found, "leased_by")?,
        hold_ms: found.try_get("hold_ms")?,
        revision: row::number(&found, "revision")?,
        chain: found.try_get("chain")?,
        recorded: recorded(conn, sale, causes).await?,
        unfreed: unfreed_among(conn, sale, ended).await?,
    }))
}

async fn recorded(conn: &mut Connection, sale: SaleId, causes: &[Cause]) -> Result<Vec<Cause>> {
    let mut known: HashSet<Cause> = HashSet::new();
    for causes in causes.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.look.recorded */ SELECT cause FROM turns WHERE sale = ");
        query.push_bind(sale).push(" AND cause IN ");
        query.push_list(causes);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            known.insert(found.try_get("cause")?);
        }
    }
    Ok(causes.iter().filter(|cause| known.contains(cause)).copied().collect())
}

async fn unfreed_among(conn: &mut Connection, sale: SaleId, ids: &[ReservationId]) -> Result<Vec<Ended>> {
    let mut unfreed = HashMap::new();
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.look.unfreed */ SELECT id, split_of, units FROM reservations \
             WHERE unfreed_since IS NOT NULL AND sale = ",
        );
        query.push_bind(sale).push(" AND id IN ");
        query.push_list(ids);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            let ended = ended(&found)?;
            unfreed.insert(ended.id, ended);
        }
    }
    Ok(ids.iter().filter_map(|id| unfreed.remove(id)).collect())
}

fn ended(found: &Row) -> Result<Ended> {
    let part = |of| Ok::<_, sqlx::Error>(Part { of, units: row::units(found, "units")? });
    Ok(Ended { id: found.try_get("id")?, part: found.try_get::<Option<_>, _>("split_of")?.map(part).transpose()? })
}

/// A batch's reservations carry its id with their place in the last 16 bits.
pub async fn reservations_created_by(
    conn: &mut Connection,
    sale: SaleId,
    causes: &[Cause],
) -> Result<Vec<Reservation>> {
    let mut rows = Vec::new();
    for cause in causes {
        let Cause::Batch(batch) = cause else { continue };
        let found: Vec<Reservation> =
            sqlx::query_as(row::reservations!("ledger.born_of", "WHERE id BETWEEN ? AND ? AND sale = ? ORDER BY id"))
                .bind(batch)
                .bind(BatchId(batch.0 | 0xffff))
                .bind(sale)
                .fetch_all(&mut *conn)
                .await?;
        rows.extend(found);
    }
    Ok(rows)
}

/// Also one that ended and is kept apart by now.
pub async fn reservation(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    match row::fetch(conn, id).await? {
        Some(row) => Ok(Some(row)),
        None => ended::fetch(conn, id).await,
    }
}

/// In a snapshot, so that a turn that created a reservation is not seen without its row.
pub async fn outcome(conn: &mut Connection, sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Result<Outcome> {
    if let Some(row) = row::fetch(conn, attempt.into()).await? {
        let own = row.sale == sale && row.buyer == buyer;
        return Ok(if own { Outcome::Reserved(row) } else { Outcome::Pending });
    }
    let found = sqlx::query("/* ledger.outcome */ SELECT outcomes, buyers FROM turns WHERE sale = ? AND cause = ?")
        .bind(sale)
        .bind(Cause::Batch(attempt.batch()))
        .fetch_optional(&mut *conn)
        .await?;
    let Some(found) = found else { return Ok(Outcome::Pending) };
    let (outcomes, buyers): (Vec<u8>, Vec<u8>) = (found.try_get("outcomes")?, found.try_get("buyers")?);
    let whose = buyers.chunks_exact(8).nth(attempt.index());
    match outcomes.get(attempt.index()) {
        _ if whose != Some(&buyer.0.to_be_bytes()[..]) => Ok(Outcome::Pending),
        Some(b'A') => Ok(Outcome::Already),
        Some(b'R') => Ok(Outcome::Refused),
        _ => kept_apart(conn, sale, attempt).await,
    }
}

pub async fn decided(conn: &mut Connection, sale: SaleId, batches: &[BatchId]) -> Result<Vec<(BatchId, Vec<u8>)>> {
    let causes: Vec<Cause> = batches.iter().map(|batch| Cause::Batch(*batch)).collect();
    let mut decided = Vec::new();
    for causes in causes.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.decided */ SELECT cause, outcomes FROM turns WHERE sale = ");
        query.push_bind(sale).push(" AND cause IN ");
        query.push_list(causes);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            if let Cause::Batch(batch) = found.try_get("cause")? {
                decided.push((batch, found.try_get("outcomes")?));
            }
        }
    }
    Ok(decided)
}

/// A turn created a reservation, and there is no row of it among the others.
async fn kept_apart(conn: &mut Connection, sale: SaleId, attempt: AttemptId) -> Result<Outcome> {
    if let Some(row) = ended::fetch(conn, attempt.into()).await? {
        return Ok(Outcome::Reserved(row));
    }
    // It was kept apart for so long, and is gone.
    match certificates::fetch(conn, sale).await? {
        Some(_) => Ok(Outcome::Pending),
        None => Err(super::broken("a turn created a reservation and there is no row")),
    }
}

pub async fn position(conn: &mut Connection, id: ReservationId) -> Result<Option<u32>> {
    let found = sqlx::query(
        "/* ledger.position */ SELECT 1 + (SELECT COUNT(*) FROM reservations o WHERE o.sale = r.sale AND o.state = ? \
         AND (o.generation < r.generation OR (o.generation = r.generation AND o.arrival < r.arrival))) AS position \
         FROM reservations r WHERE r.id = ? AND r.state = ?",
    )
    .bind(Kind::Standby)
    .bind(id)
    .bind(Kind::Standby)
    .fetch_optional(conn)
    .await?;
    found.map(|found| row::small(&found, "position")).transpose()
}

/// Backwards along the index of the buyer's orders, from the place on.
pub async fn orders(conn: &mut Connection, buyer: BuyerId, after: Option<&OrderPlace>, max: u32) -> Result<Vec<Order>> {
    let (placed_at, number) = after.map_or((i64::MAX, ""), |after| (after.placed_at.0, &*after.number));
    sqlx::query_as(row::orders!(
        "ledger.orders",
        by_index!("orders_buyer"),
        " WHERE buyer = ? AND placed_at <= ? AND (placed_at < ? OR number < ?) \
         ORDER BY placed_at DESC, number DESC LIMIT ?"
    ))
    .bind(buyer)
    .bind(placed_at)
    .bind(placed_at)
    .bind(number)
    .bind(max)
    .fetch_all(conn)
    .await
}

pub async fn order_of(conn: &mut Connection, reservation: ReservationId) -> Result<Option<Order>> {
    sqlx::query_as(row::orders!("ledger.order_of", "WHERE reservation = ?"))
        .bind(reservation)
        .fetch_optional(conn)
        .await
}

pub async fn order(conn: &mut Connection, number: &str) -> Result<Option<Order>> {
    sqlx::query_as(row::orders!("ledger.order", "WHERE number = ?")).bind(number).fetch_optional(conn).await
}

pub async fn overdue(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
    let found = sqlx::query(
        "/* ledger.overdue */ SELECT sale, id FROM reservations WHERE state = ? AND lapses_at <= ? \
         ORDER BY lapses_at LIMIT ?",
    )
    .bind(Kind::Held)
    .bind(now)
    .bind(max)
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((found.try_get("sale")?, found.try_get("id")?))).collect()
}

pub async fn unfreed(conn: &mut Connection, leased_by: u64, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
    let found = sqlx::query(concat!(
        "/* ledger.unfreed */ SELECT sale, id FROM reservations WHERE unfreed_since IS NOT NULL \
         AND (SELECT ",
        leased_by!(),
        " FROM sales WHERE sales.id = reservations.sale) = ? ORDER BY unfreed_since LIMIT ?",
    ))
    .bind(Number(leased_by))
    .bind(max)
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((found.try_get("sale")?, found.try_get("id")?))).collect()
}

pub async fn stuck(conn: &mut Connection, before: Timestamp, max: u32) -> Result<Vec<(ReservationId, PaymentId)>> {
    let found = sqlx::query(
        "/* ledger.stuck */ SELECT id, payment FROM reservations WHERE state = ? AND paying_since < ? \
         ORDER BY paying_since LIMIT ?",
    )
    .bind(Kind::Paying)
    .bind(before)
    .bind(max)
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((found.try_get("id")?, found.try_get("payment")?))).collect()
}

pub async fn time(conn: &mut Connection) -> Result<Timestamp> {
    sqlx::query_scalar(concat!("/* ledger.time */ SELECT ", ledger_time!())).fetch_one(conn).await
}

/// The turns above `after` are few: the caller remembers how far there was no gap. What was removed after an audit is none.
pub async fn first_gap(conn: &mut Connection, sale: SaleId, generation: u64, after: u64) -> Result<u64> {
    let after = after.max(certificates::removed_up_to(conn, sale, generation).await?);
    let found: Vec<Number> = sqlx::query_scalar(
        "/* ledger.first_gap */ SELECT revision FROM turns WHERE sale = ? AND generation = ? AND revision > ? \
         ORDER BY revision",
    )
    .bind(sale)
    .bind(Number(generation))
    .bind(Number(after))
    .fetch_all(conn)
    .await?;
    let mut gap = after + 1;
    for revision in found {
        if revision != Number(gap) {
            break;
        }
        gap += 1;
    }
    Ok(gap)
}
