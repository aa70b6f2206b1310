//! What a buyer did in a sale, as an admission is judged by it.

use async_trait::async_trait;
use sqlx::Row as _;

use super::dialect::{Connection, Store, by_index};
use super::{Result, fault};
use crate::domain::sale::admission::EndedHold;
use crate::domain::sale::reservation::Kind;
use crate::domain::shared::id::{BuyerId, SaleId};
use crate::ports;
use crate::ports::sale::past::{BuyerPast, Past};

#[async_trait]
impl Past for Store {
    async fn past(&self, sale: SaleId, buyer: BuyerId, max: u32) -> ports::Result<BuyerPast> {
        past(&mut *self.reader().await?, sale, buyer, max).await.map_err(fault)
    }

    async fn has_bought(&self, buyer: BuyerId) -> ports::Result<bool> {
        has_bought(&mut *self.reader().await?, buyer).await.map_err(fault)
    }
}

/// One statement, so that what ends meanwhile is seen once. Holds that ended have an index of their own: cheap rows would hide dear ones,
/// and a thousand of either cost no more than the few that are read.
async fn past(conn: &mut Connection, sale: SaleId, buyer: BuyerId, max: u32) -> Result<BuyerPast> {
    let found = sqlx::query(concat!(
        "/* ledger.past */ SELECT state, updated_at, lapses_at FROM reservations ",
        "WHERE sale = ? AND buyer = ? AND live = 1 UNION ALL SELECT state, updated_at, lapses_at FROM (",
        "SELECT state, updated_at, lapses_at FROM reservations ",
        by_index!("reservations_holds"),
        " WHERE sale = ? AND buyer = ? AND hold_ended_at IS NOT NULL ORDER BY hold_ended_at DESC, id DESC LIMIT ?) AS ended"
    ))
    .bind(sale)
    .bind(buyer)
    .bind(sale)
    .bind(buyer)
    .bind(max)
    .fetch_all(conn)
    .await?;
    let mut past = BuyerPast::default();
    for row in found {
        let kind: Kind = row.try_get("state")?;
        if kind.is_live() {
            past.has_live = true;
            continue;
        }
        let (ended_at, lapses_at) = (row.try_get("updated_at")?, row.try_get("lapses_at")?);
        past.ended.push(EndedHold { ended_at, lapses_at, is_cancelled: kind == Kind::Cancelled });
    }
    // A union keeps no order.
    past.ended.sort_by_key(|hold| std::cmp::Reverse(hold.ended_at));
    Ok(past)
}

async fn has_bought(conn: &mut Connection, buyer: BuyerId) -> Result<bool> {
    let found = sqlx::query(
        "/* ledger.has_bought */ SELECT 1 FROM orders WHERE buyer = ? AND refunded = 0 AND amount_minor > 0 LIMIT 1",
    )
    .bind(buyer)
    .fetch_optional(conn)
    .await?;
    Ok(found.is_some())
}
