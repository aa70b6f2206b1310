//! The reservation of a buyer that lives, or the last that did: a step along the index and one to its row, however many have ended.

use std::collections::HashMap;

use sqlx::Row as _;

use super::bulk::Statement;
use super::dialect::{Connection, Store, by_index, in_this_order};
use super::{Result, row};
use crate::domain::sale::reservation::{Kind, Reservation};
use crate::domain::shared::id::{BuyerId, ReservationId, SaleId};
use crate::ports::sale::reservations::{Place, Version};

/// Buyers of one statement, at most: SQLite joins no more than 500 selects.
const ASKED_MAX: usize = 256;

/// What is live comes first in the index, and of what has ended the newest.
pub async fn reservation_of(conn: &mut Connection, sale: SaleId, buyer: BuyerId) -> Result<Option<Reservation>> {
    sqlx::query_as(row::reservations!(
        "ledger.reservation_of",
        by_index!("reservations_latest"),
        " WHERE sale = ? AND buyer = ? AND split_of IS NULL ORDER BY live DESC, created_at DESC, id DESC LIMIT 1"
    ))
    .bind(sale)
    .bind(buyer)
    .fetch_optional(conn)
    .await
}

/// Of each of these buyers that one. `of` begins a statement over reservations.
fn latest(of: &'static str, sale: SaleId, buyers: &[BuyerId]) -> Statement {
    let mut query = Statement::new(of.strip_suffix("reservations ").expect("the statement ends with its table"));
    query.push(concat!(
        "(SELECT (SELECT r.id FROM reservations r ",
        by_index!("reservations_latest"),
        " WHERE r.sale = "
    ));
    query.push_bind(sale).push(
        " AND r.buyer = asked.buyer AND r.split_of IS NULL ORDER BY r.live DESC, r.created_at DESC, r.id DESC LIMIT 1) \
         AS latest FROM (",
    );
    query.push_union("CAST(? AS SIGNED) AS buyer", buyers);
    // The limit keeps the list from being made a part of the join.
    query.push(") AS asked LIMIT ").push_bind(ASKED_MAX as u32);
    query.push(concat!(") AS newest ", in_this_order!(), " reservations ON reservations.id = newest.latest"));
    query
}

pub async fn places(conn: &mut Connection, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Place>> {
    let mut places = Vec::new();
    for buyers in buyers.chunks(ASKED_MAX) {
        let found = latest(row::reservations!("ledger.places", ""), sale, buyers);
        let found = found.build_as::<Reservation>()?.fetch_all(&mut *conn).await?;
        let last: HashMap<BuyerId, Reservation> = found.into_iter().map(|row| (row.buyer, row)).collect();
        let positions = positions(conn, sale, last.values()).await?;
        places.extend(last.into_values().map(|row| Place { position: positions.get(&row.id).copied(), row }));
    }
    Ok(places)
}

pub async fn versions(conn: &mut Connection, sale: SaleId, buyers: &[BuyerId]) -> Result<Vec<Version>> {
    let mut last: HashMap<BuyerId, Version> = HashMap::new();
    for buyers in buyers.chunks(ASKED_MAX) {
        let found = latest("/* ledger.versions */ SELECT buyer, id, version FROM reservations ", sale, buyers);
        for found in found.build()?.fetch_all(&mut *conn).await? {
            let buyer = found.try_get("buyer")?;
            let (reservation, version) = (found.try_get("id")?, row::number(&found, "version")?);
            last.insert(buyer, Version { buyer, reservation, version });
        }
    }
    Ok(last.into_values().collect())
}

impl Store {
    /// How the database finds what a look reads of these buyers, in its own words: a test sees there that what has ended costs nothing.
    pub async fn explain_looks(&self, sale: SaleId, buyers: &[BuyerId]) -> crate::ports::Result<Vec<String>> {
        let mut conn = self.reader().await?;
        let mut words = Vec::new();
        for buyers in buyers.chunks(ASKED_MAX) {
            let look = latest(row::reservations!("ledger.places", ""), sale, buyers);
            words.extend(look.plan(&mut conn).await.map_err(super::fault)?);
        }
        Ok(words)
    }
}

/// Of the parties on standby: the line is counted once for all of them.
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
    let mut query = Statement::new(
        "/* ledger.places.line */ SELECT id, place FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY generation, arrival) \
         AS place FROM reservations WHERE state = ",
    );
    query.push_bind(Kind::Standby).push(" AND sale = ").push_bind(sale).push(") AS line WHERE id IN ");
    query.push_list(&ids);
    let found = query.build()?.fetch_all(conn).await?;
    found.iter().map(|found| Ok((found.try_get("id")?, row::small(found, "place")?))).collect()
}
