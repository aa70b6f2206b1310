//! What moved of late, and the next part of a round: how work finds the sales it is about without looking at each. The first costs
//! what was moved, the second what it goes by.

use std::collections::BTreeMap;

use sqlx::Row as _;

use super::bulk::{self, Statement};
use super::dialect::{Connection, by_index, ledger_time};
use super::fallback::leased_by;
use super::{Result, row};
use crate::adapters::sql::stored::Number;
use crate::domain::sale::SaleState;
use crate::domain::sale::reservation::Kind;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::catalogue::{Moved, RoundPlace};
use crate::ports::sale::restoring::LastTurn;

/// Four ends of indices in one statement. What operators and restores write has this server's time, which is also the one it is
/// compared with.
pub async fn moved(conn: &mut Connection, now: Timestamp, within_ms: i64) -> Result<BTreeMap<SaleId, Moved>> {
    let since = now.plus_ms(-within_ms);
    let found = sqlx::query(concat!(
        "/* rounds.moved */ SELECT 1 AS part, id AS sale, version AS first, generation AS second FROM sales ",
        by_index!("sales_changed"),
        " WHERE changed_at >= (",
        ledger_time!(),
        ") - ? UNION ALL SELECT 2, sale, generation, MAX(revision) FROM turns ",
        by_index!("turns_recorded"),
        " WHERE recorded_at >= ? GROUP BY sale, generation \
         UNION ALL SELECT 3, sale, COUNT(*), MAX(placed_at) FROM orders ",
        by_index!("orders_placed"),
        " WHERE placed_at >= ? GROUP BY sale UNION ALL SELECT 4, id, 0, 0 FROM sales ",
        by_index!("sales_closes"),
        " WHERE closes_at > ? AND closes_at <= ?"
    ))
    .bind(within_ms)
    .bind(since)
    .bind(since)
    .bind(since)
    .bind(now)
    .fetch_all(conn)
    .await?;
    let mut moved: BTreeMap<SaleId, Moved> = BTreeMap::new();
    for found in &found {
        let sale = moved.entry(found.try_get("sale")?).or_default();
        let (first, second) = (row::number(found, "first")?, row::number(found, "second")?);
        match found.try_get::<i64, _>("part")? {
            1 => (sale.version, sale.generation) = (first, second),
            2 => sale.turn = sale.turn.max((first, second)),
            3 => sale.orders = (first, second),
            _ => sale.closed = true,
        }
    }
    Ok(moved)
}

pub async fn part(
    conn: &mut Connection,
    after: RoundPlace,
    now: Timestamp,
    max: u32,
) -> Result<(Vec<SaleId>, Option<RoundPlace>)> {
    let found = sqlx::query(concat!(
        "/* rounds.part */ SELECT id, closes_at, (state <> ? AND closes_at > ?) \
         OR EXISTS (SELECT 1 FROM reservations r WHERE r.sale = sales.id AND r.state BETWEEN ? AND ?) \
         OR id IN (SELECT r.sale FROM reservations r WHERE r.unfreed_since IS NOT NULL) AS matters FROM sales ",
        by_index!("sales_closes"),
        " WHERE closes_at >= ? AND (closes_at > ? OR id > ?) ORDER BY closes_at, id LIMIT ?"
    ))
    .bind(SaleState::Closed)
    .bind(now)
    .bind(Kind::Standby)
    .bind(Kind::Paying)
    .bind(after.closes_at)
    .bind(after.closes_at)
    .bind(after.sale)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let mut sales = Vec::with_capacity(found.len());
    for found in &found {
        if found.try_get("matters")? {
            sales.push(found.try_get("id")?);
        }
    }
    let next = match found.last() {
        Some(last) if found.len() >= max as usize => {
            Some(RoundPlace { closes_at: last.try_get("closes_at")?, sale: last.try_get("id")? })
        }
        _ => None,
    };
    Ok((sales, next))
}

pub async fn count(conn: &mut Connection, after: Timestamp) -> Result<u64> {
    let Number(count) = sqlx::query_scalar(concat!(
        "/* rounds.count */ SELECT COUNT(*) FROM sales ",
        by_index!("sales_closes"),
        " WHERE closes_at > ?"
    ))
    .bind(after)
    .fetch_one(conn)
    .await?;
    Ok(count)
}

pub async fn last_turns(conn: &mut Connection, sales: &[SaleId]) -> Result<Vec<LastTurn>> {
    let mut last = Vec::with_capacity(sales.len());
    for sales in sales.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(concat!(
            "/* rounds.last_turns */ SELECT sales.id AS sale, sales.generation AS generation, capacity, \
             COALESCE(turns.revision, 0) AS revision, COALESCE(turns.chain, 0) AS chain, ",
            leased_by!(),
            " AS leased_by \
             FROM sales LEFT JOIN turns ON turns.sale = sales.id \
             AND turns.generation = sales.generation AND turns.revision = (SELECT MAX(revision) FROM turns t \
             WHERE t.sale = sales.id AND t.generation = sales.generation) WHERE sales.id IN ",
        ));
        query.push_list(sales);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            last.push(LastTurn {
                sale: found.try_get("sale")?,
                generation: row::number(&found, "generation")?,
                revision: row::number(&found, "revision")?,
                chain: found.try_get("chain")?,
                capacity: row::small(&found, "capacity")?,
                leased_by: row::number(&found, "leased_by")?,
            });
        }
    }
    Ok(last)
}
