//! Reservations that ended without money, of sales that are certified: but for a buyer's newest they are kept apart, and go later. How
//! many there were stays.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::certificates;
use super::dialect::{Connection, Row, by_index, for_update, insert_new};
use super::{Result, broken, row};
use crate::adapters::sql::stored::Number;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::shared::id::{BuyerId, HOUSE_FIRST, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::audit::retention::{Certificate, Piece};

/// Buyers of one piece, at most.
const BUYERS_MAX: u32 = 64;
/// Buyers are ordered by their bit pattern.
const FIRST: BuyerId = BuyerId(1 << 63);
/// How what has no money ends. None of these lives again, or is paid for later.
const WITHOUT_MONEY: [Kind; 3] = [Kind::Lapsed, Kind::Cancelled, Kind::Ended];

/// Buyers from this one on, not the house, of whom there are more rows than may stay, whatever became of them.
async fn buyers(conn: &mut Connection, sale: SaleId, from: BuyerId, rows_kept: u32) -> Result<Vec<BuyerId>> {
    sqlx::query_scalar(concat!(
        "/* ended.buyers */ SELECT buyer FROM reservations ",
        by_index!("reservations_buyer"),
        " WHERE sale = ? AND buyer >= ? AND buyer < ? GROUP BY buyer HAVING COUNT(*) > ? ORDER BY buyer LIMIT ?"
    ))
    .bind(sale)
    .bind(from)
    .bind(BuyerId(HOUSE_FIRST))
    .bind(rows_kept)
    .bind(BUYERS_MAX)
    .fetch_all(conn)
    .await
}

/// Of one buyer those that may be kept apart, but for the newest: freed, no part of an order, and of which no payment was ever begun.
async fn of_buyer_beyond(
    conn: &mut Connection,
    (sale, buyer): (SaleId, BuyerId),
    rows_kept: u32,
    max: u32,
) -> Result<Vec<ReservationId>> {
    let mut query = Statement::new(concat!(
        "/* ended.beyond */ SELECT id FROM reservations ",
        by_index!("reservations_latest"),
        " WHERE sale = "
    ));
    query.push_bind(sale).push(" AND buyer = ").push_bind(buyer);
    query.push(" AND split_of IS NULL AND live IS NULL AND freed = 1 AND state IN ");
    query.push_list(WITHOUT_MONEY);
    // Counted for each row that is read: whether there is none would be asked of all payments at once.
    query.push(
        " AND (SELECT COUNT(*) FROM payments p WHERE p.reservation = reservations.id) = 0 \
         ORDER BY created_at DESC, id DESC LIMIT ",
    );
    query.push_bind(max).push(" OFFSET ").push_bind(rows_kept);
    let found = query.build()?.fetch_all(conn).await?;
    found.iter().map(|found| found.try_get("id")).collect()
}

/// The rows that are to go, at most so many, and the buyer with whom the next piece begins: none after the last.
async fn beyond(
    conn: &mut Connection,
    sale: SaleId,
    from: BuyerId,
    rows_kept: u32,
    max: u32,
) -> Result<(Vec<ReservationId>, Option<BuyerId>)> {
    let mut ids: Vec<ReservationId> = Vec::new();
    let buyers = buyers(conn, sale, from, rows_kept).await?;
    for buyer in &buyers {
        let room = max - ids.len() as u32;
        let found = of_buyer_beyond(conn, (sale, *buyer), rows_kept, room).await?;
        let is_full = found.len() == room as usize;
        ids.extend(found);
        if is_full {
            return Ok((ids, Some(*buyer)));
        }
    }
    let last = buyers.last().filter(|_| buyers.len() == BUYERS_MAX as usize);
    Ok((ids, last.map(|last| BuyerId(last.0.wrapping_add(1)))))
}

pub async fn count_beyond(conn: &mut Connection, sale: SaleId, rows_kept: u32, max: u32) -> Result<u64> {
    let (mut count, mut next) = (0, Some(FIRST));
    while let Some(from) = next.filter(|_| count < u64::from(max)) {
        let (ids, then) = beyond(conn, sale, from, rows_kept, max - count as u32).await?;
        (count, next) = (count + ids.len() as u64, then);
    }
    Ok(count)
}

pub async fn move_beyond(
    conn: &mut Connection,
    (certificate, rows_kept, now, piece): &(Certificate, u32, Timestamp, Piece),
) -> Result<u64> {
    let sale = certificate.sale;
    if !certificates::lock(conn, certificate).await? {
        return Ok(0);
    }
    let at = sqlx::query("/* ended.at */ SELECT ended_next, ended_moved_at FROM certificates WHERE sale = ?")
        .bind(sale)
        .fetch_one(&mut *conn)
        .await?;
    if at.try_get::<Option<Timestamp>, _>("ended_moved_at")?.is_some() {
        return Ok(0);
    }
    let from = at.try_get::<Option<BuyerId>, _>("ended_next")?.unwrap_or(FIRST);
    let (mut ids, next) = beyond(conn, sale, from, *rows_kept, piece.max).await?;
    // All transactions lock in the same order.
    ids.sort_unstable();
    let mut moved = 0;
    for ids in ids.chunks(bulk::ROWS_MAX) {
        moved += move_rows(conn, sale, ids, *now).await?;
    }
    sqlx::query("/* ended.next */ UPDATE certificates SET ended_next = ?, ended_moved_at = ? WHERE sale = ?")
        .bind(next)
        .bind(next.is_none().then_some(*now))
        .bind(sale)
        .execute(conn)
        .await?;
    Ok(moved)
}

/// Only what is still there, and as it was found, when it is locked.
async fn move_rows(conn: &mut Connection, sale: SaleId, ids: &[ReservationId], now: Timestamp) -> Result<u64> {
    let mut query = Statement::new("/* ended.lock */ SELECT id, state, quantity FROM reservations WHERE id IN ");
    query.push_list(ids);
    query.push(" AND freed = 1 AND state IN ");
    query.push_list(WITHOUT_MONEY);
    query.push(concat!(" ORDER BY id", for_update!()));
    let mut locked: Vec<ReservationId> = Vec::new();
    let mut counts: BTreeMap<u8, (Kind, u64, u64)> = BTreeMap::new();
    for found in query.build()?.fetch_all(&mut *conn).await? {
        let (kind, quantity): (Kind, u64) = (found.try_get("state")?, row::small(&found, "quantity")?);
        let (_, parties, units) = counts.entry(kind as u8).or_insert((kind, 0, 0));
        (*parties, *units) = (*parties + 1, *units + quantity);
        locked.push(found.try_get("id")?);
    }
    if locked.is_empty() {
        return Ok(0);
    }
    let mut query = Statement::new(
        "/* ended.move */ INSERT INTO ended_reservations (id, sale, buyer, quantity, state, version, created_at, ended_at, \
         moved_at) SELECT id, sale, buyer, quantity, state, version, created_at, updated_at, ",
    );
    query.push_bind(now).push(" FROM reservations WHERE id IN ");
    query.push_list(&locked);
    query.build()?.execute(&mut *conn).await?;
    for (kind, parties, units) in counts.into_values() {
        count(conn, sale, kind, parties, units).await?;
    }
    let mut query = Statement::new("/* ended.moved */ DELETE FROM reservations WHERE id IN ");
    query.push_list(&locked);
    Ok(query.build()?.execute(conn).await?.rows_affected())
}

async fn count(conn: &mut Connection, sale: SaleId, kind: Kind, parties: u64, units: u64) -> Result<()> {
    sqlx::query(concat!(
        "/* ended.begin_count */ ",
        insert_new!(),
        " INTO ended_counts (sale, state, parties, units) VALUES (?, ?, 0, 0)"
    ))
    .bind(sale)
    .bind(kind)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "/* ended.count */ UPDATE ended_counts SET parties = parties + ?, units = units + ? WHERE sale = ? AND state = ?",
    )
    .bind(Number(parties))
    .bind(Number(units))
    .bind(sale)
    .bind(kind)
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn count_old(conn: &mut Connection, before: Timestamp, max: u32) -> Result<u64> {
    bulk::count_until(conn, bulk::count_some!("ended.old", "ended_reservations", "moved_at < ?"), before, max).await
}

pub async fn remove_old(conn: &mut Connection, &(before, piece): &(Timestamp, Piece)) -> Result<u64> {
    let text = bulk::delete_some!("ended.remove", "ended_reservations", "moved_at < ?", "moved_at, id");
    bulk::delete_until(conn, text, before, piece.max).await
}

/// As it was when it was moved: the turnstile had its units back.
fn reservation(found: &Row) -> Result<Reservation> {
    let state = match found.try_get("state")? {
        Kind::Lapsed => State::Lapsed,
        Kind::Cancelled => State::Cancelled,
        Kind::Ended => State::Ended,
        kind => return Err(broken(format!("a reservation that was kept apart is {}", kind.name()))),
    };
    Ok(Reservation {
        id: found.try_get("id")?,
        sale: found.try_get("sale")?,
        buyer: found.try_get("buyer")?,
        quantity: row::small(found, "quantity")?,
        state,
        version: row::number(found, "version")?,
        freed: true,
        created_at: found.try_get("created_at")?,
    })
}

pub async fn fetch(conn: &mut Connection, id: ReservationId) -> Result<Option<Reservation>> {
    let found = sqlx::query(
        "/* ended.reservation */ SELECT id, sale, buyer, quantity, state, version, created_at FROM ended_reservations \
         WHERE id = ?",
    )
    .bind(id)
    .fetch_optional(conn)
    .await?;
    found.as_ref().map(reservation).transpose()
}

/// Oldest first.
pub async fn of_buyer(conn: &mut Connection, buyer: BuyerId, max: u32) -> Result<Vec<Reservation>> {
    let found = sqlx::query(
        "/* ended.of_buyer */ SELECT id, sale, buyer, quantity, state, version, created_at FROM ended_reservations \
         WHERE buyer = ? ORDER BY created_at, id LIMIT ?",
    )
    .bind(buyer)
    .bind(max)
    .fetch_all(conn)
    .await?;
    found.iter().map(reservation).collect()
}
