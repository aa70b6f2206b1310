//! Lists and sums for operators. Each page is a read of its own, along an index, from where the last one ended: no transaction
//! is long, and no list is sorted.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::Row as _;

use super::admissions::check_ins_page;
use super::bulk::{self, Statement};
use super::dialect::{Connection, Row, Store, by_index};
use super::{Result, fault, refund, row};
use crate::adapters::sql::codes::RefundWhy;
use crate::adapters::sql::stored::{Bits64, Number};
use crate::domain::money::order::Order;
use crate::domain::money::payment::RefundKind;
use crate::domain::receipts::{Admission, Proof};
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::sale::turn::Cause;
use crate::domain::shared::id::{BuyerId, HOUSE_FIRST, PaymentId, ReservationId, SaleId};
use crate::ports;
use crate::ports::audit::reports::{Count, Decided, Decisions, Person, Place, Reports, Totals};

async fn orders(conn: &mut Connection, sale: SaleId, after: Option<ReservationId>, max: u32) -> Result<Vec<Order>> {
    sqlx::query_as(row::orders!(
        "reports.orders",
        by_index!("orders_sale"),
        " WHERE sale = ? AND reservation > ? ORDER BY reservation LIMIT ?"
    ))
    .bind(sale)
    .bind(after.unwrap_or(ReservationId(0)))
    .bind(max)
    .fetch_all(conn)
    .await
}

/// By buyer, what has ended before what is live. The index has all of one buyer's ended rows in one place, in no order: only of
/// the buyer with whom a page ends are they sorted.
async fn reservations(conn: &mut Connection, sale: SaleId, after: Option<Place>, max: u32) -> Result<Vec<Reservation>> {
    let max = max as usize;
    let mut rows = match after {
        Some(place) => rest_of_buyer(conn, sale, place, max).await?,
        None => Vec::new(),
    };
    // Buyers are ordered by their bit pattern, as the index has them.
    let first = after.map_or(Some(i64::MIN), |place| Bits64(place.buyer.0).pattern().checked_add(1));
    let Some(first) = first.filter(|_| rows.len() < max) else { return Ok(rows) };
    let room = max - rows.len();
    let mut others = buyers_from(conn, sale, first, room).await?;
    let last = others.last().filter(|_| others.len() == room).map(|row| row.buyer);
    others.retain(|row| Some(row.buyer) != last);
    rows.extend(others);
    if let Some(buyer) = last {
        let begin = Place { buyer, is_live: false, id: ReservationId(0) };
        rows.extend(rest_of_buyer(conn, sale, begin, max - rows.len()).await?);
    }
    Ok(rows)
}

async fn rest_of_buyer(conn: &mut Connection, sale: SaleId, after: Place, max: usize) -> Result<Vec<Reservation>> {
    sqlx::query_as(row::reservations!(
        "reports.reservations.buyer",
        by_index!("reservations_buyer"),
        " WHERE sale = ? AND buyer = ? AND (COALESCE(live, 0) > ? OR (COALESCE(live, 0) = ? AND id > ?)) ",
        "ORDER BY live, id LIMIT ?"
    ))
    .bind(sale)
    .bind(after.buyer)
    .bind(after.is_live)
    .bind(after.is_live)
    .bind(after.id)
    .bind(Number(max as u64))
    .fetch_all(conn)
    .await
}

async fn buyers_from(conn: &mut Connection, sale: SaleId, first: i64, max: usize) -> Result<Vec<Reservation>> {
    sqlx::query_as(row::reservations!(
        "reports.reservations",
        by_index!("reservations_buyer"),
        " WHERE sale = ? AND buyer >= ? ORDER BY buyer, live LIMIT ?"
    ))
    .bind(sale)
    .bind(first)
    .bind(Number(max as u64))
    .fetch_all(conn)
    .await
}

async fn people(conn: &mut Connection, buyers: &[BuyerId]) -> Result<HashMap<BuyerId, Person>> {
    let mut people = HashMap::with_capacity(buyers.len());
    for buyers in buyers.chunks(bulk::ROWS_MAX) {
        let mut query = Statement::new(
            "/* reports.people */ SELECT id, name, email FROM accounts WHERE erased_at IS NULL AND id IN ",
        );
        query.push_list(buyers);
        for found in query.build()?.fetch_all(&mut *conn).await? {
            let person = Person { name: found.try_get("name")?, email: found.try_get("email")? };
            people.insert(found.try_get("id")?, person);
        }
    }
    Ok(people)
}

/// Leaves out the house's batches, for whose answers no buyer waited: they are known by the first byte of their buyers.
async fn decisions(conn: &mut Connection, sale: SaleId, after: (u64, u64), turns_max: u32) -> Result<Decisions> {
    let found = sqlx::query(
        "/* reports.decisions */ SELECT generation, revision, cause, outcomes, recorded_at FROM turns \
         WHERE sale = ? AND generation >= ? AND (generation > ? OR revision > ?) \
         AND SUBSTR(buyers, 1, 1) NOT BETWEEN X'40' AND X'7F' ORDER BY generation, revision LIMIT ?",
    )
    .bind(sale)
    .bind(Number(after.0))
    .bind(Number(after.0))
    .bind(Number(after.1))
    .bind(turns_max)
    .fetch_all(conn)
    .await?;
    let last = found.last().filter(|_| found.len() == turns_max as usize);
    let place = |last| Ok::<_, sqlx::Error>((row::number(last, "generation")?, row::number(last, "revision")?));
    let next = last.map(place).transpose()?;
    let mut decided = Vec::new();
    for found in &found {
        if let Cause::Batch(batch) = found.try_get("cause")? {
            let (outcomes, recorded_at) = (found.try_get("outcomes")?, found.try_get("recorded_at")?);
            decided.push(Decided { batch, outcomes, recorded_at });
        }
    }
    Ok(Decisions { decided, next })
}

async fn totals(conn: &mut Connection, sale: SaleId) -> Result<Totals> {
    let reservations = sqlx::query(
        "/* reports.totals.reservations */ SELECT state, CAST(SUM(parties) AS SIGNED) AS parties, \
         CAST(SUM(units) AS SIGNED) AS units FROM (SELECT state, COUNT(*) AS parties, SUM(quantity) AS units \
         FROM reservations WHERE sale = ? AND split_of IS NULL AND (buyer < ? OR state = ?) GROUP BY state \
         UNION ALL SELECT state, parties, units FROM ended_counts WHERE sale = ?) AS here_and_apart GROUP BY state \
         ORDER BY state",
    )
    .bind(sale)
    .bind(BuyerId(HOUSE_FIRST))
    .bind(Kind::Blocked)
    .bind(sale)
    .fetch_all(&mut *conn)
    .await?;
    let of_state = |found: &Row| {
        let count = Count { rows: row::number(found, "parties")?, units: row::number(found, "units")?, minor: 0 };
        Ok((found.try_get("state")?, count))
    };
    let orders = sqlx::query(
        "/* reports.totals.orders */ SELECT COUNT(*) AS placed, \
         CAST(COALESCE(SUM(LENGTH(units)), 0) AS SIGNED) AS placed_bytes, \
         CAST(COALESCE(SUM(amount_minor), 0) AS SIGNED) AS placed_minor, \
         CAST(COALESCE(SUM(refunded), 0) AS SIGNED) AS refunded, \
         CAST(COALESCE(SUM(LENGTH(refunded_units)), 0) AS SIGNED) AS refunded_bytes, \
         CAST(COALESCE(SUM(refunded_minor), 0) AS SIGNED) AS refunded_minor FROM orders WHERE sale = ?",
    )
    .bind(sale)
    .fetch_one(&mut *conn)
    .await?;
    let refunds = sqlx::query(
        "/* reports.totals.refunds */ SELECT state, COUNT(*) AS refunds, CAST(SUM(LENGTH(units)) AS SIGNED) AS bytes, \
         CAST(SUM(amount_minor) AS SIGNED) AS minor FROM refunds WHERE sale = ? AND why <> ? GROUP BY state \
         ORDER BY state",
    )
    .bind(sale)
    .bind(RefundWhy::CaptureTooLate)
    .fetch_all(&mut *conn)
    .await?;
    let gone = sqlx::query(
        "/* reports.totals.turns */ SELECT sale FROM certificates WHERE sale = ? AND turns_removed_at IS NOT NULL",
    )
    .bind(sale)
    .fetch_optional(conn)
    .await?;
    let count = |found: &Row, rows, bytes, minor| {
        let (rows, units) = (row::number(found, rows)?, row::number(found, bytes)? / 4);
        Ok::<_, sqlx::Error>(Count { rows, units, minor: found.try_get(minor)? })
    };
    let of_refunds = |found: &Row| Ok((found.try_get("state")?, count(found, "refunds", "bytes", "minor")?));
    Ok(Totals {
        reservations: reservations.iter().map(of_state).collect::<Result<_>>()?,
        placed: count(&orders, "placed", "placed_bytes", "placed_minor")?,
        refunded: count(&orders, "refunded", "refunded_bytes", "refunded_minor")?,
        refunds: refunds.iter().map(of_refunds).collect::<Result<_>>()?,
        turns_gone: gone.is_some(),
    })
}

#[async_trait]
impl Reports for Store {
    async fn orders_of_sale(&self, sale: SaleId, after: Option<ReservationId>, max: u32) -> ports::Result<Vec<Order>> {
        orders(&mut *self.list_reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn reservations_of_sale(
        &self,
        sale: SaleId,
        after: Option<Place>,
        max: u32,
    ) -> ports::Result<Vec<Reservation>> {
        reservations(&mut *self.list_reader().await?, sale, after, max).await.map_err(fault)
    }

    async fn refunds_of_orders(
        &self,
        reservations: &[ReservationId],
    ) -> ports::Result<HashMap<PaymentId, Vec<(RefundKind, i64)>>> {
        let mut refunds = HashMap::<PaymentId, Vec<(RefundKind, i64)>>::new();
        if reservations.is_empty() {
            return Ok(refunds);
        }
        for entry in refund::of(&mut *self.list_reader().await?, reservations).await.map_err(fault)? {
            refunds.entry(entry.refund.payment).or_default().push((entry.state.kind(), entry.refund.amount.minor));
        }
        Ok(refunds)
    }

    async fn people(&self, buyers: &[BuyerId]) -> ports::Result<HashMap<BuyerId, Person>> {
        people(&mut *self.list_reader().await?, buyers).await.map_err(fault)
    }

    async fn decisions(&self, sale: SaleId, after: (u64, u64), turns_max: u32) -> ports::Result<Decisions> {
        decisions(&mut *self.list_reader().await?, sale, after, turns_max).await.map_err(fault)
    }

    async fn totals(&self, sale: SaleId) -> ports::Result<Totals> {
        totals(&mut *self.list_at_once().await?, sale).await.map_err(fault)
    }

    async fn check_ins_of_sale(&self, sale: SaleId, after: Option<Proof>, max: u32) -> ports::Result<Vec<Admission>> {
        check_ins_page(&mut *self.list_reader().await?, sale, after, max).await.map_err(fault)
    }
}
