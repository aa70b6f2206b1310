//! What is only read: by workers before they act, by buyers, by the sweeper.

use std::collections::{HashMap, HashSet};

use sqlx::{QueryBuilder, Row as _};

use super::dialect::{Connection, Db, Row, by_index, ledger_time};
use super::{Result, bulk, row};
use crate::domain::money::order::Order;
use crate::domain::money::payment::Payment;
use crate::domain::sale::reservation::{Kind, Outcome, Reservation};
use crate::domain::sale::turn::{Cause, Chain};
use crate::domain::sale::turnstile::{Ended, Part};
use crate::domain::shared::id::{AttemptId, BuyerId, PaymentId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::money::orders::OrderPlace;
use crate::ports::sale::recording::SaleHead;
use crate::ports::sale::reservations::{Place, Version};

/// In a snapshot: the generation must be of the same moment as the turns and the flags.
pub async fn look(
    conn: &mut Connection,
    sale: SaleId,
    causes: &[Cause],
    ended: &[ReservationId],
) -> Result<Option<SaleHead>> {
    let found = sqlx::query(
        "/* ledger.look */ SELECT sales.generation, sales.hold_ms, COALESCE(turns.revision, 0), COALESCE(turns.chain, 0) \
         FROM sales LEFT JOIN turns ON turns.sale = sales.id AND turns.generation = sales.generation \
         WHERE sales.id = ? ORDER BY turns.revision DESC LIMIT 1",
    )
    .bind(sale.0 as i64)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = found else { return Ok(None) };
    Ok(Some(SaleHead {
        generation: row::number(&found, 0)?,
        hold_ms: found.try_get(1)?,
        revision: row::number(&found, 2)?,
        chain: Chain(row::number(&found, 3)?),
        recorded: recorded(conn, sale, causes).await?,
        unfreed: unfreed_among(conn, sale, ended).await?,
    }))
}

async fn recorded(conn: &mut Connection, sale: SaleId, causes: &[Cause]) -> Result<Vec<Cause>> {
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    for causes in causes.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new("/* ledger.look.recorded */ SELECT cause FROM turns WHERE sale = ");
        query.push_bind(sale.0 as i64).push(" AND cause IN ");
        bulk::push_list(&mut query, causes.iter().map(row::cause_bytes));
        for found in query.build().fetch_all(&mut *conn).await? {
            known.insert(found.try_get(0)?);
        }
    }
    Ok(causes.iter().filter(|cause| known.contains(&row::cause_bytes(cause))).copied().collect())
}

async fn unfreed_among(conn: &mut Connection, sale: SaleId, ids: &[ReservationId]) -> Result<Vec<Ended>> {
    let mut unfreed = HashMap::new();
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(
            "/* ledger.look.unfreed */ SELECT id, split_of, units FROM reservations \
             WHERE unfreed_since IS NOT NULL AND sale = ",
        );
        query.push_bind(sale.0 as i64).push(" AND id IN ");
        bulk::push_ids(&mut query, ids);
        for found in query.build().fetch_all(&mut *conn).await? {
            unfreed.insert(row::reservation_id(&found, 0)?, ended(&found)?);
        }
    }
    Ok(ids.iter().filter_map(|id| unfreed.remove(id)).collect())
}

fn ended(found: &Row) -> Result<Ended> {
    let of: Option<Vec<u8>> = found.try_get(1)?;
    let part = match of {
        None => None,
        Some(_) => Some(Part { of: row::reservation_id(found, 1)?, units: row::units(found, 2)? }),
    };
    Ok(Ended { id: row::reservation_id(found, 0)?, part })
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
        let found =
            sqlx::query(row::reservations!("ledger.born_of", "WHERE id BETWEEN ? AND ? AND sale = ? ORDER BY id"))
                .bind(batch.to_bytes().to_vec())
                .bind((batch.0 | 0xffff).to_be_bytes().to_vec())
                .bind(sale.0 as i64)
                .fetch_all(&mut *conn)
                .await?;
        for found in &found {
            rows.push(row::reservation(found)?);
        }
    }
    Ok(rows)
}

pub async fn reservation_of(conn: &mut Connection, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>> {
    let found = sqlx::query(row::reservations!(
        "ledger.reservation_of",
        "WHERE sale = ? AND buyer = ? AND split_of IS NULL ORDER BY live DESC, created_at DESC, id DESC LIMIT 1"
    ))
    .bind(sale.0 as i64)
    .bind(buyer.0 as i64)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(row::reservation).transpose()
}

pub async fn places(conn: &mut Connection, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for buyers in buyers.chunks(bulk::ROWS_MAX) {
        let mut query =
            QueryBuilder::<Db>::new(row::reservations!("ledger.places", "WHERE split_of IS NULL AND sale = "));
        query.push_bind(sale.0 as i64).push(" AND buyer IN ");
        bulk::push_list(&mut query, buyers.iter().map(|buyer| buyer.0 as i64));
        query.push(" ORDER BY live, created_at, id");
        let mut last: HashMap<BuyerId, Reservation> = HashMap::new();
        for found in query.build().fetch_all(&mut *conn).await? {
            let row = row::reservation(&found)?;
            last.insert(row.buyer, row);
        }
        let positions = positions(conn, sale, last.values()).await?;
        places.extend(last.into_values().map(|row| Place { position: positions.get(&row.id).copied(), row }));
    }
    Ok(places)
}

pub async fn versions(conn: &mut Connection, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Version>> {
    let mut last: HashMap<BuyerId, Version> = HashMap::new();
    for buyers in buyers.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(
            "/* ledger.versions */ SELECT buyer, id, version FROM reservations WHERE split_of IS NULL AND sale = ",
        );
        query.push_bind(sale.0 as i64).push(" AND buyer IN ");
        bulk::push_list(&mut query, buyers.iter().map(|buyer| buyer.0 as i64));
        query.push(" ORDER BY live, created_at, id");
        for found in query.build().fetch_all(&mut *conn).await? {
            let buyer = BuyerId(row::number(&found, 0)?);
            let (reservation, version) = (row::reservation_id(&found, 1)?, row::number(&found, 2)?);
            last.insert(buyer, Version { buyer, reservation, version });
        }
    }
    Ok(last.into_values().collect())
}

/// Of those who wait: the line is counted once for all of them.
async fn positions(
    conn: &mut Connection,
    sale: SaleId,
    rows: impl Iterator<Item = &Reservation>,
) -> Result<HashMap<ReservationId, u32>> {
    let waiting = rows.filter(|row| row.state.kind() == Kind::Standby);
    let ids: Vec<ReservationId> = waiting.map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let mut query = QueryBuilder::<Db>::new(
        "/* ledger.places.line */ SELECT id, place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY generation, arrival) \
         AS place FROM reservations WHERE state = 1 AND sale = ",
    );
    query.push_bind(sale.0 as i64).push(") AS line WHERE id IN ");
    bulk::push_ids(&mut query, &ids);
    let found = query.build().fetch_all(conn).await?;
    found.iter().map(|found| Ok((row::reservation_id(found, 0)?, row::small(found, 1)?))).collect()
}

/// In a snapshot, so that a turn that gave birth is not seen without its row.
pub async fn outcome(conn: &mut Connection, sale: SaleId, buyer: BuyerId, attempt: AttemptId) -> Result<Outcome> {
    if let Some(row) = row::fetch(conn, attempt.into()).await? {
        let own = row.sale == sale && row.buyer == buyer;
        return Ok(if own { Outcome::Reserved(row) } else { Outcome::Pending });
    }
    let found = sqlx::query("/* ledger.outcome */ SELECT outcomes, buyers FROM turns WHERE sale = ? AND cause = ?")
        .bind(sale.0 as i64)
        .bind(row::cause_bytes(&Cause::Batch(attempt.batch())))
        .fetch_optional(conn)
        .await?;
    let Some(found) = found else { return Ok(Outcome::Pending) };
    let (outcomes, buyers): (Vec<u8>, Vec<u8>) = (found.try_get(0)?, found.try_get(1)?);
    let whose = buyers.chunks_exact(8).nth(attempt.index());
    match outcomes.get(attempt.index()) {
        _ if whose != Some(&buyer.0.to_be_bytes()[..]) => Ok(Outcome::Pending),
        Some(b'A') => Ok(Outcome::Already),
        Some(b'R') => Ok(Outcome::Refused),
        _ => Err(super::broken("a turn gave birth and there is no row")),
    }
}

pub async fn position(conn: &mut Connection, id: ReservationId) -> Result<Option<u32>> {
    let found = sqlx::query(
        "/* ledger.position */ SELECT 1 + (SELECT COUNT(*) FROM reservations o WHERE o.sale = r.sale AND o.state = 1 \
         AND (o.generation < r.generation OR (o.generation = r.generation AND o.arrival < r.arrival))) \
         FROM reservations r WHERE r.id = ? AND r.state = 1",
    )
    .bind(id.to_bytes().to_vec())
    .fetch_optional(conn)
    .await?;
    found.map(|found| row::small(&found, 0)).transpose()
}

/// Backwards along the index of the buyer's orders, from the place on.
pub async fn orders(conn: &mut Connection, buyer: BuyerId, after: Option<&OrderPlace>, max: u32) -> Result<Vec<Order>> {
    let (placed_at, number) = after.map_or((i64::MAX, ""), |after| (after.placed_at.0, &after.number));
    let found = sqlx::query(row::orders!(
        "ledger.orders",
        by_index!("orders_buyer"),
        " WHERE buyer = ? AND placed_at <= ? AND (placed_at < ? OR number < ?) \
         ORDER BY placed_at DESC, number DESC LIMIT ?"
    ))
    .bind(buyer.0 as i64)
    .bind(placed_at)
    .bind(placed_at)
    .bind(number.to_owned())
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(row::order).collect()
}

pub async fn order_of(conn: &mut Connection, reservation: ReservationId) -> Result<Option<Order>> {
    let found = sqlx::query(row::orders!("ledger.order_of", "WHERE reservation = ?"))
        .bind(reservation.to_bytes().to_vec())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(row::order).transpose()
}

pub async fn order(conn: &mut Connection, number: &str) -> Result<Option<Order>> {
    let found = sqlx::query(row::orders!("ledger.order", "WHERE number = ?"))
        .bind(number.to_owned())
        .fetch_optional(conn)
        .await?;
    found.as_ref().map(row::order).transpose()
}

pub async fn overdue(conn: &mut Connection, now: Timestamp, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
    let found = sqlx::query(
        "/* ledger.overdue */ SELECT sale, id FROM reservations WHERE state = 2 AND lapses_at <= ? \
         ORDER BY lapses_at LIMIT ?",
    )
    .bind(now.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((SaleId(row::number(found, 0)?), row::reservation_id(found, 1)?))).collect()
}

pub async fn unfreed(conn: &mut Connection, max: u32) -> Result<Vec<(SaleId, ReservationId)>> {
    let found = sqlx::query(
        "/* ledger.unfreed */ SELECT sale, id FROM reservations WHERE unfreed_since IS NOT NULL \
         ORDER BY unfreed_since LIMIT ?",
    )
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((SaleId(row::number(found, 0)?), row::reservation_id(found, 1)?))).collect()
}

pub async fn stuck(conn: &mut Connection, before: Timestamp, max: u32) -> Result<Vec<(ReservationId, PaymentId)>> {
    let found = sqlx::query(
        "/* ledger.stuck */ SELECT id, payment FROM reservations WHERE state = 3 AND paying_since < ? \
         ORDER BY paying_since LIMIT ?",
    )
    .bind(before.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(|found| Ok((row::reservation_id(found, 0)?, PaymentId::from_bytes(row::id(found, 1)?)))).collect()
}

pub async fn orphans(conn: &mut Connection, before: Timestamp, max: u32) -> Result<Vec<Payment>> {
    let found = sqlx::query(row::payments!(
        "ledger.orphans",
        "WHERE state = 1 AND opened_at < ? AND NOT EXISTS (SELECT 1 FROM reservations r \
         WHERE r.id = payments.reservation AND r.payment = payments.id AND r.state IN (3, 4)) \
         ORDER BY opened_at LIMIT ?"
    ))
    .bind(before.0)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    found.iter().map(row::payment).collect()
}

pub async fn time(conn: &mut Connection) -> Result<Timestamp> {
    let now = sqlx::query_scalar(concat!("/* ledger.time */ SELECT ", ledger_time!())).fetch_one(conn).await?;
    Ok(Timestamp(now))
}

/// The turns above `after` are few: whoever asks remembers how far there was no gap.
pub async fn first_gap(conn: &mut Connection, sale: SaleId, generation: u64, after: u64) -> Result<u64> {
    let found = sqlx::query(
        "/* ledger.first_gap */ SELECT revision FROM turns WHERE sale = ? AND generation = ? AND revision > ? \
         ORDER BY revision",
    )
    .bind(sale.0 as i64)
    .bind(generation as i64)
    .bind(after as i64)
    .fetch_all(conn)
    .await?;
    let mut gap = after + 1;
    for found in &found {
        if row::number(found, 0)? != gap {
            break;
        }
        gap += 1;
    }
    Ok(gap)
}
