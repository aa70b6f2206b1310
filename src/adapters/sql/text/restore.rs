//! The turnstile as the ledger would have it, and the first half of a restore.

use std::collections::BTreeMap;

use sqlx::{FromRow, Row as _};

use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, for_update, ledger_time};
use super::fallback::leased_by;
use super::{Result, claims, moves, row};
use crate::adapters::sql::stored::Number;
use crate::domain::sale::Allotment;
use crate::domain::sale::reservation::{Kind, Reservation, State};
use crate::domain::sale::turn::Chain;
use crate::domain::sale::turnstile::{Snapshot, Taken, Turnstile};
use crate::domain::shared::id::{ReservationId, SaleId};
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::fallback::SaleLease;
use crate::ports::sale::restoring::SaleTotals;

/// What the sale's row says to a turnstile.
struct Sale {
    generation: u64,
    allotment: Allotment,
    hold_ms: i64,
    leased_by: u64,
}

impl FromRow<'_, Row> for Sale {
    fn from_row(found: &Row) -> Result<Self> {
        Ok(Sale {
            generation: row::number(found, "generation")?,
            allotment: row::allotment(found)?,
            hold_ms: found.try_get("hold_ms")?,
            leased_by: row::number(found, "leased_by")?,
        })
    }
}

async fn fetch_sale(conn: &mut Connection, id: SaleId) -> Result<Option<Sale>> {
    sqlx::query_as(concat!(
        "/* ledger.restore.look */ SELECT generation, capacity, quantity_max, standby_max, hold_ms, ",
        leased_by!(),
        " AS leased_by FROM sales WHERE id = ?"
    ))
    .bind(id)
    .fetch_optional(conn)
    .await
}

async fn last_turn(conn: &mut Connection, id: SaleId, generation: u64) -> Result<(u64, Chain)> {
    let found = sqlx::query(
        "/* ledger.last_turn */ SELECT revision, chain FROM turns WHERE sale = ? AND generation = ? \
         ORDER BY revision DESC LIMIT 1",
    )
    .bind(id)
    .bind(Number(generation))
    .fetch_optional(conn)
    .await?;
    match found {
        Some(found) => Ok((row::number(&found, "revision")?, found.try_get("chain")?)),
        None => Ok((0, Chain::default())),
    }
}

pub async fn standing(conn: &mut Connection, id: SaleId) -> Result<Option<SaleTotals>> {
    let Some(sale) = fetch_sale(conn, id).await? else { return Ok(None) };
    let (revision, chain) = last_turn(conn, id, sale.generation).await?;
    let counts = moves::count(conn, id).await?;
    Ok(Some(SaleTotals {
        sale: id,
        generation: sale.generation,
        allotment: sale.allotment,
        hold_ms: sale.hold_ms,
        revision,
        chain,
        sold: counts.sold as u32,
        pending: counts.pending as u32,
        blocked: counts.blocked as u32,
        standby: counts.standby as u32,
        unfreed: counts.unfreed as u32,
        leased_by: sale.leased_by,
    }))
}

pub async fn snapshot(conn: &mut Connection, id: SaleId) -> Result<Option<Snapshot>> {
    let Some(sale) = fetch_sale(conn, id).await? else { return Ok(None) };
    let (revision, chain) = last_turn(conn, id, sale.generation).await?;
    let state = rebuilt(sale.generation, sale.allotment, live(conn, id).await?);
    Ok(Some(Snapshot { revision, chain, ..state }))
}

pub async fn live(conn: &mut Connection, id: SaleId) -> Result<Vec<Reservation>> {
    sqlx::query_as(row::reservations!("ledger.live", "WHERE sale = ? AND state <= ?"))
        .bind(id)
        .bind(Kind::Confirmed)
        .fetch_all(conn)
        .await
}

fn rebuilt(generation: u64, allotment: Allotment, live: Vec<Reservation>) -> Snapshot {
    let mut taken = BTreeMap::new();
    let mut parties = Vec::new();
    for row in live {
        match row.state {
            State::Standby { generation, arrival } => {
                parties.push(((generation, arrival), (row.id, row.buyer, row.quantity)));
            }
            state => {
                taken.insert(row.id, Taken { buyer: row.buyer, units: state.units().to_vec() });
            }
        }
    }
    parties.sort_unstable_by_key(|&(place, _)| place);
    Snapshot::rebuilt(generation, allotment, taken, parties.into_iter().map(|(_, party)| party).collect())
}

/// What had ended and what is live are read in one snapshot, the ended first: whatever ends later is taken in the new state,
/// and still to be freed. A row that was read as live and marked as freed would be held for ever.
pub async fn restore(
    conn: &mut Connection,
    &(id, from, lease, now): &(SaleId, u64, SaleLease, Timestamp),
) -> Result<Option<(Snapshot, Vec<Reservation>)>> {
    let sale: Option<Sale> = sqlx::query_as(concat!(
        "/* ledger.restore.lock */ SELECT generation, capacity, quantity_max, standby_max, hold_ms, ",
        leased_by!(),
        " AS leased_by FROM sales WHERE id = ?",
        for_update!()
    ))
    .bind(id)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(sale) = sale.filter(|sale| sale.generation == from && lease.admits(sale.leased_by)) else {
        return Ok(None);
    };
    sqlx::query(concat!(
        "/* ledger.restore.generation */ UPDATE sales SET generation = ?, changed_at = ",
        ledger_time!(),
        ", fallback_by = ?, fallback_partitions = ?, fallback_until = ? * ((",
        ledger_time!(),
        ") + ?) WHERE id = ?"
    ))
    .bind(Number(from + 1))
    .bind(Number(if lease.ms > 0 { lease.by } else { 0 }))
    .bind(i64::from(lease.partitions))
    .bind(i64::from(lease.ms > 0))
    .bind(lease.ms)
    .bind(id)
    .execute(&mut *conn)
    .await?;
    free_ended(conn, id).await?;
    let state = rebuilt(from + 1, sale.allotment, live(conn, id).await?);
    let mut turnstile = Turnstile::restore(state);
    let promotions = turnstile.promote();
    let ids: Vec<ReservationId> = promotions.iter().map(|promotion| promotion.reservation).collect();
    let rows = row::fetch_many_locked(conn, &ids).await?;
    let held = claims::hold(conn, id, rows, &promotions, now, now.plus_ms(sale.hold_ms)).await?;
    Ok(Some((turnstile.snapshot(), held)))
}

async fn free_ended(conn: &mut Connection, id: SaleId) -> Result<()> {
    let ids: Vec<ReservationId> = sqlx::query_scalar(
        "/* ledger.restore.unfreed */ SELECT id FROM reservations WHERE unfreed_since IS NOT NULL AND sale = ? ORDER BY id",
    )
    .bind(id)
    .fetch_all(&mut *conn)
    .await?;
    for ids in ids.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new("/* ledger.restore.free */ UPDATE reservations SET freed = 1 WHERE id IN ");
        query.push_list(ids);
        query.build()?.execute(&mut *conn).await?;
    }
    Ok(())
}
