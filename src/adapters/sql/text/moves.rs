//! Moves that time or a decision makes, without money: lapse, cancel, and the end of standby.
//!
//! Rows are locked and then judged, so that of two who try at once one finds the row moved.

use std::collections::HashMap;

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, for_update};
use super::{Result, claims, outbox, row};
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::{SaleState, StandbyUntil};
use crate::domain::shared::event::{Cancelled, Event, Fact};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;

pub async fn lapse(
    conn: &mut Connection,
    (sale, ids, now): &(SaleId, Vec<ReservationId>, Timestamp),
) -> Result<Vec<Reservation>> {
    let is_due = |row: &Reservation| {
        row.sale == *sale && matches!(row.state, State::Held { lapses_at, .. } if lapses_at <= *now)
    };
    let mut due = row::fetch_many_locked(conn, ids).await?;
    due.retain(is_due);
    claims::end(conn, *sale, due, State::Lapsed, *now).await
}

pub async fn cancel(
    conn: &mut Connection,
    &(id, buyer, now): &(ReservationId, BuyerId, Timestamp),
) -> Result<Option<Reservation>> {
    let Some(row) = row::fetch_locked(conn, id).await?.filter(|row| row.buyer == buyer) else { return Ok(None) };
    match row.state.kind() {
        Kind::Held | Kind::Standby => {
            let rows = claims::end(conn, row.sale, vec![row], State::Cancelled, now).await?;
            let cancelled = |row: &Reservation| {
                let (reservation, sale, quantity) = (row.id, row.sale, row.quantity);
                let fact = Fact::Cancelled(Cancelled { reservation, sale, buyer, quantity });
                Event::new(fact, row.version.into(), now)
            };
            outbox::write(conn, &rows.iter().map(cancelled).collect::<Vec<_>>()).await?;
            Ok(rows.into_iter().next())
        }
        _ => Ok(Some(row)),
    }
}

/// One look into an index for each of them.
pub async fn standby_to_end(conn: &mut Connection, among: &[SaleId], now: Timestamp) -> Result<Vec<SaleId>> {
    let mut to_end = Vec::new();
    for among in among.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.standby_to_end */ SELECT id FROM sales WHERE EXISTS (SELECT 1 FROM reservations r \
             WHERE r.sale = sales.id AND r.state = ",
        );
        query.push_bind(Kind::Standby).push(") AND (state = ").push_bind(SaleState::Closed);
        query.push(" OR standby_until = ").push_bind(StandbyUntil::Paid);
        query.push(" OR closes_at <= ").push_bind(now).push(") AND id IN ");
        query.push_list(among);
        query.push(" ORDER BY id");
        for found in query.build()?.fetch_all(&mut *conn).await? {
            to_end.push(found.try_get("id")?);
        }
    }
    Ok(to_end)
}

/// The sale's row is locked, so that no recording makes a hold or a party meanwhile. A party that fits into what the ledger has
/// free stays: a raise that was written before the close has not reached the turnstile yet, and will promote it.
pub async fn end_standby(
    conn: &mut Connection,
    &(sale, now, max): &(SaleId, Timestamp, u32),
) -> Result<Vec<Reservation>> {
    let found = sqlx::query(concat!(
        "/* ledger.end_standby.sale */ SELECT capacity, state, closes_at, standby_until FROM sales WHERE id = ?",
        for_update!()
    ))
    .bind(sale)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(found) = found else { return Ok(Vec::new()) };
    let capacity: i64 = found.try_get("capacity")?;
    let closed = found.try_get::<SaleState, _>("state")? == SaleState::Closed
        || found.try_get::<Timestamp, _>("closes_at")? <= now;
    let until_paid = found.try_get::<StandbyUntil, _>("standby_until")? == StandbyUntil::Paid;
    if !closed && !until_paid {
        return Ok(Vec::new());
    }
    let counts = count(conn, sale).await?;
    let paid = until_paid && counts.sold >= capacity;
    let over = closed && counts.pending == 0 && counts.unfreed == 0;
    if !paid && !over {
        return Ok(Vec::new());
    }
    let claimed: i64 =
        sqlx::query_scalar("/* ledger.end_standby.claimed */ SELECT COUNT(*) FROM claims WHERE sale = ?")
            .bind(sale)
            .fetch_one(&mut *conn)
            .await?;
    let rows = sqlx::query_as(row::reservations!(
        "ledger.end_standby",
        "WHERE sale = ? AND state = ? AND quantity > ? ORDER BY generation DESC, arrival DESC LIMIT ?",
        for_update!()
    ))
    .bind(sale)
    .bind(Kind::Standby)
    .bind(capacity - claimed)
    .bind(max)
    .fetch_all(&mut *conn)
    .await?;
    claims::end(conn, sale, rows, State::Ended, now).await
}

/// What a sale's reservations come to.
#[derive(Default)]
pub struct Counts {
    /// Units of confirmed reservations.
    pub sold: i64,
    /// Units held or being paid for.
    pub pending: i64,
    /// Units that the house took out of sale.
    pub blocked: i64,
    /// Parties.
    pub standby: i64,
    /// Ended rows.
    pub unfreed: i64,
}

pub async fn count(conn: &mut Connection, sale: SaleId) -> Result<Counts> {
    let mut counts = counts(conn, &[sale]).await?.remove(&sale).unwrap_or_default();
    counts.unfreed = sqlx::query_scalar(
        "/* ledger.count.unfreed */ SELECT COUNT(*) FROM reservations WHERE unfreed_since IS NOT NULL AND sale = ?",
    )
    .bind(sale)
    .fetch_one(conn)
    .await?;
    Ok(counts)
}

/// Of many, those of which anything lives; what is not freed is not counted.
pub async fn counts(conn: &mut Connection, sales: &[SaleId]) -> Result<HashMap<SaleId, Counts>> {
    let mut counts: HashMap<SaleId, Counts> = HashMap::new();
    for sales in sales.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* ledger.counts */ SELECT sale, state, COUNT(*) AS parties, CAST(SUM(quantity) AS SIGNED) AS units \
             FROM reservations WHERE state <= ",
        );
        query.push_bind(Kind::Confirmed).push(" AND sale IN ");
        query.push_list(sales);
        query.push(" GROUP BY sale, state");
        for group in query.build()?.fetch_all(&mut *conn).await? {
            let counts = counts.entry(group.try_get("sale")?).or_default();
            let units: i64 = group.try_get("units")?;
            match group.try_get("state")? {
                Kind::Standby => counts.standby += group.try_get::<i64, _>("parties")?,
                Kind::Held | Kind::Paying => counts.pending += units,
                Kind::Blocked => counts.blocked += units,
                _ => counts.sold += units,
            }
        }
    }
    Ok(counts)
}
