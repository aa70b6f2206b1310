//! Who has which unit: claims are inserted with a hold and deleted in the transaction that ends it.

use std::collections::HashMap;

use super::bulk::{self, Statement};
use super::dialect::Connection;
use super::{Result, broken, outbox};
use crate::adapters::sql::stored::Units;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::Promotion;
use crate::domain::shared::event::{Event, Fact, Promoted};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;

/// Fails on a unit that is claimed already.
pub async fn claim(conn: &mut Connection, sale: SaleId, rows: &[Reservation]) -> Result<()> {
    let mut claims: Vec<(u32, ReservationId)> =
        rows.iter().flat_map(|row| row.state.units().iter().map(|&unit| (unit, row.id))).collect();
    // All transactions lock in the same order.
    claims.sort_unstable();
    for claims in bulk::pieces(&claims, bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.claim */ INSERT INTO claims (sale, unit, reservation) ");
        query.push_rows(claims, |values, (unit, reservation)| {
            values.bind(sale).bind(unit).bind(reservation);
        });
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

async fn unclaim(conn: &mut Connection, sale: SaleId, units: impl IntoIterator<Item = &u32>) -> Result<()> {
    let mut units: Vec<u32> = units.into_iter().copied().collect();
    units.sort_unstable();
    for units in units.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.unclaim */ DELETE FROM claims WHERE sale = ");
        query.push_bind(sale).push(" AND unit IN ");
        query.push_list(units);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Standby -> Held, for locked rows that are to have these units. Whatever is not on standby is left as it is.
pub async fn hold(
    conn: &mut Connection,
    sale: SaleId,
    rows: Vec<Reservation>,
    promotions: &[Promotion],
    now: Timestamp,
    lapses_at: Timestamp,
) -> Result<Vec<Reservation>> {
    let units: HashMap<ReservationId, &[u32]> =
        promotions.iter().map(|promotion| (promotion.reservation, promotion.units.as_slice())).collect();
    let waiting = rows.into_iter().filter(|row| row.state.kind() == Kind::Standby);
    let held: Vec<Reservation> = waiting
        .map(|row| Reservation {
            state: State::Held { units: units[&row.id].to_vec(), lapses_at },
            version: row.version + 1,
            ..row
        })
        .collect();
    for rows in held.chunks(bulk::ASSIGNED_MAX) {
        let mut query = Statement::new("/* ledger.promote */ UPDATE reservations SET state = ");
        query.push_bind(Kind::Held).push(", units = ");
        query.push_by_id(rows.iter().map(|row| (row.id, Units::of(row.state.units()))));
        query.push(", lapses_at = ").push_bind(lapses_at);
        query.push(", version = version + 1, updated_at = ").push_bind(now).push(" WHERE id IN ");
        query.push_list(rows.iter().map(|row| row.id));
        query.build()?.execute(&mut *conn).await?;
    }
    claim(conn, sale, &held).await?;
    let promoted = |row: &Reservation| {
        let (reservation, buyer, quantity) = (row.id, row.buyer, row.quantity);
        let fact = Fact::Promoted(Promoted { reservation, sale, buyer, quantity, lapses_at });
        Event::new(fact, row.version.into(), now)
    };
    outbox::write(conn, &held.iter().map(promoted).collect::<Vec<_>>()).await?;
    Ok(held)
}

/// Ends locked rows of one sale: not freed, and their units are claimed no more.
pub async fn end(
    conn: &mut Connection,
    sale: SaleId,
    rows: Vec<Reservation>,
    state: State,
    now: Timestamp,
) -> Result<Vec<Reservation>> {
    for rows in rows.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.end */ UPDATE reservations SET state = ");
        query.push_bind(state.kind()).push(", freed = 0, version = version + 1, updated_at = ");
        query.push_bind(now).push(" WHERE id IN ");
        query.push_list(rows.iter().map(|row| row.id));
        query.build()?.execute(&mut *conn).await?;
    }
    unclaim(conn, sale, rows.iter().flat_map(|row| row.state.units())).await?;
    let ended = |row: Reservation| Reservation { state: state.clone(), version: row.version + 1, freed: false, ..row };
    Ok(rows.into_iter().map(ended).collect())
}

/// Some of a locked row's units end, and it goes on with the others: they are claimed no more, and become a row of their own
/// that says whose they were, until the turnstile has taken them back. The row as it reads now, and the new one's id.
pub async fn split(
    conn: &mut Connection,
    row: Reservation,
    units: &[u32],
    now: Timestamp,
) -> Result<(Reservation, ReservationId)> {
    let State::Confirmed { units: all, payment } = row.state else { return Err(broken("only what is paid is split")) };
    let ended = row.id.split(units);
    let rest: Vec<u32> = all.into_iter().filter(|unit| !units.contains(unit)).collect();
    sqlx::query(
        "/* ledger.split */ UPDATE reservations SET units = ?, quantity = ?, version = version + 1, updated_at = ? \
         WHERE id = ? AND state = ?",
    )
    .bind(Units::of(&rest))
    .bind(rest.len() as u8)
    .bind(now)
    .bind(row.id)
    .bind(Kind::Confirmed)
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "/* ledger.split.ended */ INSERT INTO reservations \
         (id, sale, buyer, quantity, state, units, version, freed, created_at, updated_at, split_of) \
         VALUES (?, ?, ?, ?, ?, ?, 1, 0, ?, ?, ?)",
    )
    .bind(ended)
    .bind(row.sale)
    .bind(row.buyer)
    .bind(units.len() as u8)
    .bind(Kind::Refunded)
    .bind(Units::of(units))
    .bind(now)
    .bind(now)
    .bind(row.id)
    .execute(&mut *conn)
    .await?;
    unclaim(conn, row.sale, units).await?;
    let quantity = rest.len() as u8;
    let row =
        Reservation { state: State::Confirmed { units: rest, payment }, quantity, version: row.version + 1, ..row };
    Ok((row, ended))
}
