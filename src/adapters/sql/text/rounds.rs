//! What moved of late, and the next part of a round: how work finds the sales it is about without looking at each. The first costs
//! what was moved, the second what it goes by.

use std::collections::BTreeMap;

use sqlx::{QueryBuilder, Row as _};

use super::dialect::{Connection, Db, by_index, ledger_time};
use super::{Result, bulk, row};
use crate::domain::sale::turn::Chain;
use crate::domain::shared::id::SaleId;
use crate::domain::shared::time::Timestamp;
use crate::ports::sale::catalogue::{Moved, RoundPlace};
use crate::ports::sale::restoring::LastTurn;

/// Four ends of indices in one statement. What operators and restores write has this server's time, which is also the one it is
/// compared with.
pub async fn moved(conn: &mut Connection, now: Timestamp, within_ms: i64) -> Result<BTreeMap<SaleId, Moved>> {
    let since = now.plus_ms(-within_ms);
    let found = sqlx::query(concat!(
        "/* rounds.moved */ SELECT 1, id, version, generation FROM sales ",
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
    .bind(since.0)
    .bind(since.0)
    .bind(since.0)
    .bind(now.0)
    .fetch_all(conn)
    .await?;
    let mut moved: BTreeMap<SaleId, Moved> = BTreeMap::new();
    for found in &found {
        let sale = moved.entry(SaleId(row::number(found, 1)?)).or_default();
        let (first, second) = (row::number(found, 2)?, row::number(found, 3)?);
        match found.try_get::<i64, _>(0)? {
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
        "/* rounds.part */ SELECT id, closes_at, (state <> 3 AND closes_at > ?) \
         OR EXISTS (SELECT 1 FROM reservations r WHERE r.sale = sales.id AND r.state BETWEEN 1 AND 3) \
         OR id IN (SELECT r.sale FROM reservations r WHERE r.unfreed_since IS NOT NULL) FROM sales ",
        by_index!("sales_closes"),
        " WHERE closes_at >= ? AND (closes_at > ? OR id > ?) ORDER BY closes_at, id LIMIT ?"
    ))
    .bind(now.0)
    .bind(after.closes_at.0)
    .bind(after.closes_at.0)
    .bind(after.sale.0 as i64)
    .bind(i64::from(max))
    .fetch_all(conn)
    .await?;
    let mut sales = Vec::with_capacity(found.len());
    for found in &found {
        if found.try_get::<i64, _>(2)? != 0 {
            sales.push(SaleId(row::number(found, 0)?));
        }
    }
    let next = match found.last() {
        Some(last) if found.len() >= max as usize => {
            Some(RoundPlace { closes_at: Timestamp(last.try_get(1)?), sale: SaleId(row::number(last, 0)?) })
        }
        _ => None,
    };
    Ok((sales, next))
}

pub async fn count(conn: &mut Connection, after: Timestamp) -> Result<u64> {
    let found = sqlx::query(concat!(
        "/* rounds.count */ SELECT COUNT(*) FROM sales ",
        by_index!("sales_closes"),
        " WHERE closes_at > ?"
    ))
    .bind(after.0);
    row::number(&found.fetch_one(conn).await?, 0)
}

pub async fn last_turns(conn: &mut Connection, sales: &[SaleId]) -> Result<Vec<LastTurn>> {
    let mut last = Vec::with_capacity(sales.len());
    for sales in sales.chunks(bulk::ROWS_MAX) {
        let mut query = QueryBuilder::<Db>::new(
            "/* rounds.last_turns */ SELECT sales.id, sales.generation, COALESCE(turns.revision, 0), \
             COALESCE(turns.chain, 0), sales.capacity FROM sales LEFT JOIN turns ON turns.sale = sales.id \
             AND turns.generation = sales.generation AND turns.revision = (SELECT MAX(revision) FROM turns t \
             WHERE t.sale = sales.id AND t.generation = sales.generation) WHERE sales.id IN ",
        );
        bulk::push_list(&mut query, sales.iter().map(|sale| sale.0 as i64));
        for found in query.build().fetch_all(&mut *conn).await? {
            last.push(LastTurn {
                sale: SaleId(row::number(&found, 0)?),
                generation: row::number(&found, 1)?,
                revision: row::number(&found, 2)?,
                chain: Chain(row::number(&found, 3)?),
                capacity: row::small(&found, 4)?,
            });
        }
    }
    Ok(last)
}
